// Owns: the layouts that move content (messages 0x50 to 0x52). A leaf of 64 KiB travels as two frames.
// Refuses to know: where blobs are kept and who may read them. RFC 6962 section 2.1 for the tree and its paths.
import TallyBase

/// Sizes of the blob tree.
public enum BlobLimits {
  /// Bytes of a leaf; only the last of a blob is shorter.
  public static let leafSize = 64 * 1024
  /// Bytes of a leaf carried by one LEAF message: half a leaf.
  public static let partSize = 32 * 1024
  /// Bytes of a blob: 2^40, so that a path has at most 24 hashes.
  public static let blobSizeMax: UInt64 = 1 << 40
  public static let pathCountMax = 24

  /// Leaves of a blob of `size` bytes. An empty blob has none, and the root of the empty tree is its name.
  public static func leafCount(size: UInt64) -> UInt64 { (size + UInt64(leafSize) - 1) / UInt64(leafSize) }

  /// Bytes of leaf `index` of a blob of `size` bytes; 0 when there is no such leaf.
  public static func leafSize(index: UInt64, size: UInt64) -> Int {
    let (start, overflow) = index.multipliedReportingOverflow(by: UInt64(leafSize))
    guard !overflow, start < size else { return 0 }
    return Int(min(UInt64(leafSize), size - start))
  }
}

/// A blob and its size.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 32 | content ID |
/// | 32 | 8 | size in bytes u64, ≤ 2^40 |
@frozen
public struct BlobReference: Hashable, Sendable {
  public let id: ContentID
  public let size: UInt64

  public init(id: ContentID, size: UInt64) {
    self.id = id
    self.size = size
  }

  public init(from reader: inout ByteReader) throws(DecodeError) {
    id = try reader.named()
    size = try reader.u64()
    guard size <= BlobLimits.blobSizeMax else {
      throw .aboveLimit(field: "blob.size", value: Int(clamping: size), limit: Int(BlobLimits.blobSizeMax))
    }
  }

  public func write(to writer: inout ByteWriter) {
    writer.named(id)
    writer.u64(size)
  }
}

/// Asks for one leaf (0x50), or says that it is not given (0x52).
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 32 | content ID |
/// | 32 | 4 | leaf index u32 |
public struct LeafRequest: Hashable, Sendable {
  public var id: ContentID
  public var leaf: UInt32

  public init(id: ContentID, leaf: UInt32) {
    self.id = id
    self.leaf = leaf
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    id = try reader.named()
    leaf = try reader.u32()
    try reader.finish()
  }

  public func message(_ type: MessageType) -> [UInt8] {
    precondition(type == .getLeaf || type == .noLeaf, "not a leaf request: \(type.rawValue)")
    var writer = ByteWriter(capacity: 37)
    writer.u8(type.rawValue)
    writer.named(id)
    writer.u32(leaf)
    return writer.bytes
  }
}

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
