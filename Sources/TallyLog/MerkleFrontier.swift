// Owns: the right edge of an RFC 6962 tree: enough to append and to know the root, in O(log n) memory.
// RFC 6962 section 2.1.
public import TallyBase
public import TallyCrypto

/// The roots of the complete subtrees that make up a tree of `size` leaves, largest first; one per set bit of `size`.
public struct MerkleFrontier: Hashable, Sendable {
  public private(set) var size: UInt64 = 0
  public private(set) var peaks: [Digest] = []

  public init() {}
}
