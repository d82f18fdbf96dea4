// Owns: the layout of GET_RANGE (0x33).
import TallyBase

/// GET_RANGE: entries `from ..< to`, as many as fit one RANGE. Answered by RANGE, or by HEAD when nothing of it is
/// held.
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
