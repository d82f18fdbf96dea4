// Owns: the sizes of the blob tree. RFC 6962 section 2.1.

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
