// Owns: when an entry is pinged, what silence does to it, and the refresh of the ranks.
// Refuses to know: membership's own probes; whatever packet came counts as life.

import TallyBase
import TallyWire

struct PendingPing: Sendable {
  var sent: [(nonce: UInt64, at: Instant)] = []
}

extension RoutingTable {
  mutating func heard(_ peer: PublicKey, now: Instant) {
    guard let rank = ranks[peer] else { return }
    let wasSilent = places[rank].update(peer) { entry in
      let wasSilent = entry.failures > 0
      entry.failures = 0
      entry.heardAt = now
      return wasSilent
    }
    if pings.removeValue(forKey: peer) != nil || wasSilent == true { armPing(peer, now: now) }
  }

  mutating func onPong(_ message: HopMessage, from peer: PublicKey, now: Instant) {
    // A nonce that is not ours answers somebody else's ping: membership asks too.
    if case .pong(let nonce, _) = message, let rank = ranks[peer],
      let sent = pings[peer]?.sent.first(where: { $0.nonce == nonce })
    {
      _ = places[rank].update(peer) { entry in
        entry.roundTrip.sample(now - sent.at)
        entry.pingInterval = min(entry.pingInterval * 2, TableLimits.pingIntervalLast)
      }
    }
    heard(peer, now: now)
  }

  private mutating func armPing(_ peer: PublicKey, now: Instant) {
    guard let entry = entry(of: peer) else { return }
    timers.arm(.ping(peer), at: now + generator.jittered(entry.pingInterval, percent: 20))
  }

  /// The timer of an entry: time for a ping, or the last one was not answered.
  mutating func pingDue(_ peer: PublicKey, now: Instant, into effects: inout [TableEffect]) {
    guard let rank = ranks[peer], let entry = entry(of: peer) else { return }
    if pings[peer] == nil && entry.isServed && entry.heardAt + entry.pingInterval > now {
      // Other traffic showed it alive: the next ping may wait longer.
      _ = places[rank].update(peer) { $0.pingInterval = min($0.pingInterval * 2, TableLimits.pingIntervalLast) }
      timers.arm(.ping(peer), at: entry.heardAt + generator.jittered(entry.pingInterval, percent: 20))
      return
    }
    var pending = pings[peer] ?? PendingPing()
    if pending.sent.count == TableLimits.pingTries {
      pings[peer] = nil
      cycleFailed(peer, rank: rank, now: now, into: &effects)
      return
    }
    let nonce = generator.next64()
    pending.sent.append((nonce, now))
    pings[peer] = pending
    timers.arm(.ping(peer), at: now + questionTimeout(entry.roundTrip))
    effects.append(.datagram(to: peer, at: entry.endpoint, message: HopMessage.ping(nonce: nonce).bytes))
  }

  private mutating func cycleFailed(_ peer: PublicKey, rank: Int, now: Instant, into effects: inout [TableEffect]) {
    let failures = places[rank].update(peer) { entry in
      entry.failures += 1
      entry.pingInterval = TableLimits.pingIntervalFirst
      return entry.failures
    }
    guard let failures else { return }
    if failures >= TableLimits.failuresDead {
      if let next = places[rank].replace(peer) {
        forget(peer, into: &effects)
        enter(next.key, rank: rank, now: now, into: &effects)
        return
      }
      if let entry = entry(of: peer), entry.heardAt + TableLimits.deadForgotten <= now {
        places[rank].remove(peer)
        forget(peer, into: &effects)
        return
      }
    }
    let wait = min(TableLimits.retryFirst * (1 << Int64(min(failures - 1, 7))), TableLimits.retryLast)
    timers.arm(.ping(peer), at: now + generator.jittered(wait, percent: 20))
  }

  func questionTimeout(_ roundTrip: RoundTrip) -> Interval {
    roundTrip.timeout(
      least: TableLimits.questionTimeoutLeast, most: TableLimits.questionTimeoutMost,
      unknown: TableLimits.questionTimeoutUnknown)
  }

  // MARK: Refresh (Kademlia, section 2.3)

  /// The first entry came: look around soon, and from then on now and again.
  mutating func startRefresh(now: Instant) {
    timers.arm(.refreshOwn, at: now + generator.jittered(.seconds(1), percent: 50))
    timers.arm(.refreshRank, at: now + generator.jittered(TableLimits.rankRefreshInterval, percent: 30))
  }

  mutating func refreshOwn(now: Instant, into effects: inout [TableEffect]) {
    timers.arm(.refreshOwn, at: now + generator.jittered(TableLimits.refreshInterval, percent: 20))
    begin(id, isInternal: true, now: now, into: &effects)
  }

  mutating func refreshRank(now: Instant, into effects: inout [TableEffect]) {
    timers.arm(.refreshRank, at: now + generator.jittered(TableLimits.rankRefreshInterval, percent: 20))
    guard let deepest = places.lastIndex(where: { !$0.entries.isEmpty }) else { return }
    begin(randomID(rank: generator.below(deepest + 1)), isInternal: true, now: now, into: &effects)
  }

  /// A random ID that shares exactly `rank` leading bits with ours.
  mutating func randomID(rank: Int) -> NodeID {
    precondition((0..<TableLimits.rankCount).contains(rank), "no rank \(rank)")
    let own = id.raw.bytes
    var bytes = generator.bytes(Bytes32.byteCount)
    let whole = rank / 8
    for index in 0..<whole { bytes[index] = own[index] }
    let bit = UInt8(0x80) >> UInt8(rank % 8)
    let kept = ~(bit | (bit &- 1))
    bytes[whole] = own[whole] & kept | ~own[whole] & bit | bytes[whole] & (bit &- 1)
    guard let raw = Bytes32(bytes) else { preconditionFailure("\(bytes.count) bytes of ID") }
    return NodeID(raw: raw)
  }
}
