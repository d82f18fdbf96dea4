// Owns: every limit of the store, with its unit. A test hits each on purpose.

public enum StoreLimits {
  /// How often the directory's lock is tried, 10 ms apart, before it is said to be somebody else's.
  public static let lockTries = 20
  /// Entries in one chunk, and between two kept heads. DESIGN section 9.
  public static let chunkEntries = 256
  /// Bytes of leaf preimages in one chunk, and between two kept heads; the packed form is never longer than this.
  public static let chunkBytes = 60 * 1024
  /// A commit with at least this many entries becomes a chunk at once, without passing through the tail.
  public static let directEntries = 128
  /// A commit with at least this many bytes of preimages becomes a chunk at once.
  public static let directBytes = 30 * 1024
  /// Estimated bytes of the commits that share one transaction and its sync; one commit may be longer by itself.
  public static let transactionBytes = 2 * 1024 * 1024
  /// Pages (16 KiB) in the write-ahead log before a checkpoint is tried.
  public static let walPages = 256
  /// Pages in the write-ahead log before a checkpoint waits for the reader and starts the log again.
  public static let walPagesHard = 1024
  /// Feeds whose state the writer keeps in memory.
  public static let cachedFeeds = 4096
  /// Feeds in one store: 24 bits of a row key.
  public static let feeds = 1 << 24
  /// Entries in one feed: 39 bits of a row key.
  public static let feedSize: UInt64 = 1 << 39
  /// Bytes of page cache for each of the two connections.
  public static let pageCacheBytes = 1024 * 1024
  /// Bytes SQLite tries to keep its heap below, all connections together.
  public static let heapBytes: Int64 = 4 * 1024 * 1024
  /// Milliseconds to wait for a foreign program that holds the database.
  public static let busyMs: Int32 = 2000
  /// Bytes of one small value.
  public static let valueBytes = 1024 * 1024
}

/// What a host keeps of blobs; the sizes of the blob tree itself are `BlobLimits` of TallyWire.
public enum BlobStoreLimits {
  /// Leaves of one blob: 16 GiB.
  public static let leaves: UInt64 = 1 << 18
  /// Uploads open at one time.
  public static let stagings = 64
  /// Blobs that are being fetched at one time and kept open in memory.
  public static let partials = 256
  /// Leaves whose places and hashes are kept in memory for serving, all blobs together (about 110 B each).
  public static let cachedLeaves = 1 << 15
  /// Blobs held, complete and partial; also the most pins.
  public static let blobs = 1 << 20
  /// Bytes that one `read` may put into memory.
  public static let readBytes = 64 * 1024 * 1024
}
