// Owns: the body of `evidence`. Refuses to know: whether the path leads to the head.
import TallyBase

/// `evidence`: an entry of a forked feed at or above the fork, put into the feed of the host that it favours.
///
/// ```
/// 0    136     head under which the entry stands
/// 136  varint  index, below the head's size
///      2       len, at most 1,024
///      len     the entry's preimage
///      32 each inclusion path; its length follows from index and size
/// ```
public struct EvidenceBody: Hashable, Sendable, WireValue {
  public let head: Head
  public let index: UInt64
  public let entry: Entry
  public let path: [Digest]

  /// A path of the wrong length or too large an entry is our own mistake.
  public init(head: Head, index: UInt64, entry: Entry, path: [Digest]) {
    precondition(index < head.size, "entry \(index) of \(head.size)")
    precondition(path.count == MerkleShape.pathCount(index: index, size: head.size), "a path's length")
    precondition(entry.preimageCount <= WireLimits.evidenceEntryBytes, "evidence of \(entry.preimageCount) bytes")
    self.head = head
    self.index = index
    self.entry = entry
    self.path = path
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    head = try Head(reading: &reader)
    index = try reader.feedNumber("evidence index")
    guard index < head.size else { throw .notCanonical(field: "evidence index") }
    let count = Int(try reader.u16())
    guard count <= WireLimits.evidenceEntryBytes else {
      throw .aboveLimit(field: "evidence entry", value: count, limit: WireLimits.evidenceEntryBytes)
    }
    entry = try Entry(preimage: try reader.take(count))
    path = try reader.digests(MerkleShape.pathCount(index: index, size: head.size))
  }

  public func write(into writer: inout ByteWriter) {
    head.write(into: &writer)
    writer.varint(index)
    writer.counted16(entry.preimage)
    writer.digests(path)
  }
}
