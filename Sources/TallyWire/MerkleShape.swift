// Owns: how long a proof must be: a function of index and size alone, so that no layout carries a second count.
// Refuses to know: hashing. RFC 9162 sections 2.1.3 and 2.1.4.
import TallyBase

public enum MerkleShape {
  /// Hashes in the inclusion path of leaf `index` in a tree of `size` leaves. `index < size` is the caller's to check.
  public static func pathCount(index: UInt64, size: UInt64) -> Int {
    precondition(index < size, "a path for leaf \(index) of \(size)")
    let inner = innerCount(index: index, size: size)
    return inner + (index >> UInt64(inner)).nonzeroBitCount
  }

  /// Levels on which the path's siblings are inside the tree's last incomplete subtree: below the first common ancestor
  /// of `index` and the last leaf. Above it only left siblings remain, one for each set bit of the index.
  public static func innerCount(index: UInt64, size: UInt64) -> Int {
    UInt64.bitWidth - (index ^ (size - 1)).leadingZeroBitCount
  }
}

extension ByteReader {
  /// `count` hashes.
  mutating func digests(_ count: Int) throws(DecodeError) -> [Digest] {
    guard remaining / 32 >= count else { throw .truncated(needed: count * 32, available: remaining) }
    var result: [Digest] = []
    result.reserveCapacity(count)
    for _ in 0..<count { result.append(try named()) }
    return result
  }
}

extension ByteWriter {
  mutating func digests(_ values: [Digest]) { for value in values { named(value) } }
}
