// Owns: what the ledger keeps in memory of one feed it carries, and the table of all of them.
// Refuses to know: who asked for what. DESIGN section 9.

import TallyBase
import TallyCrypto
import TallyWire

/// One author's chain as this host holds it. `stored` is durable; `checked` runs ahead of it while the store writes.
struct CarriedFeed: Sendable {
  let row: FeedRow
  private(set) var stored = MerkleFrontier()
  private(set) var storedRoot = MerkleFrontier.emptyRoot
  /// The newest kept head: of `stored.size`, nil while nothing is stored.
  private(set) var head: Head?
  var checked = MerkleFrontier()
  /// Whether the row is durable or on its way there.
  var isRowStored = false
  /// The check under way, where it ends, and the ranges that wait behind it in order.
  var checking: UInt64?
  var checkingEnd: UInt64 = 0
  var queue: [QueuedRange] = []
  private(set) var fork: ForkMark?
  /// The feed that `begin` names, once entry 0 is stored.
  var continues: FeedID?
  /// Roots of the newest kept heads, oldest first: most comparisons with a peer need no read.
  private var recentRoots: [KnownRoot] = []

  private struct KnownRoot: Sendable {
    let size: UInt64
    let root: Digest
  }

  private static let recentRootsKept = 16

  init(row: FeedRow) { self.row = row }

  init(_ found: RecoveredFeed) {
    row = found.row
    stored = found.frontier
    storedRoot = found.frontier.root
    head = found.head
    checked = found.frontier
    isRowStored = true
    if let head { recentRoots = [KnownRoot(size: head.size, root: head.root)] }
  }

  /// Stored entries that count: nothing at or above a fork does.
  var counted: UInt64 { min(stored.size, fork?.index ?? .max) }

  /// The RFC 6962 root at `counted`.
  var countedRoot: Digest {
    guard let fork, fork.index < stored.size else { return storedRoot }
    return fork.root
  }

  /// Where the next range must begin when everything under way turns out well.
  var expectedEnd: UInt64 { queue.last?.push.head.size ?? (checking == nil ? checked.size : checkingEnd) }

  /// Nothing of it is held and nothing is under way: the feed may be forgotten.
  var isEmpty: Bool { checked.size == 0 && fork == nil && checking == nil && queue.isEmpty && !isRowStored }

  /// The root at `size` if it is known without a read.
  func knownRoot(at size: UInt64) -> Digest? {
    if size == stored.size { return storedRoot }
    if let fork, fork.index == size { return fork.root }
    return recentRoots.last { $0.size == size }?.root
  }

  /// A run became durable.
  mutating func onStored(_ frontier: MerkleFrontier, head: Head) {
    precondition(head.size == frontier.size && frontier.size > stored.size, "stored \(stored.size), then \(head.size)")
    stored = frontier
    storedRoot = head.root
    self.head = head
    recentRoots.append(KnownRoot(size: head.size, root: head.root))
    if recentRoots.count > Self.recentRootsKept { recentRoots.removeFirst() }
  }

  /// Keeps the proof with the least index. False when the one held is as good.
  mutating func onFork(_ mark: ForkMark) -> Bool {
    if let fork, fork.index <= mark.index { return false }
    fork = mark
    queue.removeAll { $0.push.from >= mark.index }
    return true
  }
}

/// Where a feed is forked: its entries from `index` on do not count.
struct ForkMark: Sendable {
  let index: UInt64
  /// Root of the common prefix `0..<index`.
  let root: Digest
  let proof: ForkProof
}

/// A run that waits to be checked. `message` is the PUSH to relay; nil when it was pulled.
struct QueuedRange: Sendable {
  let push: Push
  let message: [UInt8]?
  let peer: PublicKey
}

/// All carried feeds. Lookups by hash; walks by the sorted `order`.
struct FeedTable: Sendable {
  private var feeds: [FeedID: CarriedFeed] = [:]
  /// Every feed, ascending.
  private(set) var order: [FeedID] = []
  private var byAuthor: [PublicKey: [FeedID]] = [:]

  var count: Int { order.count }

  /// Sets an existing feed's state; a feed is added by `insert` and removed by `remove` alone.
  subscript(id: FeedID) -> CarriedFeed? {
    get { feeds[id] }
    _modify { yield &feeds[id] }
  }

  func contains(_ id: FeedID) -> Bool { feeds.index(forKey: id) != nil }

  mutating func insert(_ feed: CarriedFeed) {
    let id = feed.row.feed
    guard feeds.updateValue(feed, forKey: id) == nil else { return }
    order.insert(id, at: Self.place(of: id, in: order))
    var mine = byAuthor[feed.row.author] ?? []
    mine.insert(id, at: Self.place(of: id, in: mine))
    byAuthor[feed.row.author] = mine
  }

  mutating func remove(_ id: FeedID) {
    guard let feed = feeds.removeValue(forKey: id) else { return }
    order.removeAll { $0 == id }
    byAuthor[feed.row.author]?.removeAll { $0 == id }
  }

  /// Ascending.
  func of(_ author: PublicKey) -> [FeedID] { byAuthor[author] ?? [] }

  /// Whether a stored feed of the same author names `id` as its predecessor.
  func isContinued(_ id: FeedID, by author: PublicKey) -> Bool { of(author).contains { feeds[$0]?.continues == id } }

  /// The first place in sorted `list` that is not below `id`.
  private static func place(of id: FeedID, in list: [FeedID]) -> Int {
    var low = 0
    var high = list.count
    while low < high {
      let middle = (low + high) / 2
      if list[middle] < id { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
