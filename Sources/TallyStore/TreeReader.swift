// Owns: roots of subtrees of a stored feed, from stored nodes (256 leaves and more) and leaves hashed again below.
// RFC 6962 section 2.1. Cost of a path: at most 511 leaf hashes and O(log n) node rows.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

/// Reads within one answer; remembers the blocks of leaves that it has hashed.
struct TreeReader {
  let state: FeedState
  /// Leaf hashes by block of 256; at most two blocks are ever touched by one path.
  private var blocks: [UInt64: [Digest]] = [:]

  init(_ state: FeedState) { self.state = state }

  mutating func leaf(_ database: inout SQLiteDatabase, _ index: UInt64) throws(StoreFault) -> Digest {
    let block = index >> UInt64(Schema.nodeLevel)
    return try leaves(&database, block)[Int(index - block << UInt64(Schema.nodeLevel))]
  }

  /// Inclusion path of `index` in the tree of `size`, both within the feed.
  mutating func path(
    _ database: inout SQLiteDatabase, index: UInt64, size: UInt64
  ) throws(StoreFault) -> [Digest] {
    var path: [Digest] = []
    for range in MerkleTree.inclusionRanges(index: index, size: size) { path.append(try root(&database, range)) }
    return path
  }

  /// Root over the leaves of `range`, a subtree of some tree over this feed: it begins at a multiple of the smallest
  /// power of two that is not below its count.
  mutating func root(_ database: inout SQLiteDatabase, _ range: Range<UInt64>) throws(StoreFault) -> Digest {
    let count = range.upperBound - range.lowerBound
    if count == 0 { return MerkleFrontier.emptyRoot }
    let block = range.lowerBound >> UInt64(Schema.nodeLevel)
    let start = block << UInt64(Schema.nodeLevel)
    if range.upperBound <= start + 256 && count < 256 {
      let leaves = try leaves(&database, block)
      return MerkleTree.root(leaves[Int(range.lowerBound - start)..<Int(range.upperBound - start)])
    }
    if count.nonzeroBitCount == 1 { return try node(&database, range, level: count.trailingZeroBitCount) }
    let split = UInt64(1) << UInt64(63 - count.leadingZeroBitCount)
    let middle = range.lowerBound + split
    let left = try root(&database, range.lowerBound..<middle)
    return SHA256Hash.node(left, try root(&database, middle..<range.upperBound))
  }

  private func node(
    _ database: inout SQLiteDatabase, _ range: Range<UInt64>, level: Int
  ) throws(StoreFault) -> Digest {
    let place = Schema.nodePlace(level: level, position: range.lowerBound >> UInt64(level))
    var found: Digest?
    try database.rows(.selectNode, [.integer(Schema.key(state.number, place))]) { row throws(StoreFault) in
      found = Digest(row.blob(0))
      return false
    }
    guard let hash = found else {
      throw .broken(detail: "feed \(state.row.feed): the node over \(range) is missing")
    }
    return hash
  }

  private mutating func leaves(_ database: inout SQLiteDatabase, _ block: UInt64) throws(StoreFault) -> [Digest] {
    if let known = blocks[block] { return known }
    let start = block << UInt64(Schema.nodeLevel)
    let leaves = try History.leaves(&database, state, start..<min(start + 256, state.size))
    blocks[block] = leaves
    return leaves
  }
}
