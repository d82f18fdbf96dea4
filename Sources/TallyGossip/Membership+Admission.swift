// Owns: how candidates become members, what follows from it, and what is kept of it.
// Refuses to know: signatures; statements were verified when they came.

import TallyBase
import TallyCrypto
import TallyWire

extension Membership {
  /// The end of every input: what the new statements make of candidates and of this host, then one spread of it all.
  mutating func settle(
    from peer: PublicKey?, identity: borrowing Identity, now: Instant, into effects: inout [MeshEffect]
  ) {
    outrun(identity: identity, now: now, into: &effects)
    var changed = true
    while changed {
      changed = false
      if !isAdmitted, ownReached.contains(where: { wasMember($0.observer) }) {
        admitSelf(identity: identity, now: now, into: &effects)
        changed = true
      }
      guard candidateCount > 0 else { break }
      for key in keys where hosts[key]?.standing == .candidate {
        if promote(key, now: now, into: &effects) {
          changed = true
          signIfMet(key, identity: identity, into: &effects)
        }
      }
    }
    spread(except: peer, into: &effects)
  }

  /// This host is a member now: its word counts, so it says whom it met.
  private mutating func admitSelf(identity: borrowing Identity, now: Instant, into effects: inout [MeshEffect]) {
    isAdmitted = true
    view = nil
    effects.append(.admitted)
    if let ownRecord { spreading.append(.record(ownRecord)) }
    spreading += ownReached.map { .reached($0) }
    for key in keys { signIfMet(key, identity: identity, into: &effects) }
  }

  private mutating func signIfMet(_ key: PublicKey, identity: borrowing Identity, into effects: inout [MeshEffect]) {
    guard let host = hosts[key], let metAt = host.metAt, host.record.endpoints.contains(metAt) else { return }
    sign(.atAddress, of: key, at: metAt, identity: identity, into: &effects)
  }

  /// A candidate that we met, or that a member says it met, is a member. True when it became one now.
  @discardableResult
  mutating func promote(_ key: PublicKey, now: Instant, into effects: inout [MeshEffect]) -> Bool {
    guard let host = hosts[key], host.standing == .candidate else { return false }
    guard host.metAt != nil || host.reached.contains(where: { wasMember($0.observer) }) else { return false }
    guard keys.count - candidateCount < GossipLimits.members - 1 || dropOldestLeft(into: &effects) else {
      effects.append(.event(.candidateRefused(key, .meshFull)))
      remove(key)
      return false
    }
    hosts[key]?.standing = .member
    hosts[key]?.dials = 0
    candidateCount -= 1
    view = nil
    timers.cancel(.candidate(key))
    spreading += hosts[key]?.items ?? []
    keep(key, into: &effects)
    effects.append(.memberUp(key, host.record))
    guard host.leave == nil else {
      part(key, now: now, into: &effects)
      return true
    }
    // Everybody asks a newcomer once, not all in one moment.
    let width = min(Int64(keys.count) * 20, 2000)
    let wait = host.heardAt == nil ? Interval.milliseconds(Int64(generator.below(UInt64(width + 1)))) : probeInterval
    timers.arm(.probe(key), at: now + wait)
    planSoon(now: now)
    return true
  }

  /// Makes room for a member: the one that left first is forgotten. False when nobody left.
  private mutating func dropOldestLeft(into effects: inout [MeshEffect]) -> Bool {
    let left = keys.filter { hosts[$0]?.standing == .left }
    guard let oldest = left.min(by: { (hosts[$0]?.record.number ?? .none) < (hosts[$1]?.record.number ?? .none) })
    else { return false }
    remove(oldest)
    effects.append(.delete(table: GossipLimits.storeTable, key: oldest.bytes))
    return true
  }

  /// Tells every link but the one it came from. Each statement is spread once, when it is new here: exact, since it is
  /// kept for as long as its host is known.
  mutating func spread(except peer: PublicKey?, into effects: inout [MeshEffect]) {
    guard !spreading.isEmpty else { return }
    let items = spreading
    spreading = []
    let receivers = linkedPeers.filter { $0 != peer }
    guard !receivers.isEmpty else { return }
    for page in Members.pages(items, view: nil) {
      let message = page.message
      for receiver in receivers { effects.append(.link(to: receiver, message: message)) }
    }
  }

  // MARK: Candidates

  /// Dials back to a candidate's advertised address; when that fails and it opened a link to us, the link must do.
  mutating func candidateDue(
    _ key: PublicKey, identity: borrowing Identity, now: Instant, into effects: inout [MeshEffect]
  ) {
    guard let host = hosts[key], host.standing == .candidate else { return }
    guard now < host.knownSince + GossipLimits.candidateKept else {
      effects.append(.event(.candidateRefused(key, .neverReached)))
      remove(key)
      return
    }
    let endpoint = dialEndpoint(of: host, attempt: host.dials)
    if host.dials >= GossipLimits.candidateTries || endpoint == nil, let link = links[key], !link.weDialled {
      // It opened this link, and a TCP handshake challenges the path.
      hosts[key]?.metAt = link.endpoint
      sign(.overItsSession, of: key, at: link.endpoint, identity: identity, into: &effects)
      promote(key, now: now, into: &effects)
      return
    }
    if let endpoint { effects.append(.wantSession(peer: key, at: endpoint)) }
    hosts[key]?.dials += 1
    let isEarly = host.dials < GossipLimits.candidateTries
    let wait = isEarly ? Interval.seconds(1 << Int64(host.dials)) : GossipLimits.candidateRetry
    timers.arm(.candidate(key), at: now + generator.jittered(wait, percent: 20))
  }

  // MARK: Store

  func keep(_ key: PublicKey, into effects: inout [MeshEffect]) {
    guard let host = hosts[key] else { return }
    let value = Members(view: nil, items: host.items).encoded
    effects.append(.store(table: GossipLimits.storeTable, key: key.bytes, value: value))
  }

  /// The statements that make this host a member; its record is signed anew at each start.
  func keepOwn(into effects: inout [MeshEffect]) {
    let value = Members(view: nil, items: ownReached.map { .reached($0) }).encoded
    effects.append(.store(table: GossipLimits.storeTable, key: me.bytes, value: value))
  }

  /// One row of the store: written by us after verification, so that it is only decoded.
  mutating func load(
    _ row: (key: [UInt8], value: [UInt8]), now: Instant, into effects: inout [MeshEffect]
  ) {
    guard let key = PublicKey(row.key) else { return }
    let items: [Members.Item]
    do {
      items = try Members(decoding: row.value).items
    } catch {
      // Of another version, or damaged: the mesh will tell of this host again.
      effects.append(.delete(table: GossipLimits.storeTable, key: row.key))
      return
    }
    var host: Host?
    for item in items {
      switch item {
      case .record(let item) where item.record.key == key && key != me:
        host = Host(record: item.record, block: item.block, id: Names.nodeID(mesh: mesh, key: key), now: now)
      case .reached(let reached) where reached.subject == key:
        if key == me { ownReached.append(reached) } else { host?.reached.append(reached) }
      case .leave(let leave) where leave.key == key: host?.leave = leave
      default: break
      }
    }
    guard var host, hosts[key] == nil, keys.count < GossipLimits.members - 1 else { return }
    host.standing = host.leave == nil ? .member : .left
    add(host)
    guard host.standing == .member else { return }
    effects.append(.memberUp(key, host.record))
    timers.arm(.probe(key), at: now + .milliseconds(Int64(generator.below(UInt64(1000)))))
  }
}
