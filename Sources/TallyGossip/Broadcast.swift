// Owns: which pushes were seen, and to which links each goes.
import TallyBase
import TallyWire

public struct Broadcast: Sendable {
  public init() {}

  /// What to do with a push that came from a neighbour.
  public enum Verdict: Hashable, Sendable {
    /// Not seen before: check it; when it holds, `relay` it.
    case new
    /// Seen, byte for byte the same head.
    case duplicate
    /// Older than what is remembered of its feed: reconciliation's business.
    case stale
    /// A known size with another root: goes to the fork check.
    case conflict
  }

  public mutating func onLinkUp(_ peer: PublicKey) {}
  public mutating func onLinkDown(_ peer: PublicKey) {}
  /// The node's queue for this link is above its mark: announce instead of pushing until `linkDrained`.
  public mutating func linkCongested(_ peer: PublicKey) {}
  public mutating func linkDrained(_ peer: PublicKey, now: Instant, into effects: inout [MeshEffect]) {}
  /// A push of this name came from `peer`: ask before checking it.
  public mutating func onPush(_ name: PushName, from peer: PublicKey) -> Verdict { .new }
  /// An own commit was released.
  public mutating func publish(_ push: [UInt8], _ name: PushName, now: Instant, into effects: inout [MeshEffect]) {}
  /// A foreign push was checked: on it goes to every link but the ones it came from.
  public mutating func relay(
    _ push: [UInt8], _ name: PushName, from peer: PublicKey, now: Instant, into effects: inout [MeshEffect]
  ) {}
  /// A checked push turned out wrong: forget that it was seen, so that the true one is not taken for a duplicate.
  public mutating func forget(_ name: PushName) {}
  public mutating func onIHave(_ names: [PushName], from peer: PublicKey, now: Instant, into effects: inout [MeshEffect]) {}
  public var nextDeadline: Instant? { nil }
  public mutating func wake(now: Instant, into effects: inout [MeshEffect]) {}
}
