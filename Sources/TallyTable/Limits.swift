// Owns: every maximum of the peer table, with its unit and where it comes from.

import TallyBase

public enum TableLimits {
  /// Entries of the farthest ranks (kademlia: short lookups are the best defence), then `capacity`.
  public static let farCapacities = [256, 128, 64, 32]
  /// Entries of every other rank.
  public static let capacity = 16
  public static let rankCount = 256
  /// Proven replacements of a rank.
  public static let replacements = 8
  /// Records heard of and not yet proven.
  public static let unproven = 512
  /// Handshakes under way to prove records.
  public static let proofsUnderWay = 8
  /// Lookups under way.
  public static let lookups = 32
  /// Candidates that one lookup keeps.
  public static let lookupCandidates = 64
  /// FINDs that one lookup sends.
  public static let lookupQuestions = 64
  /// A lookup's hosts in its answer.
  public static let lookupResults = 8
  /// Questions of one lookup in flight whose answer is not overdue (α).
  public static let lookupParallel = 2
  /// FINDs that a peer may ask in a burst, and a second.
  public static let findBurst = 60
  public static let findsPerSecond = 20
  /// Sessions whose endpoint is remembered.
  public static let sessions = 4096

  public static let proofTimeout = Interval.seconds(3)
  public static let questionTimeoutLeast = Interval.milliseconds(50)
  public static let questionTimeoutMost = Interval.milliseconds(800)
  /// Without a measured round trip: includes the handshake.
  public static let questionTimeoutUnknown = Interval.milliseconds(500)
  /// An overdue answer is still taken until then.
  public static let questionGiveUp = Interval.seconds(2)
  public static let lookupTimeout = Interval.seconds(10)

  /// Liveness: the first ping of an entry, doubled by each answer up to the last.
  public static let pingIntervalFirst = Interval.seconds(15)
  public static let pingIntervalLast = Interval.seconds(600)
  public static let pingTries = 3
  /// After a failed cycle, doubled by each up to the last.
  public static let retryFirst = Interval.seconds(5)
  public static let retryLast = Interval.seconds(600)
  /// Failed cycles after which an entry is dead: replaced by a proven replacement, kept unserved without one.
  public static let failuresDead = 3
  /// A dead entry is forgotten after this long.
  public static let deadForgotten = Interval.seconds(24 * 3600)
  /// Between lookups of the own ID.
  public static let refreshInterval = Interval.seconds(900)
  /// Between lookups of a random place in a random rank.
  public static let rankRefreshInterval = Interval.seconds(300)
  /// Verified records that are remembered.
  public static let verifiedRecords = 4096
  /// Raw value of `StoreTable.nodeRecords`.
  public static let storeTable: UInt8 = 1
}
