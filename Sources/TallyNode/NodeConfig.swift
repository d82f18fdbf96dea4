// Owns: what a node is told once, before it does anything.
import TallyBase
import TallyExchange
import TallyGossip
import TallySession
import TallyWire

public struct NodeConfig: Sendable {
  public var meshName: String
  public var meshNonce: [UInt8]
  public var meshKeys: MeshKeys
  /// Where this host can be reached, best first. Empty: only over sessions that it opens.
  public var endpoints: [Endpoint]
  public var attributes: Attributes
  public var seeds: [Seed]
  public var policy: LendPolicy

  public init(
    meshName: String, meshNonce: [UInt8], meshKeys: MeshKeys, endpoints: [Endpoint], attributes: Attributes,
    seeds: [Seed], policy: LendPolicy
  ) {
    self.meshName = meshName
    self.meshNonce = meshNonce
    self.meshKeys = meshKeys
    self.endpoints = endpoints
    self.attributes = attributes
    self.seeds = seeds
    self.policy = policy
  }
}

/// Limits of the router itself.
public enum NodeLimits {
  /// Questions of the admin socket that wait for an answer.
  public static let waitingRequestsMax = 4096
  /// Links being dialled at once.
  public static let diallingMax = 64
  /// Bytes of the words of one record, kept in the store beside it.
  public static let recordWordsMax = 64 * 1024
  /// How long an invite's token is good, in seconds.
  public static let inviteSeconds: UInt64 = 24 * 3600
  /// How long `ping` waits for its answer.
  public static let pingWait = Interval.seconds(3)
}
