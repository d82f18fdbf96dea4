// Owns: the packed form of a run of entries, on disk and on the wire. Refuses to know: where in a feed the run stands.
// DESIGN section 9. Leaf hashes of links stay explicit: a receiver without the target can still recompute the root.
import TallyBase

/// ```
/// varint        count, 1 to 256
/// count times:
///   varint      kind
///   varint      time: zigzag of the difference to the entry before (the first: to 0), modulo 2^64
///   varint      n, links
///   n times:
///     varint    t, the feed as an index into the chunk's table; 0 ≤ t ≤ feeds so far
///     32        feed, only when t = feeds so far: it joins the table (and must not be in it yet)
///     varint    index
///     32        leaf hash
///   varint      len
///   len         body
/// ```
/// The table is in order of first use, so equal entries give equal bytes. At most 61,440 bytes.
public enum PackedChunk {
  /// Encodes 1 to 256 entries whose packed form is within `WireLimits.chunkBytes`; others are our own mistake.
  public static func encode(_ entries: [Entry]) -> [UInt8] {
    var builder = PackedChunkBuilder()
    for entry in entries {
      let fits = builder.append(entry)
      precondition(fits, "a chunk of more than \(builder.count) entries or \(builder.byteCount) bytes")
    }
    return builder.finish()
  }

  /// Takes exactly one chunk.
  public static func decode(_ bytes: [UInt8]) throws(DecodeError) -> [Entry] {
    var reader = ByteReader(bytes)
    let entries = try read(&reader)
    try reader.finish()
    return entries
  }

  /// Reads a chunk and leaves the cursor behind it.
  public static func read(_ reader: inout ByteReader) throws(DecodeError) -> [Entry] {
    let start = reader.offset
    let count = try reader.count("chunk entries", atMost: WireLimits.chunkEntries)
    guard count > 0 else { throw .notCanonical(field: "chunk entries") }
    var table = FeedTable()
    var entries: [Entry] = []
    entries.reserveCapacity(count)
    var time: Int64 = 0
    for _ in 0..<count {
      entries.append(try readEntry(&reader, &table, &time))
      let used = reader.offset - start
      guard used <= WireLimits.chunkBytes else {
        throw .aboveLimit(field: "chunk bytes", value: used, limit: WireLimits.chunkBytes)
      }
    }
    return entries
  }

  private static func readEntry(
    _ reader: inout ByteReader, _ table: inout FeedTable, _ time: inout Int64
  ) throws(DecodeError) -> Entry {
    let kind = EntryKind(rawValue: UInt16(try reader.count("entry kind", atMost: Int(UInt16.max))))
    time = time &+ unzigzag(try reader.varint("entry time"))
    let linkCount = try reader.count("entry links", atMost: WireLimits.entryLinks)
    var links: [EntryLink] = []
    links.reserveCapacity(linkCount)
    for _ in 0..<linkCount {
      let feed = try table.read(&reader)
      links.append(EntryLink(feed: feed, index: try reader.varint("link index"), leaf: try reader.named()))
    }
    let bodyCount = try reader.count("entry body", atMost: WireLimits.entryBytes)
    try Entry.check(linkCount: linkCount, bodyCount: bodyCount)
    return Entry(kind: kind, timeMs: time, links: links, body: try reader.take(bodyCount))
  }

  static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value << 1) ^ (value >> 63)) }
  static func unzigzag(_ value: UInt64) -> Int64 { Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
}

/// The feeds of a chunk being read, in order of first use.
private struct FeedTable {
  private var feeds: [FeedID] = []
  /// Only asked for membership: a feed that comes twice would be a second encoding.
  private var known: Set<FeedID> = []

  mutating func read(_ reader: inout ByteReader) throws(DecodeError) -> FeedID {
    let index = try reader.varint("link feed")
    if index < UInt64(feeds.count) { return feeds[Int(index)] }
    guard index == UInt64(feeds.count) else { throw .notCanonical(field: "link feed") }
    let feed: FeedID = try reader.named()
    guard known.insert(feed).inserted else { throw .notCanonical(field: "link feed") }
    feeds.append(feed)
    return feed
  }
}

/// Packs entries one by one, so that a caller who does not know how many fit can ask.
public struct PackedChunkBuilder: Sendable {
  public private(set) var count = 0
  private var writer: ByteWriter
  private var places: [FeedID: UInt64] = [:]
  private var time: Int64 = 0

  public init() { writer = ByteWriter(capacity: 4096) }

  /// Bytes of the chunk as it stands.
  public var byteCount: Int { writer.count + Self.varintCount(UInt64(count)) }

  /// Appends the entry; false, with nothing changed, when the chunk would be above a limit. An entry above its own
  /// limit is our own mistake and traps.
  public mutating func append(_ entry: Entry) -> Bool {
    precondition(entry.isWithinLimits, "an entry of \(entry.preimageCount) bytes, \(entry.links.count) links")
    guard count < WireLimits.chunkEntries else { return false }
    // An upper bound first: a copy to fall back to is made only near the end of a chunk.
    let bound = byteCount + 1 + entry.preimageCount * 2
    if bound <= WireLimits.chunkBytes {
      write(entry)
      return true
    }
    var attempt = self
    attempt.write(entry)
    guard attempt.byteCount <= WireLimits.chunkBytes else { return false }
    self = attempt
    return true
  }

  /// The chunk. With no entry in it there is none: our own mistake.
  public func finish() -> [UInt8] {
    precondition(count > 0, "an empty chunk")
    var result = ByteWriter(capacity: byteCount)
    result.varint(UInt64(count))
    result.raw(writer.bytes)
    return result.bytes
  }

  private mutating func write(_ entry: Entry) {
    writer.varint(UInt64(entry.kind.rawValue))
    writer.varint(PackedChunk.zigzag(entry.timeMs &- time))
    writer.varint(UInt64(entry.links.count))
    for link in entry.links {
      if let place = places[link.feed] {
        writer.varint(place)
      } else {
        let place = UInt64(places.count)
        places[link.feed] = place
        writer.varint(place)
        writer.named(link.feed)
      }
      writer.varint(link.index)
      writer.named(link.leaf)
    }
    writer.varint(UInt64(entry.body.count))
    writer.raw(entry.body)
    time = entry.timeMs
    count += 1
  }

  private static func varintCount(_ value: UInt64) -> Int { value < 0x80 ? 1 : 2 }
}
