// Owns: blobs as leaves in memory under real RFC 6962 trees: a leaf that does not fold to its blob's name is refused.
// Refuses to know: files and LZ4.
import TallyBase
import TallyCrypto
import TallyLog
import TallyNode
import TallyWire

struct ModelBlobs: Sendable {
  private struct Blob: Sendable {
    let size: UInt64
    var leaves: [UInt32: [UInt8]] = [:]
    var hashes: [UInt32: Digest] = [:]
    /// Paths as they came, for a blob that is not complete.
    var paths: [UInt32: [Digest]] = [:]
    var isWhole: Bool { UInt64(leaves.count) == BlobLimits.leafCount(size: size) }
  }

  private var blobs: [ContentID: Blob] = [:]

  static func split(_ bytes: [UInt8]) -> [[UInt8]] {
    stride(from: 0, to: bytes.count, by: BlobLimits.leafSize).map {
      Array(bytes[$0..<min($0 + BlobLimits.leafSize, bytes.count)])
    }
  }

  static func reference(of bytes: [UInt8]) -> BlobReference {
    let root = MerkleTree.root(split(bytes).map { SHA256Hash.leaf($0) })
    return BlobReference(id: ContentID(raw: root.raw), size: UInt64(bytes.count))
  }

  /// A whole blob, as a client or a worker puts it.
  mutating func put(_ bytes: [UInt8]) -> BlobReference {
    let reference = Self.reference(of: bytes)
    guard reference.size > 0 else { return reference }
    var blob = Blob(size: reference.size)
    for (index, leaf) in Self.split(bytes).enumerated() {
      blob.leaves[UInt32(index)] = leaf
      blob.hashes[UInt32(index)] = SHA256Hash.leaf(leaf)
    }
    blobs[reference.id] = blob
    return reference
  }

  /// A leaf that came from a peer; false when it does not fit.
  mutating func arrive(_ content: LeafContent, leaf: UInt32) -> Bool {
    let count = BlobLimits.leafCount(size: content.blob.size)
    let hash = SHA256Hash.leaf(content.bytes)
    guard content.bytes.count == BlobLimits.leafSize(index: UInt64(leaf), size: content.blob.size),
      MerkleTree.verifyInclusion(
        leaf: hash, index: UInt64(leaf), size: count, path: content.path, root: Digest(raw: content.blob.id.raw))
    else { return false }
    var blob = blobs[content.blob.id] ?? Blob(size: content.blob.size)
    guard blob.size == content.blob.size else { return false }
    blob.leaves[leaf] = content.bytes
    blob.hashes[leaf] = hash
    blob.paths[leaf] = content.path
    blobs[content.blob.id] = blob
    return true
  }

  func leaf(_ index: UInt32, of id: ContentID) -> LeafContent? {
    guard let blob = blobs[id], let bytes = blob.leaves[index] else { return nil }
    let reference = BlobReference(id: id, size: blob.size)
    if let path = blob.paths[index] { return LeafContent(blob: reference, path: path, bytes: bytes) }
    let count = UInt32(BlobLimits.leafCount(size: blob.size))
    let hashes = (0..<count).compactMap { blob.hashes[$0] }
    guard blob.isWhole else { return nil }
    let path = MerkleTree.inclusionPath(hashes, index: UInt64(index))
    return LeafContent(blob: reference, path: path, bytes: bytes)
  }

  /// All bytes of a blob; nil while leaves are missing.
  func bytes(of blob: BlobReference) -> [UInt8]? {
    if blob.size == 0 { return blob.id == Self.reference(of: []).id ? [] : nil }
    guard let found = blobs[blob.id], found.size == blob.size, found.isWhole else { return nil }
    return (0..<UInt32(found.leaves.count)).reduce(into: []) { $0 += found.leaves[$1] ?? [] }
  }

  func sha256(of blob: BlobReference) -> Digest? { bytes(of: blob).map { SHA256Hash.hash($0) } }
}
