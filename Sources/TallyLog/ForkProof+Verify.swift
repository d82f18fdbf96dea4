// Owns: when a fork proof holds, and how one is made from two trees. Refuses to know: what follows for the feed.
// DESIGN section 9, "Fork proof". The layout is in TallyWire/ForkProof.swift.
import TallyBase
import TallyCrypto
import TallyWire

/// Why a fork proof does not hold: the sender's fault, since it must have checked it.
public enum ForkProofFault: Error, Hashable, Sendable {
  /// The heads are not of the feed of this author and incarnation.
  case otherFeed
  case badSignature
  /// A path does not lead to its head's root.
  case brokenPath
  /// Both heads have the same entry at the index: nothing is shown.
  case sameLeaf
  /// The trees differ before the index already: the proof understates the fork.
  case notLeast
}

extension ForkProof {
  /// Holds when the feed is this author's, both signatures verify, both paths fold to their roots, the leaves differ
  /// and everything before the index is equal: the left siblings are the roots of the common prefix.
  public func verify(
    meshID: MeshID, mesh: String, author: PublicKey, incarnation: UInt64
  ) throws(ForkProofFault) {
    guard Names.feedID(mesh: meshID, author: author, incarnation: incarnation) == feed else { throw .otherFeed }
    guard first.leaf != second.leaf else { throw .sameLeaf }
    guard let left = fold(first), let right = fold(second) else { throw .brokenPath }
    guard left.leftSiblings == right.leftSiblings else { throw .notLeast }
    // The dearest check comes last.
    for side in [first, second] {
      guard side.head.isSigned(by: author, mesh: mesh) else { throw .badSignature }
    }
  }

  private func fold(_ side: Side) -> MerkleTree.Folded? {
    guard let folded = MerkleTree.fold(leaf: side.leaf, index: index, size: side.head.size, path: side.path),
      folded.root == side.head.root
    else { return nil }
    return folded
  }

  /// The proof from two whole trees: each head with all its leaf hashes. Nil when the shorter tree is a prefix of the
  /// longer one, or when leaves and head do not fit in number.
  public static func make(_ one: Head, leaves: [Digest], _ other: Head, leaves otherLeaves: [Digest]) -> ForkProof? {
    guard one.size == UInt64(leaves.count), other.size == UInt64(otherLeaves.count) else { return nil }
    guard let found = zip(leaves, otherLeaves).enumerated().first(where: { $0.element.0 != $0.element.1 }) else {
      return nil
    }
    let index = UInt64(found.offset)
    return ForkProof(
      Side(head: one, leaf: found.element.0, path: MerkleTree.inclusionPath(leaves, index: index)),
      Side(head: other, leaf: found.element.1, path: MerkleTree.inclusionPath(otherLeaves, index: index)),
      index: index)
  }
}

/// Finds the first entry in which another host's tree differs from ours by asking it for inclusion paths.
///
/// Each path that folds to the other head gives roots of complete subtrees of the other tree. The leftmost one that is
/// not ours holds the divergence; its last leaf is asked for next, and that answer at least halves it. At most
/// log2(n) + 1 questions.
public struct ForkDescent: Hashable, Sendable {
  public let other: Head
  /// How many leaves of ours are compared: no more than either tree has.
  public let size: UInt64
  /// The leaf whose path is asked for next.
  public private(set) var asks: UInt64

  public enum Step: Hashable, Sendable {
    /// Ask for the path of `asks`.
    case ask
    /// The least index that differs; the answer just given is the other side of the proof.
    case differs(at: UInt64)
    /// The other tree holds ours (or ours holds it) as far as both reach: there is no fork.
    case joined
    /// The answer folds to another root, or is not the one that was asked for: the server's fault.
    case broken
  }

  /// `ownSize` is our tree's size. Sizes of 0 have nothing to compare: our own mistake.
  public init(other: Head, ownSize: UInt64) {
    size = min(other.size, ownSize)
    precondition(size > 0, "nothing to compare")
    self.other = other
    asks = size - 1
  }

  /// Takes the answer for `asks`. `ownRoot` gives the root of our leaves in a range (one leaf: its hash).
  public mutating func onPath(_ answer: PathAnswer, ownRoot: (Range<UInt64>) -> Digest) -> Step {
    let question = answer.question
    guard question.feed == other.feed, question.size == other.size, question.index == asks,
      let folded = MerkleTree.fold(leaf: answer.leaf, index: asks, size: other.size, path: answer.path),
      folded.root == other.root
    else { return .broken }
    // Left siblings come smallest first; the subtrees of 0..<asks, leftmost first, are the largest first.
    var low: UInt64 = 0
    for sibling in folded.leftSiblings.reversed() {
      let count: UInt64 = 1 << UInt64(63 - (asks - low).leadingZeroBitCount)
      let range = low..<(low + count)
      if ownRoot(range) != sibling {
        asks = range.upperBound - 1
        return .ask
      }
      low += count
    }
    if ownRoot(asks..<(asks + 1)) != answer.leaf { return .differs(at: asks) }
    // Only the first answer can find nothing: every later question lies in a subtree that differs.
    return asks == size - 1 ? .joined : .broken
  }
}
