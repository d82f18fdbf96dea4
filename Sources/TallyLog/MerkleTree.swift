// Owns: inclusion and consistency proofs of RFC 6962 trees, made from leaf hashes or subtree roots, and verified.
// Refuses to know: where leaves are kept. RFC 9162 sections 2.1.3 and 2.1.4 (the same trees as RFC 6962).
import TallyBase
import TallyCrypto
import TallyWire

public enum MerkleTree {
  /// Root over leaf hashes. O(n).
  public static func root(_ leaves: some Sequence<Digest>) -> Digest { MerkleFrontier(leaves: leaves).root }

  // MARK: Inclusion

  /// The subtrees whose roots are the inclusion path of leaf `index` in a tree of `size`, from the leaf's sibling up.
  /// A store that keeps subtree roots needs no leaves. `index < size`.
  public static func inclusionRanges(index: UInt64, size: UInt64) -> [Range<UInt64>] {
    precondition(index < size, "a path for leaf \(index) of \(size)")
    var ranges: [Range<UInt64>] = []
    var low: UInt64 = 0
    var high = size
    while high - low > 1 {
      let middle = low + split(high - low)
      if index < middle {
        ranges.append(middle..<high)
        high = middle
      } else {
        ranges.append(low..<middle)
        low = middle
      }
    }
    return ranges.reversed()
  }

  /// The inclusion path of leaf `index` in the tree over all `leaves`. O(n).
  public static func inclusionPath(_ leaves: [Digest], index: UInt64) -> [Digest] {
    inclusionRanges(index: index, size: UInt64(leaves.count)).map {
      root(leaves[Int($0.lowerBound)..<Int($0.upperBound)])
    }
  }

  /// True when `path` leads from `leaf` at `index` to `root` of a tree of `size`.
  public static func verifyInclusion(
    leaf: Digest, index: UInt64, size: UInt64, path: [Digest], root: Digest
  ) -> Bool {
    fold(leaf: leaf, index: index, size: size, path: path)?.root == root
  }

  /// Where a path leads, and the siblings on its left: the roots of the complete subtrees of `0..<index`, smallest
  /// first, which do not depend on `size`.
  public struct Folded: Hashable, Sendable {
    public let root: Digest
    public let leftSiblings: [Digest]
  }

  /// Follows an inclusion path (RFC 9162 section 2.1.3.2); nil when its length is not what index and size demand.
  public static func fold(leaf: Digest, index: UInt64, size: UInt64, path: [Digest]) -> Folded? {
    guard index < size, path.count == MerkleShape.pathCount(index: index, size: size) else { return nil }
    let inner = MerkleShape.innerCount(index: index, size: size)
    var hash = leaf
    var leftSiblings: [Digest] = []
    for (level, sibling) in path.enumerated() {
      // Above `inner` the subtree is the tree's right edge: what remains are left siblings only.
      if level >= inner || index >> UInt64(level) & 1 == 1 {
        leftSiblings.append(sibling)
        hash = SHA256Hash.node(sibling, hash)
      } else {
        hash = SHA256Hash.node(hash, sibling)
      }
    }
    return Folded(root: hash, leftSiblings: leftSiblings)
  }

  // MARK: Consistency

  /// The subtrees whose roots show that the tree of `from` leaves is a prefix of the one of `to`, in proof order.
  /// `0 < from <= to`; equal sizes need none.
  public static func consistencyRanges(from: UInt64, to: UInt64) -> [Range<UInt64>] {
    precondition(from > 0 && from <= to, "a consistency proof from \(from) to \(to)")
    var ranges: [Range<UInt64>] = []
    var low: UInt64 = 0
    var high = to
    while high != from {
      let middle = low + split(high - low)
      if from <= middle {
        ranges.append(middle..<high)
        high = middle
      } else {
        ranges.append(low..<middle)
        low = middle
      }
    }
    // A complete old tree is known to the verifier by its root.
    if low > 0 { ranges.append(low..<high) }
    return ranges.reversed()
  }

  /// A proof that the tree over the first `from` leaves is a prefix of the tree over all `leaves`. O(n).
  public static func consistencyProof(_ leaves: [Digest], from: UInt64) -> [Digest] {
    consistencyRanges(from: from, to: UInt64(leaves.count)).map {
      root(leaves[Int($0.lowerBound)..<Int($0.upperBound)])
    }
  }

  /// True when `proof` shows that the tree (`from`, `fromRoot`) is a prefix of (`to`, `toRoot`).
  /// RFC 9162 section 2.1.4.2; a proof from size 0 proves nothing and is refused.
  public static func verifyConsistency(
    from: UInt64, fromRoot: Digest, to: UInt64, toRoot: Digest, proof: [Digest]
  ) -> Bool {
    guard from > 0, from <= to else { return false }
    if from == to { return proof.isEmpty && fromRoot == toRoot }
    // A complete old tree stands for itself; otherwise the proof begins with its smallest complete subtree.
    let isComplete = from.nonzeroBitCount == 1
    guard let start = isComplete ? fromRoot : proof.first else { return false }
    let shift = UInt64(from.trailingZeroBitCount)
    var old = (from - 1) >> shift
    var new = (to - 1) >> shift
    var oldHash = start
    var newHash = start
    for sibling in isComplete ? proof[...] : proof.dropFirst() {
      if new == 0 { return false }
      if old & 1 == 1 || old == new {
        oldHash = SHA256Hash.node(sibling, oldHash)
        newHash = SHA256Hash.node(sibling, newHash)
        while old & 1 == 0 && old != 0 {
          old >>= 1
          new >>= 1
        }
      } else {
        newHash = SHA256Hash.node(newHash, sibling)
      }
      old >>= 1
      new >>= 1
    }
    return new == 0 && oldHash == fromRoot && newHash == toRoot
  }

  /// The largest power of two below `count`, which is at least 2.
  private static func split(_ count: UInt64) -> UInt64 { 1 << UInt64(63 - (count - 1).leadingZeroBitCount) }
}
