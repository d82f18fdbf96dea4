// Owns: the layout of STORED (0x3B).
import TallyBase

/// STORED: the sender holds these feeds durably up to these sizes. Sent to the feeds' authors, after `.persisted` only.
///
/// `count varint, 1 to 256 · count × (feed 32 · size varint)`.
public struct Stored: Hashable, Sendable, WireValue {
  public let items: [Item]

  @frozen
  public struct Item: Hashable, Sendable {
    public let feed: FeedID
    public let size: UInt64

    public init(feed: FeedID, size: UInt64) {
      self.feed = feed
      self.size = size
    }
  }

  /// No item, or more than the limit, is our own mistake.
  public init(_ items: [Item]) {
    precondition(!items.isEmpty && items.count <= WireLimits.listItems, "STORED of \(items.count) items")
    self.items = items
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    let count = try reader.listCount("stored items")
    var items: [Item] = []
    items.reserveCapacity(count)
    for _ in 0..<count { items.append(Item(feed: try reader.named(), size: try reader.feedSize("stored size"))) }
    self.items = items
  }

  public func write(into writer: inout ByteWriter) {
    writer.varint(UInt64(items.count))
    for item in items {
      writer.named(item.feed)
      writer.varint(item.size)
    }
  }
}
