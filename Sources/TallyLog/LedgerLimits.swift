// Owns: every limit of the ledger state machine, by name. A test hits each on purpose.

import TallyBase

public enum LedgerLimits {
  // Own feed.
  /// Entries of one own commit (DESIGN section 9).
  public static let commitEntries = 256
  /// Bytes of one own commit, counted as preimages: an upper bound of their packed form but for the feed table.
  public static let commitBytes = 48 * 1024
  /// Own entries that wait to be sealed, and their preimage bytes.
  public static let openEntries = 4096
  public static let openBytes = 2 * 1024 * 1024
  /// First and longest wait before a full store is tried again.
  public static let probeFirst = Interval.seconds(1)
  public static let probeLongest = Interval.seconds(30)
  /// Bytes that a probe commit writes: as much as a whole own commit needs.
  public static let probeBytes = 64 * 1024

  // Restore guard.
  /// After this one answer of a host that acknowledged the feed is enough.
  public static let guardQuick = Interval.seconds(2)
  /// After this any member's answer is enough.
  public static let guardSlow = Interval.seconds(60)
  /// Hosts remembered as having acknowledged the own feed.
  public static let acknowledgers = 1024

  // Foreign feeds.
  /// Feeds carried by one author, over all incarnations; and not continued by another.
  public static let feedsPerAuthor = 64
  public static let liveFeedsPerAuthor = 4
  /// Feeds carried in all (the goal of full replication is 1,000 hosts).
  public static let feeds = 16_384
  /// Feed identifiers remembered because an entry named them.
  public static let namedFeeds = 65_536
  /// Entries and packed bytes of one range on the wire.
  public static let rangeEntries = 256
  public static let rangeBytes = 60 * 1024
  /// Ranges that wait behind the one being checked, per feed.
  public static let queuedPerFeed = 8
  /// Checks under way in all, and ranges queued in all.
  public static let checks = 64
  public static let queuedRanges = 512
  /// Bytes of foreign entries that wait for the store; above, pushes are pulled later.
  public static let unstoredBytes = 4 * 1024 * 1024

  // Requests.
  public static let requestsPerPeer = 8
  public static let requests = 64
  /// Peers remembered as having more of one feed.
  public static let sourcesPerFeed = 4
  public static let requestTimeout = Interval.seconds(5)

  // Serving.
  /// Reads under way for one peer (twice what it may ask for in ranges), and in all.
  public static let readsPerPeer = 16
  public static let reads = 256

  // Clock.
  public static let clockPeriod = Interval.seconds(10)
  /// A full clock goes to one peer at most this often.
  public static let clockPause = Interval.milliseconds(500)
  /// Heads in one ABOUT_YOU.
  public static let aboutYouHeads = 64

  // Forks.
  public static let forkSearches = 16
  /// Steps of one search: twice the depth of a tree of 2^40 entries.
  public static let forkSteps = 80
  public static let forkTimeout = Interval.seconds(10)
  /// A head without a path is forgotten after this.
  public static let withheldFor = Interval.seconds(600)
  public static let withheldHeads = 256
}
