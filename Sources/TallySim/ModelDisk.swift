// Owns: a data directory as a value that keeps the store contract: a crash, a backup and a copy are assignments.
// Refuses to know: SQLite and files; TallyStore's own tests hold the real store to the same contract. DESIGN 11.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

/// Everything of a host that survives its process.
public struct ModelDisk: Sendable {
  struct Feed: Sendable {
    let row: FeedRow
    var entries: [Entry] = []
    var leaves: [Digest] = []
    var frontier = MerkleFrontier()
    /// Ascending by size.
    var heads: [Head] = []
    var forkIndex: UInt64?
    var forkProof: [UInt8]?
    var acknowledgements: [PublicKey: UInt64] = [:]
  }

  let me: PublicKey
  let meshID: MeshID
  private(set) var feeds: [FeedID: Feed] = [:]
  private var values: [[UInt8]: [UInt8]] = [:]
  var guardFile: GuardMark?
  private(set) var isNew = true
  /// Set by an orderly end, taken back by the next start.
  var wasClean = true
  var blobs = ModelBlobs()

  init(me: PublicKey, meshID: MeshID) {
    self.me = me
    self.meshID = meshID
  }

  var feedIDs: [FeedID] { feeds.keys.sorted() }

  /// One transaction; the guard file is written later, by whoever asked.
  mutating func apply(_ commit: Commit) {
    isNew = false
    for operation in commit.operations { apply(operation) }
  }

  private mutating func apply(_ operation: StoreOperation) {
    switch operation {
    case .feed(let row): if feeds[row.feed] == nil { feeds[row.feed] = Feed(row: row) }
    case .entries(let id, let from, let entries, let head):
      guard var feed = feeds.removeValue(forKey: id) else { preconditionFailure("entries before the row of \(id)") }
      precondition(
        from == UInt64(feed.entries.count), "a gap in \(id): \(from) behind \(feed.entries.count) entries")
      let leaves = LeafHasher.hashAll(entries)
      feed.entries += entries
      feed.leaves += leaves
      for leaf in leaves { feed.frontier.append(leaf) }
      precondition(head.size == feed.frontier.size, "a head of size \(head.size) at \(feed.frontier.size) of \(id)")
      precondition(head.root == feed.frontier.root, "a head of another tree at \(head.size) of \(id)")
      feed.heads.append(head)
      feeds[id] = feed
    case .forkProof(let id, let index, let proof):
      precondition(feeds[id] != nil, "a fork proof before the row of \(id)")
      feeds[id]?.forkIndex = index
      feeds[id]?.forkProof = proof
    case .acknowledged(let id, let by, let size):
      precondition(feeds[id] != nil, "an acknowledgement before the row of \(id)")
      feeds[id]?.acknowledgements[by] = size
    case .put(let table, let key, let value): values[[table.rawValue] + key] = value
    case .delete(let table, let key): values[[table.rawValue] + key] = nil
    }
  }

  /// Kept heads need only be ≤ 256 entries and one RANGE apart: drops those between, as folding into chunks does.
  mutating func foldHeads() {
    for id in feedIDs {
      guard let feed = feeds[id] else { continue }
      var kept: [Head] = []
      for (place, head) in feed.heads.enumerated() {
        let from = kept.last?.size ?? 0
        if place + 1 < feed.heads.count, fits(feed, from..<feed.heads[place + 1].size) { continue }
        kept.append(head)
      }
      feeds[id]?.heads = kept
    }
  }

  /// Whether a run can be one RANGE.
  private func fits(_ feed: Feed, _ range: Range<UInt64>) -> Bool {
    guard range.count <= LedgerLimits.rangeEntries else { return false }
    var builder = PackedChunkBuilder()
    return feed.entries[Int(range.lowerBound)..<Int(range.upperBound)].allSatisfy { builder.append($0) }
  }

  /// An own entry that waits unsigned for the restore guard, or was issued again in a new incarnation.
  func holdsElsewhere(_ leaf: Digest, author: PublicKey) -> Bool {
    for id in feedIDs where feeds[id]?.row.author == author {
      if feeds[id]?.leaves.contains(leaf) == true { return true }
    }
    return values.contains { $0.key.first == StoreTable.ledger.rawValue && SHA256Hash.leaf($0.value) == leaf }
  }

  /// Whom to ask after a restore.
  mutating func forgetAcknowledgements() {
    for id in feedIDs { feeds[id]?.acknowledgements = [:] }
  }

  // Starting.

  var recovered: Recovered {
    let found = feedIDs.compactMap { feeds[$0] }.map { feed in
      RecoveredFeed(
        row: feed.row, frontier: feed.frontier, head: feed.heads.last, forkIndex: feed.forkIndex,
        forkProof: feed.forkProof,
        acknowledgements: feed.acknowledgements.keys.sorted().map {
          RecoveredFeed.Acknowledgement(by: $0, size: feed.acknowledgements[$0] ?? 0)
        })
    }
    return Recovered(
      feeds: found, values: recoveredValues, guardState: guardState, wasClean: wasClean, isNew: isNew)
  }

  private var recoveredValues: [Recovered.Value] {
    values.keys.sorted { $0.lexicographicallyPrecedes($1) }.map { key in
      guard let table = StoreTable(rawValue: key[0]), let value = values[key] else {
        preconditionFailure("a row of no table: \(key)")
      }
      return Recovered.Value(table: table, key: Array(key.dropFirst()), value: value)
    }
  }

  private var guardState: GuardState {
    let hasOwn = feedIDs.contains { feeds[$0]?.row.author == me && feeds[$0]?.entries.isEmpty == false }
    guard let mark = guardFile else { return hasOwn ? .rollback(file: nil) : .firstStart }
    let id = Names.feedID(mesh: meshID, author: me, incarnation: mark.incarnation)
    guard let feed = feeds[id], feed.frontier.size >= mark.size,
      MerkleTree.root(feed.leaves.prefix(Int(mark.size))) == mark.root
    else { return .rollback(file: mark) }
    return .settled(GuardMark(incarnation: mark.incarnation, size: feed.frontier.size, root: feed.frontier.root))
  }

  // Reading.

  func answer(_ request: ReadRequest) -> ReadResult { ReadResult(id: request.id, answer: answer(request.question)) }

  private func answer(_ question: ReadRequest.Question) -> ReadResult.Answer {
    switch question {
    case .range(let id, let from, let to):
      guard let feed = feeds[id] else { return .absent }
      let head = feed.heads.last {
        $0.size > from && $0.size <= to && fits(feed, from..<$0.size)
      }
      guard let head else { return .absent }
      return .range(feed: id, from: from, entries: Array(feed.entries[Int(from)..<Int(head.size)]), head: head)
    case .entry(let id, let index):
      guard let feed = feeds[id], index < feed.frontier.size else { return .absent }
      return .entry(feed: id, index: index, entry: feed.entries[Int(index)])
    case .inclusion(let id, let index, let size):
      guard let feed = feeds[id], size <= feed.frontier.size, index < size else { return .absent }
      let path = MerkleTree.inclusionPath(Array(feed.leaves.prefix(Int(size))), index: index)
      return .inclusion(feed: id, index: index, size: size, leaf: feed.leaves[Int(index)], path: path)
    case .root(let id, let size):
      guard let feed = feeds[id], size <= feed.frontier.size else { return .absent }
      return .root(feed: id, size: size, root: MerkleTree.root(feed.leaves.prefix(Int(size))))
    case .headAtLeast(let id, let size):
      guard let head = feeds[id]?.heads.first(where: { $0.size >= size }) else { return .absent }
      return .head(head)
    case .value(let table, let key): return values[[table.rawValue] + key].map { .value($0) } ?? .absent
    }
  }
}
