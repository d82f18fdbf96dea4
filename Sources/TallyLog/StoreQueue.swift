// Owns: what the ledger wants stored, in order: in the open turn, or in a commit that is on its way.
// Refuses to know: what follows when it is durable or lost.

import TallyBase
import TallyWire

/// A run of checked entries, own or foreign, on its way to the store.
struct CheckedRange: Sendable {
  let row: FeedRow
  let from: UInt64
  let entries: [Entry]
  let leaves: [Digest]
  let head: Head
  /// The tree after the run.
  let frontier: MerkleFrontier
  /// Own runs only: the waiting entries that it was made of, in case they must wait again.
  let held: [OpenEntry]

  var byteCount: Int { entries.reduce(0) { $0 + $1.preimageCount } }
}

enum StoreItem: Sendable {
  case row(FeedRow)
  case range(CheckedRange)
  case own(CheckedRange)
  case fork(FeedID, index: UInt64, proof: [UInt8])
  case acknowledged(FeedID, by: PublicKey, size: UInt64)
  case held(key: UInt64, entry: Entry)
  case unheld(key: UInt64)
  /// As many bytes as a commit needs: durable means that there is room again.
  case probe
  case unprobe

  var operation: StoreOperation {
    switch self {
    case .row(let row): .feed(row)
    case .range(let range), .own(let range):
      .entries(feed: range.row.feed, from: range.from, entries: range.entries, head: range.head)
    case .fork(let feed, let index, let proof): .forkProof(feed: feed, index: index, proof: proof)
    case .acknowledged(let feed, let by, let size): .acknowledged(feed: feed, by: by, size: size)
    case .held(let key, let entry): .put(table: .ledger, key: HeldKey.encode(key), value: entry.preimage)
    case .unheld(let key): .delete(table: .ledger, key: HeldKey.encode(key))
    case .probe:
      .put(table: .ledger, key: HeldKey.probe, value: [UInt8](repeating: 0xa5, count: LedgerLimits.probeBytes))
    case .unprobe: .delete(table: .ledger, key: HeldKey.probe)
    }
  }
}

/// Keys of the ledger's table: `h` ‖ number, most significant byte first, so that they sort; and `probe`.
enum HeldKey {
  static let probe: [UInt8] = Array("probe".utf8)

  static func encode(_ number: UInt64) -> [UInt8] {
    [0x68] + (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
  }

  static func decode(_ key: [UInt8]) -> UInt64? {
    guard key.count == 9, key[0] == 0x68 else { return nil }
    return key.dropFirst().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

struct StoreQueue: Sendable {
  private var open: [StoreItem] = []
  private var flying: [Flight] = []
  /// Bytes of foreign entries that are checked and not durable.
  private(set) var foreignBytes = 0
  /// Own entries that are sealed and not durable.
  private(set) var ownEntries = 0

  private struct Flight: Sendable {
    let commit: UInt64
    let items: [StoreItem]
  }

  mutating func add(_ item: StoreItem) {
    count(item, 1)
    open.append(item)
  }

  /// Puts the open items into `commit` and returns their operations.
  mutating func close(commit: UInt64) -> [StoreOperation] {
    guard !open.isEmpty else { return [] }
    precondition(flying.last.map { $0.commit < commit } ?? true, "commit \(commit) is not behind the ones before")
    flying.append(Flight(commit: commit, items: open))
    open.removeAll()
    return flying[flying.count - 1].items.map(\.operation)
  }

  /// What became durable, in order.
  mutating func onPersisted(through: UInt64) -> [StoreItem] { take { $0.commit <= through } }

  /// What is lost, in order: the failed commits and the open turn, which would follow a gap.
  mutating func onFailed(from: UInt64) -> [StoreItem] {
    var lost = take { $0.commit >= from }
    for item in open { count(item, -1) }
    lost += open
    open.removeAll()
    return lost
  }

  private mutating func take(_ isTaken: (Flight) -> Bool) -> [StoreItem] {
    let items = flying.filter(isTaken).flatMap(\.items)
    flying.removeAll(where: isTaken)
    for item in items { count(item, -1) }
    return items
  }

  private mutating func count(_ item: StoreItem, _ sign: Int) {
    switch item {
    case .range(let range): foreignBytes += sign * range.byteCount
    case .own(let range): ownEntries += sign * range.entries.count
    default: break
    }
  }
}
