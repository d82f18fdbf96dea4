// Owns: how a host that was heard of becomes one that was met: a queue of records and our own handshakes to them.
// Refuses to know: who told of them.
// Tables that inbound packets fill are eclipsed (Marcus et al. 2018, eprint 2018/236).

import TallyBase
import TallyCrypto
import TallyWire

/// Records that are heard of and not proven, in order of arrival, and the few that are being proven.
struct ProofQueue: Sendable {
  struct Attempt: Sendable {
    var record: NodeRecord
    /// Index into the record's endpoints that is tried now.
    var endpoint: Int
  }

  private(set) var waiting: [NodeRecord] = []
  private(set) var underWay: [PublicKey: Attempt] = [:]

  func record(of key: PublicKey) -> NodeRecord? {
    underWay[key]?.record ?? waiting.first { $0.key == key }
  }

  /// The oldest one is forgotten when the queue is full.
  mutating func add(_ record: NodeRecord) {
    if let known = underWay[record.key] {
      if known.record.number < record.number { underWay[record.key]?.record = record }
      return
    }
    if let index = waiting.firstIndex(where: { $0.key == record.key }) {
      if waiting[index].number < record.number { waiting[index] = record }
      return
    }
    if waiting.count == TableLimits.unproven { waiting.removeFirst() }
    waiting.append(record)
  }

  mutating func begin() -> NodeRecord? {
    guard underWay.count < TableLimits.proofsUnderWay, !waiting.isEmpty else { return nil }
    let record = waiting.removeFirst()
    underWay[record.key] = Attempt(record: record, endpoint: 0)
    return record
  }

  /// The next endpoint of an attempt whose last one did not answer; nil ends it.
  mutating func nextEndpoint(of key: PublicKey, count: Int) -> Int? {
    guard var attempt = underWay[key] else { return nil }
    attempt.endpoint += 1
    guard attempt.endpoint < count else {
      underWay[key] = nil
      return nil
    }
    underWay[key] = attempt
    return attempt.endpoint
  }

  mutating func end(_ key: PublicKey) {
    underWay[key] = nil
    waiting.removeAll { $0.key == key }
  }
}

extension RoutingTable {
  /// The narrowest scope in which this host is reached: addresses of narrower ones mean nothing here.
  var ownScope: Address.Scope { own?.record.endpoints.map(\.address.scope).min() ?? .local }

  /// A record that somebody told of. It is proven when there is room for it; its signature is checked before that.
  public mutating func learned(_ record: NodeRecord, now: Instant, into effects: inout [TableEffect]) {
    guard record.key != me, !record.endpoints(reachableFrom: ownScope).isEmpty else { return }
    if let known = entry(of: record.key) {
      guard known.record.number < record.number else { return }
      if record.endpoints.contains(known.endpoint) {
        if accept(record, from: nil, into: &effects) { renew(record, into: &effects) }
        return
      }
    } else if let session = sessions[record.key], let dialled = session.dialledAt, record.endpoints.contains(dialled) {
      // Already met there by our own handshake.
      if accept(record, from: nil, into: &effects) { prove(record, at: dialled, now: now, into: &effects) }
      return
    } else if !places[min(rank(of: nodeID(record.key)), TableLimits.rankCount - 1)].hasRoom {
      return
    }
    proofs.add(record)
    beginProofs(now: now, into: &effects)
  }

  func nodeID(_ key: PublicKey) -> NodeID { Names.nodeID(mesh: mesh, key: key) }

  /// Verifies, once. False: nothing of the record may be used.
  mutating func accept(_ record: NodeRecord, from teller: PublicKey?, into effects: inout [TableEffect]) -> Bool {
    switch cache.check(record) {
    case .newer, .same: return true
    case .older: return false
    case .bad:
      if let teller { effects.append(.fault(teller, .badSignature(of: record.key))) }
      return false
    case .equivocation:
      effects.append(.fault(record.key, .equivocation(of: record.key)))
      return false
    }
  }

  mutating func beginProofs(now: Instant, into effects: inout [TableEffect]) {
    while let record = proofs.begin() {
      guard accept(record, from: nil, into: &effects),
        let endpoint = record.endpoints(reachableFrom: ownScope).first
      else {
        proofs.end(record.key)
        continue
      }
      timers.arm(.proof(record.key), at: now + TableLimits.proofTimeout)
      effects.append(.wantSession(peer: record.key, at: endpoint))
    }
  }

  mutating func proofTimedOut(_ key: PublicKey, now: Instant, into effects: inout [TableEffect]) {
    let endpoints = proofs.record(of: key)?.endpoints(reachableFrom: ownScope) ?? []
    if let next = proofs.nextEndpoint(of: key, count: endpoints.count) {
      timers.arm(.proof(key), at: now + TableLimits.proofTimeout)
      effects.append(.wantSession(peer: key, at: endpoints[next]))
    }
    beginProofs(now: now, into: &effects)
  }

  /// Our own handshake met `record`'s host at `endpoint`, which it advertises: it may have a place.
  mutating func prove(_ record: NodeRecord, at endpoint: Endpoint, now: Instant, into effects: inout [TableEffect]) {
    precondition(record.endpoints.contains(endpoint), "\(record.key) proven at \(endpoint), not advertised")
    proofs.end(record.key)
    timers.cancel(.proof(record.key))
    let wasEmpty = count == 0
    let id = nodeID(record.key)
    let rank = rank(of: id)
    guard rank < TableLimits.rankCount, accept(record, from: record.key, into: &effects) else { return }
    switch places[rank].admit(TableEntry(record: record, id: id, endpoint: endpoint, now: now)) {
    case .entered: enter(record.key, rank: rank, now: now, into: &effects)
    case .tookPlace(let gone):
      forget(gone, into: &effects)
      enter(record.key, rank: rank, now: now, into: &effects)
    case .waits: break
    case .updated: keep(record, into: &effects)
    }
    if wasEmpty && count > 0 { startRefresh(now: now) }
    beginProofs(now: now, into: &effects)
  }

  mutating func enter(_ key: PublicKey, rank: Int, now: Instant, into effects: inout [TableEffect]) {
    ranks[key] = rank
    timers.arm(.ping(key), at: now + generator.jittered(TableLimits.pingIntervalFirst, percent: 20))
    if let record = entry(of: key)?.record { keep(record, into: &effects) }
    effects.append(.entered(key))
  }

  /// The entry of `key` has lost its place.
  mutating func forget(_ key: PublicKey, into effects: inout [TableEffect]) {
    ranks[key] = nil
    pings[key] = nil
    timers.cancel(.ping(key))
    effects.append(.delete(table: TableLimits.storeTable, key: key.bytes))
    effects.append(.removed(key))
  }

  private mutating func renew(_ record: NodeRecord, into effects: inout [TableEffect]) {
    guard let rank = ranks[record.key] else { return }
    _ = places[rank].update(record.key) { $0.record = record }
    keep(record, into: &effects)
  }

  private func keep(_ record: NodeRecord, into effects: inout [TableEffect]) {
    effects.append(.store(table: TableLimits.storeTable, key: record.key.bytes, value: record.encoded))
  }
}
