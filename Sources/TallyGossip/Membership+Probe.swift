// Owns: whether a member answers here: pings, their round trips, the verdict "unreachable from here", the way back.
// Refuses to know: what others think of the member.

import TallyBase
import TallyWire

extension Membership {
  /// Between two signs of life of one member before it is asked for one.
  var probeInterval: Interval {
    let all = GossipLimits.probePerMember * Int64(max(keys.count, 1))
    return min(max(all, GossipLimits.probeLeast), GossipLimits.probeMost)
  }

  /// Anything authentic came: it is alive, whatever was thought.
  mutating func heard(_ peer: PublicKey, now: Instant, into effects: inout [MeshEffect]) {
    guard hosts[peer] != nil else { return }
    hosts[peer]?.heardAt = now
    guard let probe = hosts[peer]?.probe else { return }
    if probe.isUnreachable {
      effects.append(.reachable(peer))
      planSoon(now: now)
      hurry(now: now)
    }
    guard probe.isUnreachable || probe.unanswered > 0 || !probe.sent.isEmpty || probe.isForced else { return }
    hosts[peer]?.probe.answered()
    if hosts[peer]?.standing == .member { timers.arm(.probe(peer), at: now + probeInterval) }
  }

  /// A path that was broken works again: all others that were silent are asked soon, not after their back-off.
  private mutating func hurry(now: Instant) {
    if let hurriedAt, now < hurriedAt + GossipLimits.hurryInterval { return }
    hurriedAt = now
    for key in keys where hosts[key]?.probe.isUnreachable == true {
      hosts[key]?.probe.retries = 0
      let wait = Interval.milliseconds(Int64(generator.below(UInt64(2000))))
      if hosts[key]?.probe.sent.isEmpty == true { timers.arm(.probe(key), at: now + wait) }
    }
  }

  mutating func onHop(
    _ message: HopMessage, from peer: PublicKey, over transport: Transport, now: Instant,
    into effects: inout [MeshEffect]
  ) {
    switch message {
    case .ping(let nonce):
      let seen = transport == .link ? links[peer]?.endpoint : sessions[peer]?.endpoint
      guard let seen else { return }
      let pong = HopMessage.pong(nonce: nonce, observed: seen).bytes
      effects.append(
        transport == .link ? .link(to: peer, message: pong) : .datagram(to: peer, at: nil, message: pong))
    case .pong(let nonce, _):
      // A nonce that is not ours may be the peer table's: it takes what it knows.
      guard let sent = hosts[peer]?.probe.sent.first(where: { $0.nonce == nonce }) else { return }
      hosts[peer]?.roundTrip.sample(now - sent.at)
    default:
      break
    }
  }

  /// The probe timer of a member: time to ask, or the last question had no answer.
  mutating func probeDue(_ key: PublicKey, now: Instant, into effects: inout [MeshEffect]) {
    guard let host = hosts[key], host.standing == .member else { return }
    let probe = host.probe
    if probe.sent.isEmpty, !probe.isForced, !probe.isUnreachable, probe.unanswered == 0, let heardAt = host.heardAt {
      let due = heardAt + probeInterval
      if now < due {
        timers.arm(.probe(key), at: due)
        return
      }
    }
    if probe.sent.count == GossipLimits.probeTries {
      cycleFailed(key, now: now, into: &effects)
      return
    }
    sendProbe(host, now: now, into: &effects)
  }

  private mutating func sendProbe(_ host: Host, now: Instant, into effects: inout [MeshEffect]) {
    let key = host.key
    let nonce = generator.next64()
    let ping = HopMessage.ping(nonce: nonce).bytes
    let tries = host.probe.sent.count
    hosts[key]?.probe.sent.append(Probe.Sent(nonce: nonce, at: now))
    hosts[key]?.probe.unanswered = min(host.probe.unanswered + 1, 1_000_000)
    hosts[key]?.probe.isForced = false
    effects.append(.datagram(to: key, at: endpoint(of: host), message: ping))
    if tries == 1, let fresh = dialEndpoint(of: host, attempt: host.probe.unanswered / GossipLimits.probeTries) {
      // It may have started again and lost the session's keys: a new handshake is a question too.
      effects.append(.wantSession(peer: key, at: fresh))
    }
    let isLastTry = tries == GossipLimits.probeTries - 1
    if isLastTry || endpoint(of: host) == nil, links[key] != nil { effects.append(.link(to: key, message: ping)) }
    let timeout = host.roundTrip.timeout(
      least: GossipLimits.timeoutLeast, most: GossipLimits.timeoutMost, unknown: GossipLimits.timeoutUnknown)
    let patience = min(timeout * (1 << Int64(min(host.probe.unanswered, 5))), GossipLimits.timeoutMost)
    timers.arm(.probe(key), at: now + patience)
  }

  private mutating func cycleFailed(_ key: PublicKey, now: Instant, into effects: inout [MeshEffect]) {
    guard var probe = hosts[key]?.probe, let first = probe.sent.first else { return }
    let failingSince = probe.failingSince ?? first.at
    probe.failingSince = failingSince
    probe.sent = []
    if !probe.isUnreachable && failingSince + GossipLimits.unreachableAfter <= now {
      probe.isUnreachable = true
      probe.unreachableSince = now
      effects.append(.unreachable(key))
      // A link on which nothing came for that long is half open.
      if links[key] != nil { effects.append(.dropLink(peer: key)) }
      planSoon(now: now)
    }
    guard probe.isUnreachable, let since = probe.unreachableSince else {
      hosts[key]?.probe = probe
      timers.arm(.probe(key), at: now)
      return
    }
    let wait = GossipLimits.retryFirst * (1 << Int64(min(probe.retries, 16)))
    probe.retries += 1
    hosts[key]?.probe = probe
    // After a week it must come by itself, or be named by a seed.
    guard now < since + GossipLimits.retryFor else { return }
    timers.arm(.probe(key), at: now + generator.jittered(min(wait, GossipLimits.retryLast), percent: 30))
  }
}
