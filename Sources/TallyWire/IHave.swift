// Owns: the layout of IHAVE (0x38).
import TallyBase

/// IHAVE: pushes that the sender holds and did not send on this link, in the order in which they came.
///
/// `count varint, 1 to 256 · count × (feed 32 · size varint · root 32)`.
public struct IHave: Hashable, Sendable, WireValue {
  public let items: [Item]

  @frozen
  public struct Item: Hashable, Sendable {
    public let feed: FeedID
    public let size: UInt64
    public let root: Digest

    public init(feed: FeedID, size: UInt64, root: Digest) {
      self.feed = feed
      self.size = size
      self.root = root
    }
  }

  /// No item, or more than the limit, is our own mistake.
  public init(_ items: [Item]) {
    precondition(!items.isEmpty && items.count <= WireLimits.listItems, "IHAVE of \(items.count) items")
    self.items = items
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    let count = try reader.listCount("ihave items")
    var items: [Item] = []
    items.reserveCapacity(count)
    for _ in 0..<count {
      items.append(Item(feed: try reader.named(), size: try reader.feedSize("ihave size"), root: try reader.named()))
    }
    self.items = items
  }

  public func write(into writer: inout ByteWriter) {
    writer.varint(UInt64(items.count))
    for item in items {
      writer.named(item.feed)
      writer.varint(item.size)
      writer.named(item.root)
    }
  }
}
