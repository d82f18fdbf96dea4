// Owns: what the methods about feeds, entries, proofs and records answer. Fields are only ever added.

public struct FeedRowResult: Codable, Sendable {
  public var feed: String
  public var author: String
  public var name: String
  public var incarnation: String
  public var size: UInt64
  public var root: String
  public var forkIndex: UInt64?
  public var reason: String
  public var own: Bool
  public var continued: Bool
  public init(
    feed: String, author: String, name: String, incarnation: String, size: UInt64, root: String,
    forkIndex: UInt64? = nil, reason: String, own: Bool, continued: Bool
  ) {
    self.feed = feed
    self.author = author
    self.name = name
    self.incarnation = incarnation
    self.size = size
    self.root = root
    self.forkIndex = forkIndex
    self.reason = reason
    self.own = own
    self.continued = continued
  }
}

public struct LedgerResult: Codable, Sendable {
  public var clockDigest: String
  public var stateDigest: String
  public var entries: UInt64
  public var feeds: [FeedRowResult]
  public init(clockDigest: String, stateDigest: String, entries: UInt64, feeds: [FeedRowResult]) {
    self.clockDigest = clockDigest
    self.stateDigest = stateDigest
    self.entries = entries
    self.feeds = feeds
  }
}

public struct EntryRow: Codable, Sendable {
  public var id: String
  public var index: UInt64
  public var kind: String
  public var timeMs: Int64
  public var leaf: String
  public var links: [String]
  public var preimage: Base64Bytes
  public init(
    id: String, index: UInt64, kind: String, timeMs: Int64, leaf: String, links: [String], preimage: Base64Bytes
  ) {
    self.id = id
    self.index = index
    self.kind = kind
    self.timeMs = timeMs
    self.leaf = leaf
    self.links = links
    self.preimage = preimage
  }
}

public struct EntriesResult: Codable, Sendable {
  public var feed: String
  public var size: UInt64
  public var entries: [EntryRow]
  public init(feed: String, size: UInt64, entries: [EntryRow]) {
    self.feed = feed
    self.size = size
    self.entries = entries
  }
}

/// Everything a stranger needs to check one entry by himself: its bytes, its path, and a signed head.
public struct ProofResult: Codable, Sendable {
  public var feed: String
  public var author: String
  public var incarnation: String
  public var index: UInt64
  public var size: UInt64
  public var preimage: Base64Bytes
  public var path: [String]
  public var root: String
  public var signature: Base64Bytes
  /// The C2SP signed note of that head.
  public var note: String
  public init(
    feed: String, author: String, incarnation: String, index: UInt64, size: UInt64, preimage: Base64Bytes,
    path: [String], root: String, signature: Base64Bytes, note: String
  ) {
    self.feed = feed
    self.author = author
    self.incarnation = incarnation
    self.index = index
    self.size = size
    self.preimage = preimage
    self.path = path
    self.root = root
    self.signature = signature
    self.note = note
  }
}

public struct CheckpointResult: Codable, Sendable {
  public var feed: String
  public var size: UInt64
  public var note: String
  /// The C2SP verifier key for it.
  public var vkey: String
  public init(feed: String, size: UInt64, note: String, vkey: String) {
    self.feed = feed
    self.size = size
    self.note = note
    self.vkey = vkey
  }
}

public struct ClockResult: Codable, Sendable {
  public struct Line: Codable, Sendable {
    public var feed: String
    public var name: String
    public var size: UInt64
    public var root: String
    public var forkIndex: UInt64?
    public init(feed: String, name: String, size: UInt64, root: String, forkIndex: UInt64?) {
      self.feed = feed
      self.name = name
      self.size = size
      self.root = root
      self.forkIndex = forkIndex
    }
  }
  public var digest: String
  public var lines: [Line]
  public init(digest: String, lines: [Line]) {
    self.digest = digest
    self.lines = lines
  }
}

public struct RecordResult: Codable, Sendable {
  public var id: String
  public var feed: String
  public var index: UInt64
  public var durable: Bool
  public var released: Bool
  public init(id: String, feed: String, index: UInt64, durable: Bool, released: Bool) {
    self.id = id
    self.feed = feed
    self.index = index
    self.durable = durable
    self.released = released
  }
}

public struct RecordRow: Codable, Sendable {
  public var id: String
  public var author: String
  public var timeMs: Int64
  public var feed: String
  public var index: UInt64
  public init(id: String, author: String, timeMs: Int64, feed: String, index: UInt64) {
    self.id = id
    self.author = author
    self.timeMs = timeMs
    self.feed = feed
    self.index = index
  }
}

public struct RecordsResult: Codable, Sendable {
  public var records: [RecordRow]
  public init(records: [RecordRow]) { self.records = records }
}
