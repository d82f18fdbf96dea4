// Owns: which links are wanted, who dials them and when, and the seeds. Refuses to know: how a link is opened.

import TallyBase
import TallyWire

extension Membership {
  /// The wanted links are computed again shortly: one computation for many changes.
  mutating func planSoon(now: Instant) {
    if !hasLeft && !timers.isArmed(.plan) { timers.arm(.plan, at: now + GossipLimits.planDelay) }
  }

  mutating func plan(now: Instant, into effects: inout [MeshEffect]) {
    let others = keys.compactMap { key -> LinkPlan.Place? in
      guard let host = hosts[key], host.isLinkable else { return nil }
      return LinkPlan.Place(key: key, id: host.id, rings: host.ringPlaces)
    }
    let mine = LinkPlan.Place(key: me, id: id, rings: [])
    targets = LinkPlan.targets(me: mine, others: others)
    for key in targets where links[key] == nil && !timers.isArmed(.dial(key)) {
      guard let host = hosts[key] else { continue }
      // Both ends want this link; the lower ID dials, the other only when nothing comes.
      let turn = id < host.id ? Interval.milliseconds(0) : GossipLimits.dialDeference
      let wait = host.dials > 1 ? max(turn, Self.pause(afterDials: host.dials)) : turn
      timers.arm(.dial(key), at: now + generator.jittered(wait, percent: 20))
    }
    for key in linkedPeers {
      guard let link = links[key], link.weDialled else { continue }
      if targets.partition(contains: key) {
        timers.cancel(.drop(key))
      } else if !timers.isArmed(.drop(key)) {
        timers.arm(.drop(key), at: max(now, link.since + GossipLimits.unwantedKept))
      }
    }
  }

  mutating func dialDue(_ key: PublicKey, now: Instant, into effects: inout [MeshEffect]) {
    guard !hasLeft, links[key] == nil, targets.partition(contains: key), let host = hosts[key], host.isLinkable,
      let endpoint = dialEndpoint(of: host, attempt: host.dials)
    else { return }
    effects.append(.wantLink(peer: key, at: endpoint))
    let wait = Self.pause(afterDials: host.dials)
    hosts[key]?.dials += 1
    timers.arm(.dial(key), at: now + generator.jittered(wait, percent: 30))
  }

  /// 1 s, doubling up to 30 s.
  private static func pause(afterDials dials: Int) -> Interval {
    min(GossipLimits.dialFirst * (1 << Int64(min(dials, 8))), GossipLimits.dialLast)
  }

  /// A link that we dialled and that nobody here wants any more. The other side dials if it does.
  mutating func dropDue(_ key: PublicKey, into effects: inout [MeshEffect]) {
    guard let link = links[key], link.weDialled, !targets.partition(contains: key) else { return }
    effects.append(.dropLink(peer: key))
  }

  /// Seeds are tried for ever, also while all is well: two halves of a mesh that lost each other meet there again.
  mutating func seedDue(_ index: Int, now: Instant, into effects: inout [MeshEffect]) {
    let seed = config.seeds[index]
    let lately = hosts[seed.key]?.heardAt.map { now < $0 + GossipLimits.dialLast } ?? false
    let isKnown = hosts[seed.key]?.standing == .member && lately
    if links[seed.key] != nil || isKnown {
      seedFailures[index] = 0
      timers.arm(.seed(index), at: now + generator.jittered(GossipLimits.dialLast, percent: 30))
      return
    }
    effects.append(.wantLink(peer: seed.key, at: seed.endpoint))
    let wait = min(GossipLimits.dialFirst * (1 << Int64(min(seedFailures[index], 8))), GossipLimits.dialLast)
    seedFailures[index] += 1
    timers.arm(.seed(index), at: now + generator.jittered(wait, percent: 30))
  }
}

extension Array where Element: Comparable {
  /// Whether this sorted array holds `value`. O(log n).
  func partition(contains value: Element) -> Bool {
    let place = partition(before: value)
    return place < count && self[place] == value
  }
}
