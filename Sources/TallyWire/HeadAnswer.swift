// Owns: the layout of HEAD (0x3D).
import TallyBase

/// HEAD: `feed 32 · 0`, nothing held, or `feed 32 · 1 · size u64 · root 32 · signature 64`, the newest head held.
public struct HeadAnswer: Hashable, Sendable, WireValue {
  public let feed: FeedID
  public let head: Head?

  /// A head of another feed is our own mistake.
  public init(feed: FeedID, head: Head?) {
    precondition(head == nil || head?.feed == feed, "a head of another feed")
    self.feed = feed
    self.head = head
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    feed = try reader.named()
    head = try reader.flag("head held") ? try Head(ofFeed: feed, reading: &reader) : nil
  }

  public func write(into writer: inout ByteWriter) {
    writer.named(feed)
    writer.flag(head != nil)
    head?.writeWithoutFeed(into: &writer)
  }
}
