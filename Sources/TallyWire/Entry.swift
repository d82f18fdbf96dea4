// Owns: the fields of an entry and of a reference to one. The byte layouts (leaf preimage, packed chunk) are beside it.

public import TallyBase

/// Names one entry of another feed together with its content, so that a receiver without the target can still check.
@frozen
public struct EntryLink: Hashable, Sendable {
  public let feed: FeedID
  public let index: UInt64
  /// RFC 6962 leaf hash of the target.
  public let leaf: Digest

  public init(feed: FeedID, index: UInt64, leaf: Digest) {
    self.feed = feed
    self.index = index
    self.leaf = leaf
  }
}

/// One signed statement in a feed, without its place there.
@frozen
public struct Entry: Hashable, Sendable {
  public let kind: EntryKind
  /// The author's wall clock in milliseconds since 1970: shown, never trusted, never an order.
  public let timeMs: Int64
  public let links: [EntryLink]
  public let body: [UInt8]

  public init(kind: EntryKind, timeMs: Int64, links: [EntryLink], body: [UInt8]) {
    self.kind = kind
    self.timeMs = timeMs
    self.links = links
    self.body = body
  }
}

/// A feed's signed checkpoint: 136 bytes on the wire.
@frozen
public struct Head: Hashable, Sendable {
  public let feed: FeedID
  /// How many entries the feed has; the last has index `size - 1`.
  public let size: UInt64
  /// RFC 6962 root over the leaves `0..<size`.
  public let root: Digest
  /// The author's, over the text of the C2SP checkpoint.
  public let signature: Signature

  public init(feed: FeedID, size: UInt64, root: Digest, signature: Signature) {
    self.feed = feed
    self.size = size
    self.root = root
    self.signature = signature
  }
}
