// Owns: PUSH and RANGE: one head and the entries up to it.
// Refuses to know: whether they recompute (TallyLog/RangeCheck.swift).
import TallyBase

/// The entries `from ..< head.size` of a feed, ending at a signed head.
///
/// ```
/// 0    136     head
/// 136  varint  from, below the head's size
///      41      introduction, only when from = 0
///      rest    packed chunk of exactly size − from entries
/// ```
/// At most 61,618 bytes.
public struct Push: Hashable, Sendable, WireValue {
  public let head: Head
  public let from: UInt64
  /// There exactly when `from` is 0.
  public let introduction: FeedIntroduction?
  public let entries: [Entry]

  public var feed: FeedID { head.feed }

  /// Entries that do not end at the head, or an introduction in the wrong place, are our own mistake.
  public init(head: Head, from: UInt64, introduction: FeedIntroduction?, entries: [Entry]) {
    precondition(from < head.size && head.size - from == UInt64(entries.count), "a push that misses its head")
    precondition((introduction != nil) == (from == 0), "an introduction goes with entry 0 and only there")
    self.head = head
    self.from = from
    self.introduction = introduction
    self.entries = entries
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    head = try Head(reading: &reader)
    from = try reader.feedNumber("push from")
    guard from < head.size else { throw .notCanonical(field: "push from") }
    introduction = from == 0 ? try FeedIntroduction(reading: &reader) : nil
    entries = try PackedChunk.read(&reader)
    guard head.size - from == UInt64(entries.count) else { throw .notCanonical(field: "push entries") }
  }

  public func write(into writer: inout ByteWriter) {
    head.write(into: &writer)
    writer.varint(from)
    introduction?.write(into: &writer)
    writer.raw(PackedChunk.encode(entries))
  }
}
