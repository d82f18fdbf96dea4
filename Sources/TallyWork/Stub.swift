import TallyBase
import TallyWire
/// One entry with the proof that it stands in a feed, as a receipt carries it.
public struct ProvenEntry: Hashable, Sendable {
  public let author: PublicKey
  public let incarnation: UInt64
  public let index: UInt64
  public let entry: Entry
  public let path: [Digest]
  public let head: Head
}
