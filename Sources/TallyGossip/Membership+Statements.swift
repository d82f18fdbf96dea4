// Owns: the intake of signed statements: records, `reached`, good-byes; and how a candidate becomes a member.
// Refuses to know: how a statement travelled.

import TallyBase
import TallyCrypto
import TallyWire

extension Membership {
  // MARK: Own statements

  /// Signs this host's next record, with `number`.
  mutating func signRecord(above number: RecordNumber, identity: borrowing Identity, into effects: inout [MeshEffect]) {
    let block = config.attributes.encoded
    let digest = Self.attributesDigest(block)
    let endpoints = NodeRecord.canonical(config.endpoints)
    let bytes = NodeRecord.signedBytes(
      mesh: mesh, key: me, number: number, attributes: digest, endpoints: endpoints)
    let record = NodeRecord(
      key: me, number: number, attributes: digest, endpoints: endpoints, signature: identity.sign(bytes))
    let own = RecordWithAttributes(record: record, block: block)
    ownRecord = own
    view = nil
    spreading.append(.record(own))
    effects.append(.ownRecord(own))
  }

  /// First half of BLAKE2b-256("tally/attributes/1" ‖ block).
  public static func attributesDigest(_ block: [UInt8]) -> ShortDigest {
    ShortDigest(firstHalfOf: Blake2b.hash256(tag: "tally/attributes/1", [block]))
  }

  /// Somebody holds a record of this key with a number at or above ours: after a restored backup, or a second host
  /// with this key. Ours jumps above it, at most twice a second; the pause doubles while that goes on, so that two such
  /// hosts do not outrun each other for ever at everybody's cost.
  mutating func outrun(identity: borrowing Identity, now: Instant, into effects: inout [MeshEffect]) {
    guard let highest = seenOfMe.max(), let own = ownRecord?.record.number else { return }
    seenOfMe = []
    guard highest >= own else { return }
    if let renewedAt {
      if now < renewedAt + renewPause { return }
      let isDuel = now < renewedAt + renewPause * 4
      renewPause = isDuel ? min(renewPause * 2, GossipLimits.renewIntervalMost) : GossipLimits.renewInterval
    }
    renewedAt = now
    effects.append(.event(.ownRecordElsewhere(highest)))
    guard let next = highest.successor else { return }
    signRecord(above: next, identity: identity, into: &effects)
  }

  /// Our own handshake met `peer` at `endpoint`.
  mutating func met(
    _ peer: PublicKey, at endpoint: Endpoint, identity: borrowing Identity, now: Instant,
    into effects: inout [MeshEffect]
  ) {
    guard let host = hosts[peer] else { return }
    let isAdvertised = host.record.endpoints.contains(endpoint)
    guard isAdvertised || config.seeds.contains(where: { $0.key == peer }) else { return }
    hosts[peer]?.metAt = endpoint
    if isAdvertised { sign(.atAddress, of: peer, at: endpoint, identity: identity, into: &effects) }
    promote(peer, now: now, into: &effects)
  }

  /// Signs that this member met `peer`, unless enough others did.
  mutating func sign(
    _ how: Reached.How, of peer: PublicKey, at endpoint: Endpoint, identity: borrowing Identity,
    into effects: inout [MeshEffect]
  ) {
    guard isAdmitted, !hasLeft, let host = hosts[peer], host.standing != .left else { return }
    guard !host.reached.contains(where: { $0.observer == me }) else { return }
    let counted = host.reached.count { wasMember($0.observer) }
    guard counted < GossipLimits.reachedWanted, host.reached.count < GossipLimits.reachedKept else { return }
    let empty = Signature(first: .zero, second: .zero)
    let draft = Reached(
      how: how, subject: peer, number: host.record.number, endpoint: endpoint, observer: me, signature: empty)
    let reached = Reached(
      how: how, subject: peer, number: host.record.number, endpoint: endpoint, observer: me,
      signature: identity.sign(draft.signedBytes(mesh: mesh)))
    hosts[peer]?.reached.append(reached)
    if host.standing == .member {
      spreading.append(.reached(reached))
      keep(peer, into: &effects)
    }
  }

  // MARK: Intake

  mutating func take(_ item: Members.Item, from peer: PublicKey, now: Instant, into effects: inout [MeshEffect]) {
    switch item {
    case .record(let item): takeRecord(item, from: peer, now: now, into: &effects)
    case .reached(let item): takeReached(item, from: peer, now: now, into: &effects)
    case .leave(let item): takeLeave(item, from: peer, now: now, into: &effects)
    }
  }

  private func isSigned(_ record: NodeRecord) -> Bool {
    Ed25519.verify(record.signature, of: record.signedBytes(mesh: mesh), by: record.key)
  }

  /// False: the block is not what the record names, or does not decode.
  private func isBlockSound(_ item: RecordWithAttributes) -> Bool {
    if item.block.isEmpty { return true }
    guard Self.attributesDigest(item.block) == item.record.attributes else { return false }
    do { _ = try Attributes(decoding: item.block) } catch { return false }
    return true
  }

  private mutating func takeRecord(
    _ item: RecordWithAttributes, from peer: PublicKey, now: Instant, into effects: inout [MeshEffect]
  ) {
    let record = item.record
    if record.key == me {
      if record != ownRecord?.record, isSigned(record) { seenOfMe.append(record.number) }
      return
    }
    let known = hosts[record.key]
    if let known, record.number < known.record.number { return }
    if let known, known.record == record, item.block.isEmpty || known.block == item.block { return }
    guard isBlockSound(item) else {
      effects.append(.fault(peer, .badAttributes(of: record.key)))
      return
    }
    if let known, known.record == record {
      // Known until now without its block.
      hosts[record.key]?.block = item.block
      if known.standing != .candidate { keep(record.key, into: &effects) }
      return
    }
    guard isSigned(record) else {
      effects.append(.fault(peer, .badSignature(of: record.key)))
      return
    }
    if let known {
      guard known.record.number < record.number else {
        effects.append(.fault(record.key, .equivocation(of: record.key)))
        return
      }
      renew(record.key, with: item, now: now, into: &effects)
    } else {
      insert(item, from: peer, now: now, into: &effects)
    }
  }

  /// A newer record of a known host: it started again, moved, or changed what it offers.
  private mutating func renew(
    _ key: PublicKey, with item: RecordWithAttributes, now: Instant, into effects: inout [MeshEffect]
  ) {
    guard var host = hosts[key] else { return }
    let startedAgain = host.record.number.epoch < item.record.number.epoch
    let moved = host.record.endpoints != item.record.endpoints
    let returned = host.standing == .left
    host.record = item.record
    host.block = item.block
    host.leave = nil
    if returned { host.standing = .member }
    if startedAgain || moved || returned {
      // Whatever silence there was belongs to the run before.
      host.probe = Probe()
      host.probe.isForced = true
      host.dials = 0
    }
    hosts[key] = host
    view = nil
    guard host.standing == .member else { return }
    if startedAgain || moved || returned { timers.arm(.probe(key), at: now) }
    spreading.append(.record(item))
    keep(key, into: &effects)
    effects.append(returned ? .memberUp(key, item.record) : .memberChanged(key, item.record))
    planSoon(now: now)
  }

  /// A host that was not known: a candidate, within the limits.
  private mutating func insert(
    _ item: RecordWithAttributes, from peer: PublicKey, now: Instant, into effects: inout [MeshEffect]
  ) {
    let key = item.record.key
    if let refusal = refusal(of: item.record, from: peer) {
      effects.append(.event(.candidateRefused(key, refusal)))
      return
    }
    add(Host(record: item.record, block: item.block, id: Names.nodeID(mesh: mesh, key: key), now: now))
    let isOurs = links[key] != nil || sessions[key] != nil
    if let dialled = dialled(key) {
      hosts[key]?.metAt = dialled
    }
    let wait = isOurs ? Interval(micros: 0) : generator.jittered(GossipLimits.candidateOfOthers, percent: 50)
    timers.arm(.candidate(key), at: now + wait)
  }

  /// Where our own handshake met this host, if that is an address that it advertises, or a seed's.
  private func dialled(_ key: PublicKey) -> Endpoint? {
    guard let record = hosts[key]?.record else { return nil }
    var met: [Endpoint] = []
    if let link = links[key], link.weDialled { met.append(link.endpoint) }
    if let dialled = sessions[key]?.dialledAt { met.append(dialled) }
    if let endpoint = met.first(where: { record.endpoints.contains($0) }) { return endpoint }
    return config.seeds.contains { $0.key == key } ? met.first : nil
  }

  mutating func add(_ host: Host) {
    precondition(hosts[host.key] == nil, "host \(host.key) added twice")
    hosts[host.key] = host
    keys.insert(host.key, at: keys.partition(before: host.key))
    if host.standing == .candidate { candidateCount += 1 }
  }

  mutating func remove(_ key: PublicKey) {
    if hosts[key]?.standing == .candidate { candidateCount -= 1 }
    hosts[key] = nil
    keys.removeAll { $0 == key }
    for timer in [MeshTimer.candidate(key), .probe(key), .dial(key), .drop(key)] { timers.cancel(timer) }
  }

  private func refusal(of record: NodeRecord, from peer: PublicKey) -> CandidateRefusal? {
    guard candidateCount < GossipLimits.candidates else { return .tooManyCandidates }
    // A host without an address stands under the address of whoever told of it.
    let told = (links[peer]?.endpoint ?? sessions[peer]?.endpoint).map { [$0.address] } ?? []
    let claimed = record.endpoints.isEmpty ? told : record.endpoints.map(\.address)
    for address in claimed {
      let factor = address.scope == .loopback || address.scope == .local ? GossipLimits.localScopeFactor : 1
      var atAddress = 0
      var inGroup = 0
      for key in keys {
        guard let host = hosts[key], host.standing == .candidate else { continue }
        let addresses = host.record.endpoints.map(\.address)
        if addresses.contains(address) { atAddress += 1 }
        if addresses.contains(where: { $0.group == address.group }) { inGroup += 1 }
      }
      if atAddress >= GossipLimits.candidatesPerAddress * factor { return .tooManyAtAddress }
      if inGroup >= GossipLimits.candidatesPerGroup * factor { return .tooManyInGroup }
    }
    return nil
  }

  private mutating func takeReached(
    _ reached: Reached, from peer: PublicKey, now: Instant, into effects: inout [MeshEffect]
  ) {
    let held = reached.subject == me ? ownReached : hosts[reached.subject]?.reached
    // A statement about a host whose record is not known here says nothing here.
    guard let held, reached.observer != me, !held.contains(where: { $0.observer == reached.observer }) else { return }
    var kept = held
    if kept.count >= GossipLimits.reachedKept {
      // A member's word displaces a stranger's, so that strangers cannot fill the places.
      let weakest = kept.firstIndex { !wasMember($0.observer) && $0.observer != me }
      guard wasMember(reached.observer), let weak = weakest else { return }
      kept.remove(at: weak)
    }
    guard Ed25519.verify(reached.signature, of: reached.signedBytes(mesh: mesh), by: reached.observer) else {
      effects.append(.fault(peer, .badSignature(of: reached.observer)))
      return
    }
    kept.append(reached)
    if reached.subject == me {
      ownReached = kept
      keepOwn(into: &effects)
    } else {
      hosts[reached.subject]?.reached = kept
      if hosts[reached.subject]?.standing != .candidate { keep(reached.subject, into: &effects) }
    }
    if wasMember(reached.subject) { spreading.append(.reached(reached)) }
  }

  private mutating func takeLeave(
    _ leave: Leave, from peer: PublicKey, now: Instant, into effects: inout [MeshEffect]
  ) {
    guard let host = hosts[leave.key], host.leave == nil, leave.number >= host.record.number else { return }
    let bytes = Leave.signedBytes(mesh: mesh, key: leave.key, number: leave.number)
    guard Ed25519.verify(leave.signature, of: bytes, by: leave.key) else {
      effects.append(.fault(peer, .badSignature(of: leave.key)))
      return
    }
    hosts[leave.key]?.leave = leave
    // A candidate's good-bye counts once its membership does: see `promote`.
    guard host.standing == .member else { return }
    spreading.append(.leave(leave))
    part(leave.key, now: now, into: &effects)
  }

  /// A member that said good-bye is kept and no longer asked: a tombstone, so that nobody's old view revives it.
  mutating func part(_ key: PublicKey, now: Instant, into effects: inout [MeshEffect]) {
    hosts[key]?.standing = .left
    hosts[key]?.probe = Probe()
    view = nil
    timers.cancel(.probe(key))
    timers.cancel(.dial(key))
    keep(key, into: &effects)
    effects.append(.memberLeft(key))
    planSoon(now: now)
  }
}

extension Array where Element: Comparable {
  /// The index of the first element of this sorted array that is not below `value`. O(log n).
  func partition(before value: Element) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
