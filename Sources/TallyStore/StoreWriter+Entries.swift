// Owns: where entries go. A small commit joins the feed's tail (a row each) and the newest head replaces the one
// before; a commit that would make the tail longer than a chunk may be first folds it into one packed chunk that ends
// at the head it had. So kept heads are exactly the chunks' ends and the newest head. DESIGN sections 9 and 11.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

extension StoreWriter {
  /// The state of a feed that was inserted before; one that was not is the node's own mistake.
  mutating func state(of feed: FeedID) throws(StoreFault) -> FeedState {
    if let known = feeds[feed] { return known }
    var found: FeedState?
    try database.rows(.selectFeed, [.blob(feed.bytes)]) { row throws(StoreFault) in
      found = try FeedState(row)
      return false
    }
    guard let state = found else { preconditionFailure("feed \(feed) was never stored") }
    precondition(state.number < Int64(StoreLimits.feeds), "more than \(StoreLimits.feeds) feeds")
    if feeds.count >= StoreLimits.cachedFeeds { feeds = [:] }
    feeds[feed] = state
    return state
  }

  mutating func append(
    _ entries: [Entry], from: UInt64, head: Head, to feed: FeedID
  ) throws(StoreFault) {
    var state = try state(of: feed)
    let count = entries.count
    precondition(count > 0 && count <= StoreLimits.chunkEntries, "\(count) entries at once for feed \(feed)")
    precondition(
      from == state.size && head.feed == feed && head.size == from + UInt64(count),
      "feed \(feed) has \(state.size) entries, given \(from) ..< \(from + UInt64(count)) with head \(head.size)")
    let bytes = entries.reduce(0) { $0 + $1.packedBound }
    let overflows =
      state.tailCount + count > StoreLimits.chunkEntries || state.tailBytes + bytes > StoreLimits.chunkBytes
    if state.tailCount > 0 && overflows { try fold(&state) }
    let isDirect =
      state.tailCount == 0 && (count >= StoreLimits.directEntries || bytes >= StoreLimits.directBytes)
    var key = Schema.key(state.number, from)
    var hasher = LeafHasher()
    for entry in entries {
      try extend(&state, by: hasher.hash(entry))
      if isDirect { continue }
      try database.run(.insertTail, [.integer(key), .blob(entry.preimage)])
      key += 1
    }
    precondition(state.frontier.root == head.root, "feed \(feed): the head of \(head.size) is not over these entries")
    if isDirect {
      try insertChunk(state.number, from: from, packed: PackedChunk.encode(entries), head: head)
      state.tailFrom = head.size
    } else {
      state.tailBytes += bytes
    }
    state.head = head
    try save(state)
  }

  /// Adds one leaf to the tree; every complete subtree of 256 leaves or more that it finishes is stored, so that a path
  /// in a tree of any size costs at most 511 leaf hashes and a few rows.
  private mutating func extend(_ state: inout FeedState, by leaf: Digest) throws(StoreFault) {
    let size = state.frontier.size + 1
    let height = size.trailingZeroBitCount
    // A copy of the peaks only where a node is due: at every 256th leaf.
    let before = height < Schema.nodeLevel ? [] : state.frontier.peaks
    state.frontier.append(leaf)
    if height < Schema.nodeLevel { return }
    // The merged subtrees, smallest first, as `MerkleFrontier.append` made them.
    var hash = leaf
    for level in 1...height {
      hash = SHA256Hash.node(before[before.count - level], hash)
      if level < Schema.nodeLevel { continue }
      let place = Schema.nodePlace(level: level, position: (size >> UInt64(level)) - 1)
      try database.run(.insertNode, [.integer(Schema.key(state.number, place)), .blob(hash.bytes)])
    }
  }

  /// Turns the tail into one chunk that ends at its head.
  private mutating func fold(_ state: inout FeedState) throws(StoreFault) {
    guard let head = state.head else { preconditionFailure("a tail without a head in feed \(state.row.feed)") }
    let entries = try History.tail(&database, state.number, state.tailFrom..<state.size)
    try insertChunk(state.number, from: state.tailFrom, packed: PackedChunk.encode(entries), head: head)
    try Failpoint.reach(.storeFold)
    let (low, high) = (Schema.key(state.number, state.tailFrom), Schema.key(state.number, state.size))
    try database.run(.deleteTail, [.integer(low), .integer(high)])
    state.tailFrom = state.size
    state.tailBytes = 0
  }

  private mutating func insertChunk(
    _ number: Int64, from: UInt64, packed: [UInt8], head: Head
  ) throws(StoreFault) {
    try database.run(
      .insertChunk,
      [
        .integer(Schema.key(number, from)), .integer(Int64(bitPattern: head.size)), .blob(head.root.bytes),
        .blob(head.signature.bytes), .blob(packed),
      ])
  }

  private mutating func save(_ state: FeedState) throws(StoreFault) {
    guard let head = state.head else { preconditionFailure("saved feed \(state.row.feed) without a head") }
    try database.run(
      .updateFeed,
      [
        .integer(state.number), .integer(Int64(bitPattern: state.size)), .blob(head.root.bytes),
        .blob(head.signature.bytes), .blob(state.peakBytes), .integer(Int64(bitPattern: state.tailFrom)),
        .integer(Int64(state.tailBytes)),
      ])
    feeds[state.row.feed] = state
  }
}

extension Entry {
  /// At least as many bytes as the packed form takes, whatever stands before it in a chunk: against the preimage, a
  /// kind may be one byte longer, a time two, a link four; the version byte is not there.
  var packedBound: Int { preimageCount + 2 + 4 * links.count }
}
