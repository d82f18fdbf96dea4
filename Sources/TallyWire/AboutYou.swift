// Owns: ABOUT_YOU: what a host holds of the other end, told at session set-up. DESIGN section 9, restore guard.
import TallyBase

/// All heads this host holds of feeds whose author is the receiver, and the highest number of a node record of it.
///
/// ```
/// 0   8       highest record number: boot epoch; 0 with counter 0 = none known
/// 8   8       highest record number: counter
/// 16  varint  count, 0 to 64
///     count times, by feed, ascending:
///     8       incarnation
///     136     head
/// ```
public struct AboutYou: Hashable, Sendable, WireValue {
  public let recordEpoch: UInt64
  public let recordCounter: UInt64
  public let feeds: [HeldFeed]

  public struct HeldFeed: Hashable, Sendable {
    public let incarnation: UInt64
    public let head: Head

    public init(incarnation: UInt64, head: Head) {
      self.incarnation = incarnation
      self.head = head
    }
  }

  /// Feeds out of order or above the limit are our own mistake.
  public init(recordEpoch: UInt64, recordCounter: UInt64, feeds: [HeldFeed]) {
    precondition(feeds.count <= WireLimits.aboutYouFeeds, "\(feeds.count) feeds of one author")
    for (left, right) in zip(feeds, feeds.dropFirst()) {
      precondition(left.head.feed < right.head.feed, "feeds out of order")
    }
    self.recordEpoch = recordEpoch
    self.recordCounter = recordCounter
    self.feeds = feeds
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    recordEpoch = try reader.u64()
    recordCounter = try reader.u64()
    let count = try reader.count("held feeds", atMost: WireLimits.aboutYouFeeds)
    var feeds: [HeldFeed] = []
    feeds.reserveCapacity(count)
    for _ in 0..<count {
      let feed = HeldFeed(incarnation: try reader.u64(), head: try Head(reading: &reader))
      if let before = feeds.last, !(before.head.feed < feed.head.feed) { throw .notCanonical(field: "held feeds") }
      feeds.append(feed)
    }
    self.feeds = feeds
  }

  public func write(into writer: inout ByteWriter) {
    writer.u64(recordEpoch)
    writer.u64(recordCounter)
    writer.varint(UInt64(feeds.count))
    for feed in feeds {
      writer.u64(feed.incarnation)
      feed.head.write(into: &writer)
    }
  }
}
