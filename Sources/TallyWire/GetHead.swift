// Owns: the layout of GET_HEAD (0x3C).
import TallyBase

/// GET_HEAD: `feed 32`. Answered by HEAD.
public struct GetHead: Hashable, Sendable, WireValue {
  public let feed: FeedID
  public init(feed: FeedID) { self.feed = feed }
  public init(reading reader: inout ByteReader) throws(DecodeError) { feed = try reader.named() }
  public func write(into writer: inout ByteWriter) { writer.named(feed) }
}
