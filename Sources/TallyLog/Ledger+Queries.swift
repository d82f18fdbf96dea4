// Owns: read-only answers from memory. Refuses to know: history, which the store's reader has.

import TallyBase
import TallyWire

/// What is known of one feed.
public struct FeedStatus: Hashable, Sendable {
  public let row: FeedRow
  /// The newest kept head; nil while nothing is stored, and for the own feed while it is held back.
  public let head: Head?
  /// Stored entries that count.
  public let size: UInt64
  public let forkIndex: UInt64?
  /// The feed that this one continues, and whether another continues this one.
  public let continues: FeedID?
  public let isContinued: Bool
}

extension Ledger {
  /// What is stored, by feed ascending; the own feed only while its heads may leave. Feeds of which nothing is stored
  /// and no fork is known are left out.
  public var clock: [ClockEntry] {
    if let lines = clockCache.lines { return lines }
    var lines: [ClockEntry] = []
    lines.reserveCapacity(feeds.count)
    for id in feeds.order where mayLeave(id) {
      guard let feed = feeds[id], feed.stored.size > 0 || feed.fork != nil else { continue }
      lines.append(
        ClockEntry(feed: id, size: feed.counted, root: feed.countedRoot, forkIndex: feed.fork?.index))
    }
    return lines
  }

  /// BLAKE2b-256 over the clock: equal exactly for equal clocks.
  public var clockDigest: Digest { clockCache.digest ?? Self.digest(of: clock) }

  /// Feeds by `author`, ascending.
  public func feeds(of author: PublicKey) -> [FeedStatus] { feeds.of(author).compactMap { feed($0) } }

  /// Every carried feed, ascending.
  public var allFeeds: [FeedStatus] { feeds.order.compactMap { feed($0) } }

  public func feed(_ id: FeedID) -> FeedStatus? {
    guard let feed = feeds[id] else { return nil }
    return FeedStatus(
      row: feed.row, head: mayLeave(id) ? feed.head : nil, size: feed.counted, forkIndex: feed.fork?.index,
      continues: feed.continues, isContinued: feeds.isContinued(id, by: feed.row.author))
  }

  public var signing: SigningState {
    if let off = standing.off { return .off(off) }
    return guardian.isSettled ? .on : .held
  }

  /// Hosts that hold the own feed, with the size each acknowledged; by key, ascending.
  public var acknowledgements: [RecoveredFeed.Acknowledgement] {
    guardian.known.keys.sorted().map { .init(by: $0, size: guardian.known[$0] ?? 0) }
  }

  /// The own feed that is being written.
  public var ownFeed: FeedID { own.feed }
  /// Durable and released entries of it.
  public var ownSize: UInt64 { feeds[own.feed]?.stored.size ?? 0 }
  /// The index that the next appended entry gets.
  public var ownNextIndex: UInt64 { own.nextIndex }
  /// The encoded proof kept for a forked feed.
  public func forkProof(_ feed: FeedID) -> [UInt8]? { feeds[feed]?.fork?.proof.encoded }
  /// Bytes of other authors' entries that are checked and wait for the store.
  public var unstoredBytes: Int { store.foreignBytes }
}
