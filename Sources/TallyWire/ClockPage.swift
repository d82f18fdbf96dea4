// Owns: CLOCK: one page of a host's full vector clock (reconciliation level L3). DESIGN section 9.
import TallyBase

/// One feed in a vector clock. A hint: only the signed head is believed.
@frozen
public struct ClockEntry: Hashable, Sendable {
  public let feed: FeedID
  /// 0 only for a feed forked at its first entry.
  public let size: UInt64
  /// RFC 6962 root at `size`.
  public let root: Digest
  /// The least index of a fork that this host holds proof of.
  public let forkIndex: UInt64?

  public init(feed: FeedID, size: UInt64, root: Digest, forkIndex: UInt64?) {
    self.feed = feed
    self.size = size
    self.root = root
    self.forkIndex = forkIndex
  }
}

/// The part of a clock behind `cursor`: every feed above `cursor` up to the last one listed, or to the end when
/// `isLast`. A feed in that part that is not listed is not held by the sender.
///
/// ```
/// 0   32      cursor: the last feed of the page before, zero on the first
/// 32  1       1 when no page follows, else 0
/// 33  varint  count, 0 to 512; 0 only on the last page
///     count times, by feed, ascending, above cursor:
///     32      feed
///     varint  size
///     32      root
///     varint  fork index + 1; 0 = not forked
/// ```
public struct ClockPage: Hashable, Sendable, WireValue {
  public let cursor: FeedID
  public let isLast: Bool
  public let entries: [ClockEntry]

  /// Entries out of order, above the limit, or none on a page that is not the last are our own mistake.
  public init(cursor: FeedID, isLast: Bool, entries: [ClockEntry]) {
    precondition(entries.count <= WireLimits.clockPageFeeds, "a page of \(entries.count) feeds")
    precondition(isLast || !entries.isEmpty, "an empty page that is not the last")
    var before = cursor
    for entry in entries {
      precondition(before < entry.feed, "feeds of a page out of order")
      precondition(entry.size > 0 || entry.forkIndex != nil, "a feed of size 0 in a clock")
      before = entry.feed
    }
    self.cursor = cursor
    self.isLast = isLast
    self.entries = entries
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    cursor = try reader.named()
    isLast = try reader.flag("clock last")
    let count = try reader.count("clock feeds", atMost: WireLimits.clockPageFeeds)
    guard isLast || count > 0 else { throw .notCanonical(field: "clock feeds") }
    var entries: [ClockEntry] = []
    entries.reserveCapacity(count)
    var before = cursor
    for _ in 0..<count {
      let feed: FeedID = try reader.named()
      guard before < feed else { throw .notCanonical(field: "clock order") }
      before = feed
      let size = try reader.feedNumber("clock size")
      let root: Digest = try reader.named()
      let fork = try reader.feedNumber("clock fork")
      guard size > 0 || fork > 0 else { throw .notCanonical(field: "clock size") }
      entries.append(ClockEntry(feed: feed, size: size, root: root, forkIndex: fork == 0 ? nil : fork - 1))
    }
    self.entries = entries
  }

  public func write(into writer: inout ByteWriter) {
    writer.named(cursor)
    writer.flag(isLast)
    writer.varint(UInt64(entries.count))
    for entry in entries {
      writer.named(entry.feed)
      writer.varint(entry.size)
      writer.named(entry.root)
      writer.varint(entry.forkIndex.map { $0 + 1 } ?? 0)
    }
  }

  /// Cuts a whole clock into pages. `clock` is in ascending order of feeds; an empty one gives one empty page.
  public static func pages(of clock: [ClockEntry]) -> [ClockPage] {
    var pages: [ClockPage] = []
    var cursor = FeedID.zero
    var start = 0
    repeat {
      let end = min(clock.count, start + WireLimits.clockPageFeeds)
      let entries = Array(clock[start..<end])
      pages.append(ClockPage(cursor: cursor, isLast: end == clock.count, entries: entries))
      cursor = entries.last?.feed ?? cursor
      start = end
    } while start < clock.count
    return pages
  }
}
