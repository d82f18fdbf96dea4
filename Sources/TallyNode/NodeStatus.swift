// Owns: read-only answers from memory. History is read by the store's reader, not here.
import TallyBase
import TallyExchange
import TallyGossip
import TallyLog
import TallyTable
import TallyWire
import TallyWork

/// One page of what a host says about itself.
public struct NodeStatus: Sendable {
  public let key: PublicKey
  public let node: NodeID
  public let meshName: String
  public let meshID: MeshID
  public let isMember: Bool
  /// Members with this host, and how many of the others answer here.
  public let memberCount: Int
  public let aliveCount: Int
  public let linkCount: Int
  public let sessionCount: Int
  public let tableCount: Int
  public let ownFeed: FeedID
  public let ownSize: UInt64
  public let signing: SigningState
  public let feedCount: Int
  public let entryCount: UInt64
  public let forkedCount: Int
  public let clockDigest: Digest
  public let stateDigest: Digest
  public let worker: WorkerFacts?
  public let policy: LendPolicy
  public let openTasks: Int
  public let leasedTasks: Int
  /// What was refused from outside, by reason; sorted by name.
  public let refusals: [Counter]
  public let faults: [Counter]
  public let lastRefusal: String?
}

public struct Counter: Hashable, Sendable {
  public let name: String
  public let count: UInt64
  public init(name: String, count: UInt64) {
    self.name = name
    self.count = count
  }
}
