// Owns: who holds the places of one distance rank: admission and eviction.
// Refuses to know: pings, sessions, time beyond what entries carry.
// Kademlia (2002), section 2.2, without evict-on-full: a live entry never gives way to a newcomer.

import TallyBase
import TallyWire

/// A host that our own handshake met at an address it advertises.
struct TableEntry: Sendable {
  var record: NodeRecord
  let id: NodeID
  var endpoint: Endpoint
  var provenAt: Instant
  var heardAt: Instant
  /// Ping cycles without an answer since it was last heard.
  var failures = 0
  var roundTrip = RoundTrip()
  var pingInterval = TableLimits.pingIntervalFirst

  init(record: NodeRecord, id: NodeID, endpoint: Endpoint, now: Instant) {
    self.record = record
    self.id = id
    self.endpoint = endpoint
    provenAt = now
    heardAt = now
  }

  var key: PublicKey { record.key }
  /// May be handed out and asked: the last cycle of pings was answered.
  var isServed: Bool { failures == 0 }
  var isDead: Bool { failures >= TableLimits.failuresDead }
}

struct Bucket: Sendable {
  let capacity: Int
  /// Oldest first.
  private(set) var entries: [TableEntry] = []
  /// Proven hosts that found no place, the one that waits longest first.
  private(set) var replacements: [TableEntry] = []

  init(rank: Int) {
    capacity = rank < TableLimits.farCapacities.count ? TableLimits.farCapacities[rank] : TableLimits.capacity
  }

  enum Admission: Hashable {
    case entered
    /// A dead entry gave way.
    case tookPlace(of: PublicKey)
    /// Waits for a place; `inPlaceOf` waited longest and was forgotten.
    case waits(inPlaceOf: PublicKey?)
    case updated
  }

  func index(of key: PublicKey) -> Int? { entries.firstIndex { $0.record.key == key } }

  /// True when a proven newcomer would find a place or wait for one without pushing another out.
  var hasRoom: Bool {
    entries.count < capacity || replacements.count < TableLimits.replacements || entries.contains(where: \.isDead)
  }

  /// Takes a proven host.
  mutating func admit(_ entry: TableEntry) -> Admission {
    precondition(entries.count <= capacity, "rank with \(entries.count) of \(capacity) entries")
    if let index = index(of: entry.key) {
      refresh(&entries[index], with: entry)
      return .updated
    }
    if let index = replacements.firstIndex(where: { $0.key == entry.key }) { replacements.remove(at: index) }
    if entries.count < capacity {
      entries.append(entry)
      return .entered
    }
    if let dead = entries.firstIndex(where: \.isDead) {
      let gone = entries.remove(at: dead).key
      entries.append(entry)
      return .tookPlace(of: gone)
    }
    var forgotten: PublicKey?
    if replacements.count == TableLimits.replacements { forgotten = replacements.removeFirst().key }
    replacements.append(entry)
    return .waits(inPlaceOf: forgotten)
  }

  private func refresh(_ entry: inout TableEntry, with newer: TableEntry) {
    entry.record = newer.record
    entry.endpoint = newer.endpoint
    entry.provenAt = newer.provenAt
    entry.heardAt = newer.heardAt
    entry.failures = 0
  }

  /// Changes the entry of `key` in place; nil when it has no place.
  mutating func update<Result>(_ key: PublicKey, _ change: (inout TableEntry) -> Result) -> Result? {
    guard let index = index(of: key) else { return nil }
    return change(&entries[index])
  }

  /// Gives the place of a dead entry to the replacement that came last; nil when none waits.
  mutating func replace(_ key: PublicKey) -> TableEntry? {
    guard let index = index(of: key), entries[index].isDead, let next = replacements.popLast() else { return nil }
    entries.remove(at: index)
    entries.append(next)
    return next
  }

  mutating func remove(_ key: PublicKey) {
    entries.removeAll { $0.key == key }
    replacements.removeAll { $0.key == key }
  }
}
