// Owns: a store in memory that keeps the store contract, for the ledger's tests: durable state is a value, so that a
// crash, a backup and a copy are assignments.

import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

struct ModelStore {
  struct Feed {
    let row: FeedRow
    var entries: [Entry] = []
    var leaves: [Digest] = []
    /// Ascending by size.
    var heads: [Head] = []
    var forkIndex: UInt64?
    var forkProof: [UInt8]?
    var acknowledgements: [PublicKey: UInt64] = [:]
  }

  let me: PublicKey
  let meshID: MeshID
  var feeds: [FeedID: Feed] = [:]
  /// In the order in which they came.
  var order: [FeedID] = []
  var values: [[UInt8]: [UInt8]] = [:]
  var guardFile: GuardMark?
  var isNew = true

  init(me: PublicKey, meshID: MeshID) {
    self.me = me
    self.meshID = meshID
  }

  mutating func apply(_ commit: Commit, withGuard: Bool = true) {
    isNew = false
    for operation in commit.operations { apply(operation) }
    if withGuard, let mark = commit.guardMark { guardFile = mark }
  }

  private mutating func apply(_ operation: StoreOperation) {
    switch operation {
    case .feed(let row):
      if feeds[row.feed] == nil {
        feeds[row.feed] = Feed(row: row)
        order.append(row.feed)
      }
    case .entries(let id, let from, let entries, let head):
      guard feeds[id] != nil else { preconditionFailure("entries before their feed's row") }
      precondition(from == UInt64(feeds[id]!.entries.count), "a gap: \(from) behind \(feeds[id]!.entries.count)")
      feeds[id]!.entries += entries
      feeds[id]!.leaves += LeafHasher.hashAll(entries)
      precondition(head.size == UInt64(feeds[id]!.entries.count), "a head that is not at the end")
      precondition(head.root == MerkleTree.root(feeds[id]!.leaves), "a head of another tree")
      feeds[id]!.heads.append(head)
    case .forkProof(let id, let index, let proof):
      precondition(feeds[id] != nil, "a proof before its feed's row")
      feeds[id]!.forkIndex = index
      feeds[id]!.forkProof = proof
    case .acknowledged(let id, let by, let size): feeds[id]!.acknowledgements[by] = size
    case .put(let table, let key, let value): values[[table.rawValue] + key] = value
    case .delete(let table, let key): values[[table.rawValue] + key] = nil
    }
  }

  /// Kept heads need only be ≤ 256 entries apart: drops those between, as folding into chunks does.
  mutating func foldHeads() {
    for id in order {
      var kept: [Head] = []
      let heads = feeds[id]!.heads
      for (place, head) in heads.enumerated() {
        let next = place + 1 < heads.count ? heads[place + 1].size : nil
        let from = kept.last?.size ?? 0
        if let next, next - from <= 256, fits(feeds[id]!.entries[Int(from)..<Int(next)]) { continue }
        kept.append(head)
      }
      feeds[id]!.heads = kept
    }
  }

  /// Whether a run can be one RANGE.
  private func fits(_ entries: ArraySlice<Entry>) -> Bool {
    var builder = PackedChunkBuilder()
    return entries.allSatisfy { builder.append($0) }
  }

  var recovered: Recovered {
    let found = feeds.values.map { feed in
      RecoveredFeed(
        row: feed.row, frontier: MerkleFrontier(leaves: feed.leaves), head: feed.heads.last, forkIndex: feed.forkIndex,
        forkProof: feed.forkProof,
        acknowledgements: feed.acknowledgements.map { .init(by: $0.key, size: $0.value) }.sorted { $0.by < $1.by })
    }
    let values = values.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map {
      Recovered.Value(table: StoreTable(rawValue: $0.key[0])!, key: Array($0.key.dropFirst()), value: $0.value)
    }
    return Recovered(
      feeds: found.sorted { $0.row.feed < $1.row.feed }, values: values, guardState: guardState, wasClean: false,
      isNew: isNew)
  }

  private var guardState: GuardState {
    let own = order.filter { feeds[$0]!.row.author == me && !feeds[$0]!.entries.isEmpty }
    guard let mark = guardFile else { return own.isEmpty ? .firstStart : .rollback(file: nil) }
    let id = Names.feedID(mesh: meshID, author: me, incarnation: mark.incarnation)
    guard let feed = feeds[id], UInt64(feed.leaves.count) >= mark.size,
      MerkleTree.root(feed.leaves.prefix(Int(mark.size))) == mark.root
    else { return .rollback(file: mark) }
    return .settled(
      GuardMark(
        incarnation: mark.incarnation, size: UInt64(feed.leaves.count), root: MerkleTree.root(feed.leaves)))
  }

  func answer(_ request: ReadRequest) -> ReadResult { ReadResult(id: request.id, answer: answer(request.question)) }

  private func answer(_ question: ReadRequest.Question) -> ReadResult.Answer {
    switch question {
    case .range(let id, let from, let to):
      guard let feed = feeds[id] else { return .absent }
      let end = min(to, from + 256)
      guard
        let head = feed.heads.last(where: {
          $0.size > from && $0.size <= end && fits(feed.entries[Int(from)..<Int($0.size)])
        })
      else { return .absent }
      return .range(feed: id, from: from, entries: Array(feed.entries[Int(from)..<Int(head.size)]), head: head)
    case .entry(let id, let index):
      guard let feed = feeds[id], index < UInt64(feed.entries.count) else { return .absent }
      return .entry(feed: id, index: index, entry: feed.entries[Int(index)])
    case .inclusion(let id, let index, let size):
      guard let feed = feeds[id], size <= UInt64(feed.leaves.count), index < size else { return .absent }
      let leaves = Array(feed.leaves.prefix(Int(size)))
      return .inclusion(
        feed: id, index: index, size: size, leaf: leaves[Int(index)],
        path: MerkleTree.inclusionPath(leaves, index: index))
    case .root(let id, let size):
      guard let feed = feeds[id], size <= UInt64(feed.leaves.count) else { return .absent }
      return .root(feed: id, size: size, root: MerkleTree.root(feed.leaves.prefix(Int(size))))
    case .headAtLeast(let id, let size):
      guard let head = feeds[id]?.heads.first(where: { $0.size >= size }) else { return .absent }
      return .head(head)
    case .value: return .absent
    }
  }
}
