// Owns: what an operator or another part sees of one host of the mesh. Refuses to know: how it is kept.

import TallyBase
import TallyWire

/// How a host stands in the mesh, as seen from here.
public enum MemberState: UInt8, Sendable, CaseIterable {
  /// A signed record that no member has met yet.
  case candidate
  /// A member from which nothing was heard since this host started; it is being asked.
  case unheard
  /// A member that answers here.
  case alive
  /// A member that does not answer here. Others may well reach it.
  case unreachable
  /// A member that said good-bye.
  case left

  public var word: String {
    switch self {
    case .candidate: "candidate"
    case .unheard: "unheard"
    case .alive: "alive"
    case .unreachable: "unreachable from here"
    case .left: "left"
    }
  }
}

public struct MemberView: Hashable, Sendable {
  public let key: PublicKey
  public let id: NodeID
  public let state: MemberState
  /// One sentence: what the state rests on.
  public let why: String
  public let record: NodeRecord
  /// Nil: not carried or not decodable.
  public let attributes: Attributes?
  /// What the host would like to be called; empty: nothing.
  public var petname: String { attributes?.petname ?? "" }
  public let roundTrip: Interval?
  /// Where it is dialled.
  public let endpoint: Endpoint?
  public let hasLink: Bool
  public let heardAt: Instant?
  /// Members that signed that they met it, in order of key.
  public let reachedBy: [PublicKey]
}
