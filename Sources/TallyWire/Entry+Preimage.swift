// Owns: the bytes of an entry that are hashed (RFC 6962 leaf input). Refuses to know: hashing, and what a body means.
// DESIGN section 9; the packed form for chunks is in PackedChunk.swift.
import TallyBase

/// ```
/// offset    size  field
/// 0         1     version, 1
/// 1         2     kind
/// 3         8     time, i64: milliseconds since 1970, the author's word
/// 11        1     n, links
/// 12        72 n  links: feed 32, index u64, leaf hash 32
/// 12+72n    2     len
/// 14+72n    len   body
/// ```
/// Little-endian; at most 4,096 bytes in all.
extension Entry: WireValue {
  public static let version: UInt8 = 1
  /// What an entry without links and body takes.
  public static let fixedByteCount = 14

  /// The bytes under the leaf hash.
  public var preimage: [UInt8] {
    var writer = ByteWriter(capacity: preimageCount)
    write(into: &writer)
    return writer.bytes
  }

  /// How many bytes `preimage` has. O(1).
  @inlinable
  public var preimageCount: Int { Self.fixedByteCount + EntryLink.byteCount * links.count + body.count }

  /// Whether the entry may stand in a feed at all. O(1).
  @inlinable
  public var isWithinLimits: Bool { links.count <= WireLimits.entryLinks && preimageCount <= WireLimits.entryBytes }

  /// Takes exactly one preimage.
  public init(preimage: [UInt8]) throws(DecodeError) { try self.init(decoding: preimage) }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    let version = try reader.u8()
    guard version == Self.version else { throw .unknown(field: "entry version", value: Int(version)) }
    let kind = EntryKind(rawValue: try reader.u16())
    let timeMs = try reader.i64()
    let linkCount = Int(try reader.u8())
    try Self.check(linkCount: linkCount, bodyCount: 0)
    var links: [EntryLink] = []
    links.reserveCapacity(linkCount)
    for _ in 0..<linkCount { links.append(try EntryLink(reading: &reader)) }
    let bodyCount = Int(try reader.u16())
    try Self.check(linkCount: linkCount, bodyCount: bodyCount)
    self.init(kind: kind, timeMs: timeMs, links: links, body: try reader.take(bodyCount))
  }

  public func write(into writer: inout ByteWriter) {
    precondition(isWithinLimits, "an entry of \(preimageCount) bytes, \(links.count) links")
    writer.u8(Self.version)
    writer.u16(kind.rawValue)
    writer.i64(timeMs)
    writer.u8(UInt8(links.count))
    for link in links { link.write(into: &writer) }
    writer.counted16(body)
  }

  /// Refuses an entry whose preimage would be above the limit, in whichever form it came.
  static func check(linkCount: Int, bodyCount: Int) throws(DecodeError) {
    let total = fixedByteCount + EntryLink.byteCount * linkCount + bodyCount
    guard total <= WireLimits.entryBytes else {
      throw .aboveLimit(field: "entry bytes", value: total, limit: WireLimits.entryBytes)
    }
  }
}

/// ```
/// 0   32  feed
/// 32  8   index
/// 40  32  leaf hash
/// ```
extension EntryLink: WireValue {
  public static let byteCount = 72

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    self.init(feed: try reader.named(), index: try reader.u64(), leaf: try reader.named())
  }

  public func write(into writer: inout ByteWriter) {
    writer.named(feed)
    writer.u64(index)
    writer.named(leaf)
  }
}
