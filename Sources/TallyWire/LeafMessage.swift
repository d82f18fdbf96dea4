// Owns: the layout of LEAF (0x51). A leaf of 64 KiB travels as two frames.
import TallyBase

/// Half a leaf, with the path that proves the whole leaf.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 40 | blob (content ID, size) |
/// | 40 | 4 | leaf index u32 |
/// | 44 | 1 | part: 0 the first 32 KiB, 1 the rest |
/// | 45 | 1 | n, hashes in the path, ≤ 24 |
/// | 46 | 32 n | inclusion path of the leaf |
/// | … | m | the bytes of this part |
public struct LeafMessage: Hashable, Sendable {
  public var blob: BlobReference
  public var leaf: UInt32
  public var part: UInt8
  public var path: [Digest]
  public var bytes: [UInt8]

  public init(blob: BlobReference, leaf: UInt32, part: UInt8, path: [Digest], bytes: [UInt8]) {
    self.blob = blob
    self.leaf = leaf
    self.part = part
    self.path = path
    self.bytes = bytes
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    blob = try BlobReference(from: &reader)
    leaf = try reader.u32()
    part = try reader.u8()
    guard part <= 1 else { throw .notCanonical(field: "leaf.part") }
    let count = Int(try reader.u8())
    guard count <= BlobLimits.pathCountMax else {
      throw .aboveLimit(field: "leaf.path", value: count, limit: BlobLimits.pathCountMax)
    }
    path = []
    for _ in 0..<count { path.append(try reader.named()) }
    let size = BlobLimits.leafSize(index: UInt64(leaf), size: blob.size)
    let expected = part == 0 ? min(size, BlobLimits.partSize) : size - min(size, BlobLimits.partSize)
    guard reader.remaining == expected, part == 0 || expected > 0, blob.size == 0 || size > 0 else {
      throw .notCanonical(field: "leaf.bytes")
    }
    bytes = reader.rest()
  }

  public var message: [UInt8] {
    var writer = ByteWriter(capacity: 48 + 32 * path.count + bytes.count)
    writer.u8(MessageType.leaf.rawValue)
    blob.write(to: &writer)
    writer.u32(leaf)
    writer.u8(part)
    writer.u8(UInt8(path.count))
    for hash in path { writer.named(hash) }
    writer.raw(bytes)
    return writer.bytes
  }

  /// Both parts of a leaf, in order; one part when the leaf is 32 KiB or less.
  public static func parts(blob: BlobReference, leaf: UInt32, path: [Digest], bytes: [UInt8]) -> [LeafMessage] {
    let cut = min(bytes.count, BlobLimits.partSize)
    let first = LeafMessage(blob: blob, leaf: leaf, part: 0, path: path, bytes: Array(bytes[..<cut]))
    if cut == bytes.count { return [first] }
    return [first, LeafMessage(blob: blob, leaf: leaf, part: 1, path: path, bytes: Array(bytes[cut...]))]
  }
}
