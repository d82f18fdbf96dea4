// Owns: the values that pass between the node and its store: what to make durable, what to read back, what was found
// at the start. Refuses to know: SQLite, files, threads. The daemon's store and the simulator's model both speak this.
import TallyBase
import TallyWire

/// One transaction. Commits are numbered 1, 2, 3 … in the order in which the node made them and become durable in
/// that order; either all of a commit is durable or none of it.
public struct Commit: Sendable {
  public let number: UInt64
  public let operations: [StoreOperation]
  /// The own feed as of this commit: written to the guard file after the transaction and before `.persisted`.
  public let guardMark: GuardMark?

  public init(number: UInt64, operations: [StoreOperation], guardMark: GuardMark?) {
    self.number = number
    self.operations = operations
    self.guardMark = guardMark
  }
}

public enum StoreOperation: Hashable, Sendable {
  /// A feed that is carried from now on. First operation on its feed; repeating it is harmless.
  case feed(FeedRow)
  /// Entries `from ..< from + entries.count` of a feed, contiguous with what is stored, ending at a signed head.
  case entries(feed: FeedID, from: UInt64, entries: [Entry], head: Head)
  /// The one fork proof kept for a feed (the one with the least divergence index), encoded.
  case forkProof(feed: FeedID, index: UInt64, proof: [UInt8])
  /// A host answered that it stores this feed up to `size`: it will be asked after a restart.
  case acknowledged(feed: FeedID, by: PublicKey, size: UInt64)
  /// A small value of one part of the node, that part's own encoding.
  case put(table: StoreTable, key: [UInt8], value: [UInt8])
  case delete(table: StoreTable, key: [UInt8])
}

/// The small tables. Each belongs to one part; nobody else reads it.
public enum StoreTable: UInt8, Hashable, Sendable, CaseIterable {
  /// Net: signed node records, by public key.
  case nodeRecords = 1
  /// Mesh: members and the statements that made them so.
  case members = 2
  /// Node: boot epoch, instance nonce and the like, by name.
  case settings = 3
  /// Exchange: open jobs of this requester (work, salts, terms, attempts), by task.
  case requests = 4
  /// Exchange: leases held by this worker.
  case leases = 5
  /// Exchange: the words beside an entry (work JSON, manifest, salt), by entry ID or work hash.
  case words = 6
  /// Exchange: blobs that must be kept, with the reason.
  case pins = 7
  /// Ledger: own entries that wait unsigned for the restore guard, by number; and what tries a full store.
  case ledger = 8
}

/// What is known of a feed besides its entries.
public struct FeedRow: Hashable, Sendable {
  public let feed: FeedID
  public let author: PublicKey
  public let incarnation: UInt64
  /// Why this host carries the feed; travels with entry 0.
  public let reason: CarryReason

  public init(feed: FeedID, author: PublicKey, incarnation: UInt64, reason: CarryReason) {
    self.feed = feed
    self.author = author
    self.incarnation = incarnation
    self.reason = reason
  }
}

/// The guard file's content: the own feed as far as it was ever made durable.
public struct GuardMark: Hashable, Sendable {
  public let incarnation: UInt64
  public let size: UInt64
  public let root: Digest

  public init(incarnation: UInt64, size: UInt64, root: Digest) {
    self.incarnation = incarnation
    self.size = size
    self.root = root
  }
}

/// Why a commit did not become durable. Nothing of it, and nothing of the commits behind it, is stored.
public enum StoreFault: Error, Hashable, Sendable {
  /// No space, or another program holds the database; the transaction was rolled back cleanly. The store refuses
  /// every commit with this fault until the shell, told by the node that it has dropped them, says `resume`.
  case full(detail: String)
  /// A write or sync failed: what is on disk is unknown. The process must not sign again.
  case broken(detail: String)
}

/// Slow reads, answered on the reader's thread. `id` is the asker's and comes back.
public struct ReadRequest: Hashable, Sendable {
  public enum Question: Hashable, Sendable {
    /// Entries `from ..< to` at most, cut at a kept head: the longest run of ≤ 256 entries and ≤ 60 KiB packed that
    /// starts at `from` and ends at a kept head. When no kept head lies in `from + 1 ... to` (the one that was named
    /// has been merged away), the run ends at the first one behind `to`.
    case range(feed: FeedID, from: UInt64, to: UInt64)
    case entry(feed: FeedID, index: UInt64)
    /// Inclusion path of `index` in the tree of `size`, with the leaf hash.
    case inclusion(feed: FeedID, index: UInt64, size: UInt64)
    case root(feed: FeedID, size: UInt64)
    /// The kept head with the least size ≥ `size`, with entries' inclusion when asked: for receipts.
    case headAtLeast(feed: FeedID, size: UInt64)
    case value(table: StoreTable, key: [UInt8])
  }
  public let id: UInt64
  public let question: Question

  public init(id: UInt64, question: Question) {
    self.id = id
    self.question = question
  }
}

public struct ReadResult: Hashable, Sendable {
  public enum Answer: Hashable, Sendable {
    case range(feed: FeedID, from: UInt64, entries: [Entry], head: Head)
    case entry(feed: FeedID, index: UInt64, entry: Entry)
    case inclusion(feed: FeedID, index: UInt64, size: UInt64, leaf: Digest, path: [Digest])
    case root(feed: FeedID, size: UInt64, root: Digest)
    case head(Head)
    case value([UInt8])
    /// Not held, or beyond what is stored.
    case absent
    case failed(StoreFault)
  }
  public let id: UInt64
  public let answer: Answer

  public init(id: UInt64, answer: Answer) {
    self.id = id
    self.answer = answer
  }
}

/// What the store holds of one feed at the start.
public struct RecoveredFeed: Hashable, Sendable {
  public let row: FeedRow
  /// Peaks of the tree over everything stored, and the newest kept head. A feed with no entries has neither.
  public let frontier: MerkleFrontier
  public let head: Head?
  public let forkIndex: UInt64?
  public let forkProof: [UInt8]?
  /// Hosts known to store this feed, with the size they acknowledged. Sorted by key.
  public let acknowledgements: [Acknowledgement]

  public struct Acknowledgement: Hashable, Sendable {
    public let by: PublicKey
    public let size: UInt64
    public init(by: PublicKey, size: UInt64) {
      self.by = by
      self.size = size
    }
  }

  public init(
    row: FeedRow, frontier: MerkleFrontier, head: Head?, forkIndex: UInt64?, forkProof: [UInt8]?,
    acknowledgements: [Acknowledgement]
  ) {
    self.row = row
    self.frontier = frontier
    self.head = head
    self.forkIndex = forkIndex
    self.forkProof = forkProof
    self.acknowledgements = acknowledgements
  }
}

/// What the guard file says against the database. DESIGN section 9, restore guard.
public enum GuardState: Hashable, Sendable {
  /// No guard file and an empty store: the first start.
  case firstStart
  /// The file equals the store's own feed, or was behind it and a prefix of it (and has been rewritten).
  case settled(GuardMark)
  /// The file is ahead of the store, not a prefix, or missing beside a store that is not empty.
  case rollback(file: GuardMark?)
}

/// Everything the node is told at its start, before the entries are replayed to it.
public struct Recovered: Sendable {
  /// Sorted by feed.
  public let feeds: [RecoveredFeed]
  /// The small tables, each sorted by key.
  public let values: [Value]
  public let guardState: GuardState
  /// False after a crash: caches of what others hold are then not to be believed.
  public let wasClean: Bool
  /// True when this data directory has never been opened before.
  public let isNew: Bool

  public struct Value: Hashable, Sendable {
    public let table: StoreTable
    public let key: [UInt8]
    public let value: [UInt8]
    public init(table: StoreTable, key: [UInt8], value: [UInt8]) {
      self.table = table
      self.key = key
      self.value = value
    }
  }

  public init(feeds: [RecoveredFeed], values: [Value], guardState: GuardState, wasClean: Bool, isNew: Bool) {
    self.feeds = feeds
    self.values = values
    self.guardState = guardState
    self.wasClean = wasClean
    self.isNew = isNew
  }

  public static let empty = Recovered(feeds: [], values: [], guardState: .firstStart, wasClean: true, isNew: true)
}
