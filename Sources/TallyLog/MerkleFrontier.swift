// Owns: the right edge of an RFC 6962 tree: enough to append and to know the root, in O(log n) memory.
// RFC 6962 section 2.1.
import TallyBase
import TallyCrypto

/// The roots of the complete subtrees that make up a tree of `size` leaves, largest first; one per set bit of `size`.
public struct MerkleFrontier: Hashable, Sendable {
  public private(set) var size: UInt64 = 0
  public private(set) var peaks: [Digest] = []

  public init() {}

  /// Nil unless there is exactly one peak for each set bit of `size`.
  public init?(size: UInt64, peaks: [Digest]) {
    guard peaks.count == size.nonzeroBitCount else { return nil }
    self.size = size
    self.peaks = peaks
  }

  /// The tree over `leaves`.
  public init(leaves: some Sequence<Digest>) {
    for leaf in leaves { append(leaf) }
  }

  /// Adds one leaf hash. Amortised O(1).
  public mutating func append(_ leaf: Digest) {
    precondition(size < UInt64.max, "a tree of 2^64 leaves")
    var hash = leaf
    for _ in 0..<(~size).trailingZeroBitCount { hash = SHA256Hash.node(peaks.removeLast(), hash) }
    peaks.append(hash)
    size += 1
  }

  /// The RFC 6962 root; of the empty tree SHA-256 of nothing. O(log n).
  public var root: Digest {
    guard var root = peaks.last else { return Self.emptyRoot }
    for peak in peaks.dropLast().reversed() { root = SHA256Hash.node(peak, root) }
    return root
  }

  /// Root of the tree without leaves.
  public static let emptyRoot = SHA256Hash.hash([])
}
