// Owns: the layout of a fork proof. Refuses to know: whether it holds (TallyLog/ForkProof+Verify.swift).
// DESIGN section 9, "Fork proof".
import TallyBase

/// Two signed heads of one feed and the first entry in which they differ, each with its way to its root.
///
/// ```
/// 0    32   feed
/// 32   104  first head: size u64, root 32, signature 64
/// 136  104  second head
/// 240  8    index f, below both sizes
/// 248  32   leaf hash at f under the first head
/// 280  32   leaf hash at f under the second head
/// 312  32a  inclusion path under the first head; a follows from f and the first size
///      32b  inclusion path under the second head
/// ```
/// The heads stand in the order of (size, root): one proof, one encoding. 1,592 bytes at 2^20 entries.
public struct ForkProof: Hashable, Sendable, WireValue {
  public let first: Side
  public let second: Side
  /// The least index at which the two trees differ.
  public let index: UInt64

  /// What one of the two heads says about the entry at `index`.
  public struct Side: Hashable, Sendable {
    public let head: Head
    public let leaf: Digest
    public let path: [Digest]

    public init(head: Head, leaf: Digest, path: [Digest]) {
      self.head = head
      self.leaf = leaf
      self.path = path
    }
  }

  public var feed: FeedID { first.head.feed }

  /// Puts the sides in order. Nil when the shape is wrong: two feeds, an index not below both sizes, a path of another
  /// length than index and size demand, or twice the same head.
  public init?(_ one: Side, _ other: Side, index: UInt64) {
    guard one.head.feed == other.head.feed else { return nil }
    for side in [one, other] {
      guard index < side.head.size, side.path.count == MerkleShape.pathCount(index: index, size: side.head.size) else {
        return nil
      }
    }
    if Self.isBefore(one.head, other.head) {
      (first, second) = (one, other)
    } else if Self.isBefore(other.head, one.head) {
      (first, second) = (other, one)
    } else {
      return nil
    }
    self.index = index
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    let feed: FeedID = try reader.named()
    let firstHead = try Head(ofFeed: feed, reading: &reader)
    let secondHead = try Head(ofFeed: feed, reading: &reader)
    guard Self.isBefore(firstHead, secondHead) else { throw .notCanonical(field: "fork proof heads") }
    index = try reader.u64()
    guard index < firstHead.size, index < secondHead.size else { throw .notCanonical(field: "fork proof index") }
    let firstLeaf: Digest = try reader.named()
    let secondLeaf: Digest = try reader.named()
    let firstPath = try reader.digests(MerkleShape.pathCount(index: index, size: firstHead.size))
    let secondPath = try reader.digests(MerkleShape.pathCount(index: index, size: secondHead.size))
    first = Side(head: firstHead, leaf: firstLeaf, path: firstPath)
    second = Side(head: secondHead, leaf: secondLeaf, path: secondPath)
  }

  public func write(into writer: inout ByteWriter) {
    writer.named(feed)
    first.head.writeWithoutFeed(into: &writer)
    second.head.writeWithoutFeed(into: &writer)
    writer.u64(index)
    writer.named(first.leaf)
    writer.named(second.leaf)
    writer.digests(first.path)
    writer.digests(second.path)
  }

  private static func isBefore(_ left: Head, _ right: Head) -> Bool {
    left.size != right.size ? left.size < right.size : left.root < right.root
  }
}
