// Owns: the feed that this host is writing: what is sealed, what waits, and how much goes into one commit.
// Refuses to know: the store, and whether the host may sign. DESIGN section 9, "One commit".

import TallyBase
import TallyCrypto
import TallyWire

/// An own entry that is not sealed. A `heldKey` names its row in the store while it waits for the restore guard.
struct OpenEntry: Sendable {
  let entry: Entry
  let leaf: Digest
  var heldKey: UInt64?
  /// Whether that row, with this content, was handed to the store, and whether it is durable.
  var isPut = false
  var isDurable = false
}

struct OwnFeed: Sendable {
  let row: FeedRow
  /// Entry 0 while it is not durable: it survives a rollback of the tail.
  var begin: OpenEntry?
  /// The tree over everything sealed, durable or not.
  private(set) var sealed: MerkleFrontier
  private(set) var open: [OpenEntry] = []
  private var openBytes = 0

  /// A feed that begins now.
  init(row: FeedRow, begin entry: Entry) {
    self.row = row
    sealed = MerkleFrontier()
    let first = OpenEntry(entry: entry, leaf: entry.leafHash)
    begin = first
    push(first)
  }

  /// A feed found in the store.
  init(row: FeedRow, stored: MerkleFrontier) {
    self.row = row
    sealed = stored
  }

  var feed: FeedID { row.feed }
  /// The index that the next entry gets.
  var nextIndex: UInt64 { sealed.size + UInt64(open.count) }

  /// Whether an entry of `byteCount` may still wait here.
  func hasRoom(for byteCount: Int, flying: Int) -> Bool {
    open.count + flying < LedgerLimits.openEntries && openBytes + byteCount <= LedgerLimits.openBytes
  }

  mutating func push(_ entry: OpenEntry) {
    open.append(entry)
    openBytes += entry.entry.preimageCount
  }

  /// The reference of the entry at `offset` of `open`.
  func reference(at offset: Int) -> OwnRef {
    let index = sealed.size + UInt64(offset)
    let leaf = open[offset].leaf
    return OwnRef(
      feed: feed, index: index, leaf: leaf, id: Names.entryID(feed: feed, index: index, leaf: leaf))
  }

  /// Takes the first entries that fit one commit and moves the tree past them. Nil when none waits.
  mutating func seal() -> (from: UInt64, entries: [OpenEntry])? {
    var count = 0
    var bytes = 0
    for entry in open.prefix(LedgerLimits.commitEntries) {
      let size = entry.entry.preimageCount
      if count > 0 && bytes + size > LedgerLimits.commitBytes { break }
      bytes += size
      count += 1
    }
    guard count > 0 else { return nil }
    let from = sealed.size
    let taken = Array(open.prefix(count))
    open.removeFirst(count)
    openBytes -= bytes
    for entry in taken { sealed.append(entry.leaf) }
    return (from, taken)
  }

  /// Everything behind `stored` is taken back but what is durable by itself. Returns the first index that is gone.
  mutating func rollBack(to stored: MerkleFrontier, lost: [OpenEntry]) -> UInt64? {
    let before = nextIndex
    var kept = (lost + open).filter { $0.isDurable }
    if stored.size == 0, let begin { kept.insert(begin, at: 0) }
    sealed = stored
    open = kept
    openBytes = kept.reduce(0) { $0 + $1.entry.preimageCount }
    return nextIndex < before ? nextIndex : nil
  }

  /// Takes back the newest entries that were never handed to the store: nobody was told of them as durable. Returns
  /// the first index that is gone.
  mutating func takeBackFresh() -> UInt64? {
    let before = nextIndex
    while let last = open.last, !last.isPut, last.heldKey == nil, last.entry.kind != .begin {
      openBytes -= last.entry.preimageCount
      open.removeLast()
    }
    return nextIndex < before ? nextIndex : nil
  }

  /// Marks entries as handed to the store, to wait there, and returns those that were not yet. `onlyHeld`: those alone
  /// that stand there in an older form.
  mutating func takeUnput(nextKey: inout UInt64, onlyHeld: Bool) -> [(key: UInt64, entry: Entry)] {
    var result: [(key: UInt64, entry: Entry)] = []
    for offset in open.indices where !open[offset].isPut && (!onlyHeld || open[offset].heldKey != nil) {
      let key: UInt64
      if let old = open[offset].heldKey {
        key = old
      } else {
        key = nextKey
        nextKey += 1
      }
      open[offset].heldKey = key
      open[offset].isPut = true
      result.append((key, open[offset].entry))
    }
    return result
  }

  /// The held entry with `key` is durable: how far all are, counted from the feed's start.
  mutating func onHeldStored(_ key: UInt64) -> UInt64? {
    guard let offset = open.firstIndex(where: { $0.heldKey == key }) else { return nil }
    open[offset].isDurable = true
    return sealed.size + UInt64(offset) + 1
  }
}
