// Owns: the wire form of a head. Refuses to know: the checkpoint text that is signed (TallyLog/Checkpoint.swift).
import TallyBase

/// ```
/// 0    32  feed
/// 32   8   size, 1 to 2^48
/// 40   32  root
/// 72   64  signature
/// ```
extension Head: WireValue {
  public static let byteCount = 136

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    let feed: FeedID = try reader.named()
    try self.init(ofFeed: feed, reading: &reader)
  }

  public func write(into writer: inout ByteWriter) {
    writer.named(feed)
    writeWithoutFeed(into: &writer)
  }

  /// Where the feed is known from the bytes around it: the last 104 bytes of the table.
  init(ofFeed feed: FeedID, reading reader: inout ByteReader) throws(DecodeError) {
    let size = try reader.u64()
    guard size > 0 else { throw .notCanonical(field: "head size") }
    guard size <= WireLimits.feedEntries else {
      throw .aboveLimit(field: "head size", value: Int(clamping: size), limit: Int(WireLimits.feedEntries))
    }
    self.init(feed: feed, size: size, root: try reader.named(), signature: try reader.signature())
  }

  func writeWithoutFeed(into writer: inout ByteWriter) {
    precondition(size > 0 && size <= WireLimits.feedEntries, "a head of size \(size)")
    writer.u64(size)
    writer.named(root)
    writer.signature(signature)
  }
}
