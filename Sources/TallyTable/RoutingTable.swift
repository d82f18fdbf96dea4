// Owns: the peer table of one host: ranks of proven hosts, their liveness, proofs and lookups under way.
// Refuses to know: sockets, sessions' keys, members. Kademlia (Maymounkov and Mazières 2002); DESIGN section 6.

import TallyBase
import TallyCrypto
import TallyWire

/// A peer enters only after our own handshake to an address that its signed record advertises; a live one is never
/// evicted for a newcomer; nobody unproven is handed out.
public struct RoutingTable: Sendable {
  public let mesh: MeshID
  public let me: PublicKey
  public let id: NodeID

  var places: [Bucket]
  /// The rank of every entry that has a place.
  var ranks: [PublicKey: Int] = [:]
  var cache: RecordCache
  var own: RecordWithAttributes?
  var sessions: [PublicKey: TableSession] = [:]
  var proofs = ProofQueue()
  var pings: [PublicKey: PendingPing] = [:]
  var lookups: [LookupID: Lookup] = [:]
  /// FINDs in flight, by the ID that comes back.
  var questions: [UInt64: Question] = [:]
  var lookupCount: UInt64 = 0
  var timers = TimerTable<TableTimer>()
  var generator: Generator

  public init(mesh: MeshID, me: PublicKey, generator: Generator) {
    self.mesh = mesh
    self.me = me
    self.generator = generator
    id = Names.nodeID(mesh: mesh, key: me)
    places = (0..<TableLimits.rankCount).map { Bucket(rank: $0) }
    cache = RecordCache(mesh: mesh, limit: TableLimits.verifiedRecords)
  }

  // MARK: Inputs

  /// What the store kept (table 1). All of it is unproven: each host is met again before it has a place.
  public mutating func load(
    _ stored: [(key: [UInt8], value: [UInt8])], now: Instant, into effects: inout [TableEffect]
  ) {
    for row in stored {
      do {
        learned(try NodeRecord(decoding: row.value), now: now, into: &effects)
      } catch {
        // A row of another version, or a damaged one: worth nothing, since whoever is there is met again anyway.
        effects.append(.delete(table: TableLimits.storeTable, key: row.key))
      }
    }
  }

  /// This host's own record and attribute block, whenever membership makes a new one.
  public mutating func setOwn(_ own: RecordWithAttributes) {
    precondition(own.record.key == me, "own record of \(own.record.key)")
    self.own = own
  }

  public mutating func onSessionUp(
    _ peer: PublicKey, at endpoint: Endpoint, weDialled: Bool, now: Instant, into effects: inout [TableEffect]
  ) {
    guard sessions[peer] != nil || sessions.count < TableLimits.sessions else { return }
    var session = sessions[peer] ?? TableSession(endpoint: endpoint, now: now)
    session.endpoint = endpoint
    if weDialled { session.dialledAt = endpoint }
    sessions[peer] = session
    heard(peer, now: now)
    guard weDialled else { return }
    let known = proofs.record(of: peer) ?? entry(of: peer)?.record ?? cache[peer]
    if let record = known, record.endpoints.contains(endpoint) {
      prove(record, at: endpoint, now: now, into: &effects)
    } else {
      sessions[peer]?.askedRecord = true
      effects.append(.datagram(to: peer, at: endpoint, message: GetRecord(key: peer).message))
    }
  }

  public mutating func onSessionDown(_ peer: PublicKey, now: Instant, into effects: inout [TableEffect]) {
    sessions[peer] = nil
  }

  /// An authenticated packet of any type came from `peer`.
  public mutating func onPacket(from peer: PublicKey, now: Instant) { heard(peer, now: now) }

  /// FIND, NODES, GET_RECORD, RECORD and PONG; `message` is type and body. Other types are a fault.
  public mutating func onMessage(
    _ message: [UInt8], from peer: PublicKey, now: Instant, into effects: inout [TableEffect]
  ) {
    let type = MessageType(rawValue: message.first ?? 0)
    if type != .pong { heard(peer, now: now) }
    do throws(DecodeError) {
      switch type {
      case .find: onFind(try Find(message: message), from: peer, now: now, into: &effects)
      case .nodes: onNodes(try Nodes(message: message), from: peer, now: now, into: &effects)
      case .getRecord: onGetRecord(try GetRecord(message: message), from: peer, now: now, into: &effects)
      case .record: onRecord(try RecordWithAttributes(message: message), from: peer, now: now, into: &effects)
      case .pong: onPong(try HopMessage(message), from: peer, now: now)
      default: throw .unknown(field: "table message", value: Int(type.rawValue))
      }
    } catch {
      effects.append(.fault(peer, .undecodable(error)))
    }
  }

  public var nextDeadline: Instant? { timers.next }

  public mutating func wake(now: Instant, into effects: inout [TableEffect]) {
    while let timer = timers.popDue(now) {
      switch timer {
      case .ping(let key): pingDue(key, now: now, into: &effects)
      case .proof(let key): proofTimedOut(key, now: now, into: &effects)
      case .question(let number): questionDue(number, now: now, into: &effects)
      case .lookup(let lookup): finish(lookup, now: now, into: &effects)
      case .refreshOwn: refreshOwn(now: now, into: &effects)
      case .refreshRank: refreshRank(now: now, into: &effects)
      }
    }
  }

  // MARK: Queries

  /// The proven records nearest to `target`, nearest first.
  public func closest(to target: NodeID, count: Int) -> [NodeRecord] {
    nearest(to: target, count: count) { _ in true }.map(\.record)
  }

  public func record(of peer: PublicKey) -> NodeRecord? {
    peer == me ? own?.record : entry(of: peer)?.record
  }

  /// Entries that have a place.
  public var count: Int { ranks.count }

  /// The ranks that hold anything, farthest first.
  public var buckets: [BucketView] {
    places.indices.filter { !places[$0].entries.isEmpty }.map { rank in
      let bucket = places[rank]
      return BucketView(
        rank: rank, capacity: bucket.capacity, entries: bucket.entries.map(BucketView.Entry.init),
        replacements: bucket.replacements.map(BucketView.Entry.init))
    }
  }

  // MARK: Places

  func rank(of other: NodeID) -> Int { id.raw.distance(to: other.raw).leadingZeroBitCount }

  func entry(of peer: PublicKey) -> TableEntry? {
    guard let rank = ranks[peer], let index = places[rank].index(of: peer) else { return nil }
    return places[rank].entries[index]
  }

  /// Served entries by distance. With r the rank of the target: rank r is nearest, then all deeper ranks together,
  /// then r − 1, r − 2 … 0, each wholly farther than the one before. O(entries looked at · log).
  func nearest(to target: NodeID, count: Int, where fits: (TableEntry) -> Bool) -> [TableEntry] {
    let own = min(rank(of: target), TableLimits.rankCount)
    var groups: [Range<Int>] = own < TableLimits.rankCount ? [own..<own + 1, own + 1..<TableLimits.rankCount] : []
    groups += stride(from: own - 1, through: 0, by: -1).map { $0..<$0 + 1 }
    var result: [TableEntry] = []
    for group in groups where result.count < count {
      var found: [(distance: Bytes32, entry: TableEntry)] = []
      for bucket in places[group] {
        for entry in bucket.entries where entry.isServed && fits(entry) {
          found.append((entry.id.raw.distance(to: target.raw), entry))
        }
      }
      found.sort { $0.distance < $1.distance }
      result += found.prefix(count - result.count).map(\.entry)
    }
    return result
  }
}

enum TableTimer: Hashable, Sendable {
  case ping(PublicKey)
  case proof(PublicKey)
  case question(UInt64)
  case lookup(LookupID)
  case refreshOwn
  case refreshRank
}

/// What the table knows of a session.
struct TableSession: Sendable {
  var endpoint: Endpoint
  /// Where our own handshake met it, if one did.
  var dialledAt: Endpoint?
  var askedRecord = false
  /// FINDs that it may still ask, in thousandths.
  var allowance = TableLimits.findBurst * 1000
  var allowanceAt: Instant

  init(endpoint: Endpoint, now: Instant) {
    self.endpoint = endpoint
    allowanceAt = now
  }

  /// Takes one question from the allowance; false when there is none left.
  mutating func ask(now: Instant) -> Bool {
    let earned = (now - allowanceAt).micros / 1000 * Int64(TableLimits.findsPerSecond)
    allowance = Int(min(Int64(allowance) + max(earned, 0), Int64(TableLimits.findBurst * 1000)))
    allowanceAt = now
    guard allowance >= 1000 else { return false }
    allowance -= 1000
    return true
  }
}

extension BucketView.Entry {
  init(_ entry: TableEntry) {
    self.init(
      key: entry.key, id: entry.id, record: entry.record, endpoint: entry.endpoint, provenAt: entry.provenAt,
      heardAt: entry.heardAt, failures: entry.failures, roundTrip: entry.roundTrip.smoothed)
  }
}
