// Owns: the body of `begin`. Refuses to know: what follows from it.
import TallyBase

/// `begin`, entry 0 of every feed.
///
/// ```
/// 0   32  author
/// 32  8   incarnation
/// 40  32  recovery commitment; zero = none
/// 72  1   1 when the feed continues another, else 0
/// 73  32  predecessor feed            (only when 1)
/// 105 8   size of its last known head; 0 = none known
/// 113 32  root of its last known head; zero when the size is 0
/// ```
public struct BeginBody: Hashable, Sendable, WireValue {
  public let author: PublicKey
  public let incarnation: UInt64
  public let recovery: Bytes32
  public let continues: Predecessor?

  @frozen
  public struct Predecessor: Hashable, Sendable {
    public let feed: FeedID
    public let size: UInt64
    public let root: Digest

    public init(feed: FeedID, size: UInt64, root: Digest) {
      self.feed = feed
      self.size = size
      self.root = root
    }
  }

  public init(author: PublicKey, incarnation: UInt64, recovery: Bytes32, continues: Predecessor?) {
    if let continues {
      precondition(continues.size <= WireLimits.feedEntries, "a predecessor of size \(continues.size)")
      precondition(continues.size > 0 || continues.root == .zero, "a root without a size")
    }
    self.author = author
    self.incarnation = incarnation
    self.recovery = recovery
    self.continues = continues
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    author = try reader.named()
    incarnation = try reader.u64()
    recovery = try reader.bytes32()
    guard try reader.flag("begin continues") else {
      continues = nil
      return
    }
    let before = Predecessor(feed: try reader.named(), size: try reader.u64(), root: try reader.named())
    guard before.size <= WireLimits.feedEntries else {
      throw .aboveLimit(
        field: "begin size", value: Int(clamping: before.size), limit: Int(WireLimits.feedEntries))
    }
    guard before.size > 0 || before.root == .zero else { throw .notCanonical(field: "begin root") }
    continues = before
  }

  public func write(into writer: inout ByteWriter) {
    writer.named(author)
    writer.u64(incarnation)
    writer.bytes32(recovery)
    writer.flag(continues != nil)
    guard let continues else { return }
    writer.named(continues.feed)
    writer.u64(continues.size)
    writer.named(continues.root)
  }
}
