// Owns: what an operator sees of one rank. Refuses to know: how it is kept.

import TallyBase
import TallyWire

public struct BucketView: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    public let key: PublicKey
    public let id: NodeID
    public let record: NodeRecord
    /// Where our own handshake met it.
    public let endpoint: Endpoint
    public let provenAt: Instant
    public let heardAt: Instant
    /// Ping cycles without an answer since it was last heard.
    public let failures: Int
    public let roundTrip: Interval?
  }

  /// Leading bits that these IDs share with ours: 0 is the farther half of the space.
  public let rank: Int
  public let capacity: Int
  public let entries: [Entry]
  public let replacements: [Entry]
}
