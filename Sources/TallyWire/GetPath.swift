// Owns: the layout of GET_PATH (0x35).
import TallyBase

/// GET_PATH: the leaf hash at `index` and its inclusion path in the tree of `size`.
///
/// `feed 32 · index varint · size varint`, index < size.
public struct GetPath: Hashable, Sendable, WireValue {
  public let feed: FeedID
  public let index: UInt64
  public let size: UInt64

  /// An index not below the size is our own mistake.
  public init(feed: FeedID, index: UInt64, size: UInt64) {
    precondition(index < size && size <= WireLimits.feedEntries, "a path for leaf \(index) of \(size)")
    self.feed = feed
    self.index = index
    self.size = size
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    feed = try reader.named()
    index = try reader.feedNumber("path index")
    size = try reader.feedNumber("path size")
    guard index < size else { throw .notCanonical(field: "path index") }
  }

  public func write(into writer: inout ByteWriter) {
    writer.named(feed)
    writer.varint(index)
    writer.varint(size)
  }
}
