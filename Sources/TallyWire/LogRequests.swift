// Owns: the small messages of the log: questions about a feed and their answers, and what one host tells it holds.
import TallyBase

/// GET_RANGE: entries `from ..< to`, as many as fit one RANGE. Answered by RANGE, or by HEAD when nothing of it is held.
///
/// `feed 32 · from varint · to varint`, from < to.
public struct GetRange: Hashable, Sendable, WireValue {
  public let feed: FeedID
  public let from: UInt64
  public let to: UInt64

  /// An empty range is our own mistake.
  public init(feed: FeedID, from: UInt64, to: UInt64) {
    precondition(from < to && to <= WireLimits.feedEntries, "a range from \(from) to \(to)")
    self.feed = feed
    self.from = from
    self.to = to
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    feed = try reader.named()
    from = try reader.feedNumber("range from")
    to = try reader.feedNumber("range to")
    guard from < to else { throw .notCanonical(field: "range to") }
  }

  public func write(into writer: inout ByteWriter) {
    writer.named(feed)
    writer.varint(from)
    writer.varint(to)
  }
}

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

/// PATH: the answer. The count of hashes follows from index and size.
///
/// `feed 32 · index varint · size varint · leaf 32 · path 32 each`.
public struct PathAnswer: Hashable, Sendable, WireValue {
  public let question: GetPath
  public let leaf: Digest
  public let path: [Digest]

  /// A path of the wrong length is our own mistake.
  public init(_ question: GetPath, leaf: Digest, path: [Digest]) {
    precondition(path.count == MerkleShape.pathCount(index: question.index, size: question.size), "a path's length")
    self.question = question
    self.leaf = leaf
    self.path = path
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    question = try GetPath(reading: &reader)
    leaf = try reader.named()
    path = try reader.digests(MerkleShape.pathCount(index: question.index, size: question.size))
  }

  public func write(into writer: inout ByteWriter) {
    question.write(into: &writer)
    writer.named(leaf)
    writer.digests(path)
  }
}

/// FORK_PROOF: the proof and whose feed it is, so that a host that never carried the feed can check it.
///
/// `author 32 · incarnation u64 · proof`.
public struct ForkNotice: Hashable, Sendable, WireValue {
  public let author: PublicKey
  public let incarnation: UInt64
  public let proof: ForkProof

  public init(author: PublicKey, incarnation: UInt64, proof: ForkProof) {
    self.author = author
    self.incarnation = incarnation
    self.proof = proof
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    author = try reader.named()
    incarnation = try reader.u64()
    proof = try ForkProof(reading: &reader)
  }

  public func write(into writer: inout ByteWriter) {
    writer.named(author)
    writer.u64(incarnation)
    proof.write(into: &writer)
  }
}

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

/// GET_HEAD: `feed 32`. Answered by HEAD.
public struct GetHead: Hashable, Sendable, WireValue {
  public let feed: FeedID
  public init(feed: FeedID) { self.feed = feed }
  public init(reading reader: inout ByteReader) throws(DecodeError) { feed = try reader.named() }
  public func write(into writer: inout ByteWriter) { writer.named(feed) }
}

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

extension ByteReader {
  fileprivate mutating func listCount(_ field: StaticStringName) throws(DecodeError) -> Int {
    let count = try count(field, atMost: WireLimits.listItems)
    guard count > 0 else { throw .notCanonical(field: field) }
    return count
  }

  fileprivate mutating func feedSize(_ field: StaticStringName) throws(DecodeError) -> UInt64 {
    let size = try feedNumber(field)
    guard size > 0 else { throw .notCanonical(field: field) }
    return size
  }
}
