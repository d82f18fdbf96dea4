// Owns: who belongs to the mesh, as seen from one host.
import TallyBase
import TallyCrypto
import TallyWire

public struct MembershipConfig: Sendable {
  public var mesh: MeshID
  public var me: PublicKey
  /// Larger than in any earlier run of this key, and durable before `start`: `BootEpoch.next`.
  public var epoch: UInt64
  /// Where this host can be reached, best first. Empty: only over sessions that it opens.
  public var endpoints: [Endpoint]
  public var attributes: Attributes
  public var seeds: [Seed]

  public init(
    mesh: MeshID, me: PublicKey, epoch: UInt64, endpoints: [Endpoint], attributes: Attributes, seeds: [Seed]
  ) {
    self.mesh = mesh
    self.me = me
    self.epoch = epoch
    self.endpoints = endpoints
    self.attributes = attributes
    self.seeds = seeds
  }
}

public struct Membership: Sendable {
  public let mesh: MeshID
  public let me: PublicKey

  public init(_ config: MembershipConfig, generator: Generator) {
    mesh = config.mesh
    me = config.me
  }

  // Inputs. Each takes the host's identity because each may sign a record or a `reached`.

  /// Once, before anything else: loads what the store kept (table 2), signs the first record, dials the seeds.
  public mutating func start(
    _ stored: [(key: [UInt8], value: [UInt8])], identity: borrowing Identity, now: Instant,
    into effects: inout [MeshEffect]
  ) {}
  public mutating func onSessionUp(
    _ peer: PublicKey, at endpoint: Endpoint, weDialled: Bool, identity: borrowing Identity, now: Instant,
    into effects: inout [MeshEffect]
  ) {}
  public mutating func onSessionDown(_ peer: PublicKey, now: Instant, into effects: inout [MeshEffect]) {}
  public mutating func onLinkUp(
    _ peer: PublicKey, at endpoint: Endpoint, weDialled: Bool, identity: borrowing Identity, now: Instant,
    into effects: inout [MeshEffect]
  ) {}
  public mutating func onLinkDown(_ peer: PublicKey, now: Instant, into effects: inout [MeshEffect]) {}
  /// An authenticated packet of any type came from `peer`. Call it for types that do not go to `onMessage`.
  public mutating func onPacket(from peer: PublicKey, now: Instant, into effects: inout [MeshEffect]) {}
  /// PING, PONG, MEMBERS, GET_MEMBERS, REACHED and LEAVE; `message` is type and body.
  public mutating func onMessage(
    _ message: [UInt8], from peer: PublicKey, over transport: Transport, identity: borrowing Identity, now: Instant,
    into effects: inout [MeshEffect]
  ) {}
  /// Another host holds a record of ours with this number (ABOUT_YOU): ours jumps above it.
  public mutating func jump(
    over number: RecordNumber, identity: borrowing Identity, now: Instant, into effects: inout [MeshEffect]
  ) {}
  /// Addresses or attributes changed: a newer record is signed and spread.
  public mutating func update(
    endpoints: [Endpoint], attributes: Attributes, identity: borrowing Identity, now: Instant,
    into effects: inout [MeshEffect]
  ) {}
  public mutating func setSeeds(_ seeds: [Seed], now: Instant, into effects: inout [MeshEffect]) {}
  /// Says good-bye to the mesh, for ever or until the next start.
  public mutating func leave(identity: borrowing Identity, now: Instant, into effects: inout [MeshEffect]) {}
  public mutating func wake(identity: borrowing Identity, now: Instant, into effects: inout [MeshEffect]) {}
  public var nextDeadline: Instant? { nil }

  // Queries.

  /// Every host but this one, in order of key.
  public var members: [MemberView] { [] }
  public func member(_ key: PublicKey) -> MemberView? { nil }
  public func isMember(_ key: PublicKey) -> Bool { false }
  /// Members (this host included when it is one), without those that left.
  public var memberCount: Int { 0 }
  public var own: RecordWithAttributes? { nil }
  public func record(of key: PublicKey) -> NodeRecord? { nil }
  public func attributes(of key: PublicKey) -> Attributes? { nil }
  /// The members with which this host wants links, in order of key.
  public var linkTargets: [PublicKey] { [] }
  public var linkedPeers: [PublicKey] { [] }
  /// Equal for equal views of who is a member with which record.
  public var viewDigest: ShortDigest { .zero }
}

public enum BootEpoch {
  /// The epoch of a new run: above the stored one, and above what the wall clock says an unstored one was. Persist it
  /// before the first record is signed.
  public static func next(stored: UInt64?, wallMs: Int64) -> UInt64 {
    max((stored ?? 0) + 1, UInt64(max(wallMs, 1)))
  }
}
