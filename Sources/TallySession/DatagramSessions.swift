// Owns: all UDP sessions of this host by number, the peers they belong to, and the handshakes under way.
// Refuses to know: TCP, and what messages mean. DESIGN section 5.

import TallyBase
import TallyCrypto
import TallyWire

struct DatagramSessions: Sendable {
  var sessions: [UInt32: DatagramSession] = [:]
  /// Numbers of a peer's sessions, the one to send with last.
  var byPeer: [PublicKey: [UInt32]] = [:]
  var dials: [UInt32: Dial] = [:]
  var dialsOf: [PublicKey: [UInt32]] = [:]
  /// Messages that wait for a peer's first session.
  var waiting: [PublicKey: [[UInt8]]] = [:]
  var halfOpens: [UInt32: HalfOpen] = [:]
  var halfOpenBy: [Bytes32: UInt32] = [:]
  var halfOpenGroups: [Address: Int] = [:]
  var timers = TimerTable<DatagramTimer>()

  // MARK: dialling

  mutating func connect(
    to peer: PublicKey, at endpoint: Endpoint, identity: borrowing Identity, now: Instant,
    context: inout SessionContext, into effects: inout [SessionEffect]
  ) {
    guard peer != context.keyring.me else {
      context.refuse(.ourself, from: endpoint, now: now, into: &effects)
      effects.append(.noAnswer(peer, at: endpoint))
      return
    }
    let running = dialsOf[peer, default: []]
    guard !running.contains(where: { dials[$0]?.endpoint == endpoint }) else { return }
    guard dials.count < SessionLimits.dialling, running.count < SessionLimits.sessionsPerPeer else {
      context.refuse(.tableFull, from: endpoint, now: now, into: &effects)
      effects.append(.noAnswer(peer, at: endpoint))
      return
    }
    let index = freeIndex(&context)
    guard
      let initiation = Initiation(
        to: peer, over: .datagram, sender: index, attempt: 0, keyring: context.keyring,
        ephemeral: context.generator.bytes32(), identity: identity)
    else {
      context.refuse(.badIdentity, from: endpoint, now: now, into: &effects)
      effects.append(.noAnswer(peer, at: endpoint))
      return
    }
    dials[index] = Dial(peer: peer, endpoint: endpoint, initiation: initiation)
    dialsOf[peer, default: []].append(index)
    effects.append(.transmit(to: endpoint, initiation.packet))
    armRetry(index, attempt: 0, now: now, context: &context)
  }

  private mutating func armRetry(_ index: UInt32, attempt: Int, now: Instant, context: inout SessionContext) {
    let wait = SessionLimits.firstRetry * Int64(1 << attempt)
    timers.arm(.retry(index), at: now + context.generator.jittered(wait, percent: 10))
  }

  /// Nobody answered in time: the next try, with the next mesh key, or the end of it.
  private mutating func retry(
    _ index: UInt32, identity: borrowing Identity, now: Instant, context: inout SessionContext,
    into effects: inout [SessionEffect]
  ) {
    guard let dial = dials[index] else { return }
    let attempt = dial.attempt + 1
    guard attempt < SessionLimits.handshakeTries,
      let initiation = Initiation(
        to: dial.peer, over: .datagram, sender: index, attempt: attempt, keyring: context.keyring,
        ephemeral: context.generator.bytes32(), identity: identity)
    else {
      giveUp(index, dial, now: now, context: &context, into: &effects)
      return
    }
    dials[index]?.initiation = initiation
    dials[index]?.attempt = attempt
    effects.append(.transmit(to: dial.endpoint, initiation.packet))
    armRetry(index, attempt: attempt, now: now, context: &context)
  }

  private mutating func giveUp(
    _ index: UInt32, _ dial: Dial, now: Instant, context: inout SessionContext, into effects: inout [SessionEffect]
  ) {
    endDial(index, dial.peer)
    context.refuse(.noAnswer, from: dial.endpoint, now: now, into: &effects)
    effects.append(.noAnswer(dial.peer, at: dial.endpoint))
    guard dialsOf[dial.peer] == nil else { return }
    waiting[dial.peer] = nil
    // A session there that has waited for an answer all the while is dead: the peer restarted or is gone.
    for number in byPeer[dial.peer, default: []] {
      guard let session = sessions[number], session.path.endpoint == dial.endpoint,
        let since = session.unansweredSince, now - since >= SessionLimits.silenceBeforeRenewal
      else { continue }
      drop(number, into: &effects)
    }
  }

  private mutating func endDial(_ index: UInt32, _ peer: PublicKey) {
    dials[index] = nil
    timers.cancel(.retry(index))
    dialsOf[peer]?.removeAll { $0 == index }
    if dialsOf[peer]?.isEmpty == true { dialsOf[peer] = nil }
  }

  // MARK: packets in

  mutating func datagram(
    _ bytes: [UInt8], from source: Endpoint, identity: borrowing Identity, now: Instant,
    context: inout SessionContext, into effects: inout [SessionEffect]
  ) {
    do throws(SessionFault) {
      switch bytes.first {
      case SessionPacket.initiate:
        try initiated(bytes, from: source, identity: identity, now: now, context: &context, into: &effects)
      case SessionPacket.respond:
        try responded(bytes, from: source, identity: identity, now: now, context: &context, into: &effects)
      case SessionPacket.data:
        try arrived(bytes, from: source, identity: identity, now: now, context: &context, into: &effects)
      case SessionPacket.hint:
        try hinted(bytes, from: source)
      default:
        throw SessionFault.unknownType
      }
    } catch {
      context.refuse(error, from: source, now: now, into: &effects)
    }
  }

  /// INIT: somebody wants a session. The cheapest refusals come first.
  private mutating func initiated(
    _ bytes: [UInt8], from source: Endpoint, identity: borrowing Identity, now: Instant,
    context: inout SessionContext, into effects: inout [SessionEffect]
  ) throws(SessionFault) {
    if bytes.count >= HintPacket.answeredFrom && bytes[1] != SessionPacket.version {
      effects.append(.transmit(to: source, Self.hint(for: bytes)))
      throw .unknownVersion
    }
    let checked = try CheckedInit(bytes, keyring: context.keyring)
    if let index = halfOpenBy[checked.ephemeral], let halfOpen = halfOpens[index] {
      effects.append(.transmit(to: source, halfOpen.answer))
      return
    }
    let group = source.address.group
    guard halfOpens.count < SessionLimits.halfOpen,
      source.address.scope == .loopback || halfOpenGroups[group, default: 0] < SessionLimits.halfOpenPerGroup
    else { throw .halfOpenFull }
    guard context.takeHandshake(now: now) else { throw .handshakeBudget }
    let index = freeIndex(&context)
    let answer = try checked.answer(
      over: .datagram, sender: index, keyring: context.keyring, ephemeral: context.generator.bytes32(),
      identity: identity)
    precondition(answer.packet.count <= bytes.count, "an answer longer than the question")
    halfOpens[index] = HalfOpen(
      peer: answer.peer, keys: answer.keys, remoteIndex: checked.packet.sender, remote: source,
      ephemeral: checked.ephemeral, answer: answer.packet)
    halfOpenBy[checked.ephemeral] = index
    halfOpenGroups[group, default: 0] += 1
    timers.arm(.halfOpen(index), at: now + SessionLimits.halfOpenLife)
    effects.append(.transmit(to: source, answer.packet))
  }

  /// Eight bytes that name our version and echo the packet's bytes 4 to 7.
  static func hint(for bytes: [UInt8]) -> [UInt8] {
    let echoed = bytes[4..<8].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return HintPacket(version: SessionPacket.version, receiver: echoed).bytes
  }

  /// RESPONSE: a handshake of ours was answered.
  private mutating func responded(
    _ bytes: [UInt8], from source: Endpoint, identity: borrowing Identity, now: Instant,
    context: inout SessionContext, into effects: inout [SessionEffect]
  ) throws(SessionFault) {
    let response: ResponsePacket
    do { response = try ResponsePacket(bytes) } catch { throw .malformed }
    guard let dial = dials[response.receiver] else { throw .unknownSession }
    let keys = try dial.initiation.finish(response, bytes: bytes, keyring: context.keyring, identity: identity)
    guard byPeer[dial.peer] != nil || byPeer.count < SessionLimits.peers else {
      giveUp(response.receiver, dial, now: now, context: &context, into: &effects)
      throw .tableFull
    }
    context.keyring.note(dial.peer, index: dial.initiation.keyIndex, answered: true)
    endDial(response.receiver, dial.peer)
    // Only who got our fresh key at that address could answer from it.
    var path = Path(source, isProven: source == dial.endpoint)
    path.noteReceived(bytes.count, from: source)
    add(
      DatagramSession(
        peer: dial.peer, index: response.receiver, remoteIndex: response.sender, keys: keys, path: path, now: now),
      weDialled: source == dial.endpoint, now: now, into: &effects)
    // The first sealed packet makes the keys take effect over there, and measures the round trip.
    pingNow(response.receiver, now: now, context: &context, into: &effects)
    let messages = waiting.removeValue(forKey: dial.peer) ?? []
    for message in messages { _ = send(message, to: dial.peer, now: now, into: &effects) }
    challenge(response.receiver, now: now, context: &context, into: &effects)
  }

  /// HINT: shown, never obeyed; anybody could have sent it. One that answers no handshake of ours is noise.
  private func hinted(_ bytes: [UInt8], from source: Endpoint) throws(SessionFault) {
    let hint: HintPacket
    do { hint = try HintPacket(bytes) } catch { throw .malformed }
    guard let dial = dials[hint.receiver], dial.endpoint == source else { throw .unknownSession }
    throw .hintedVersion
  }

  /// DATA: a sealed packet of a session, or the first one of a handshake that we answered.
  private mutating func arrived(
    _ bytes: [UInt8], from source: Endpoint, identity: borrowing Identity, now: Instant,
    context: inout SessionContext, into effects: inout [SessionEffect]
  ) throws(SessionFault) {
    let header: DataHeader
    do { header = try DataHeader(bytes) } catch { throw .malformed }
    let index = header.receiver
    if let halfOpen = halfOpens[index] {
      try confirm(
        halfOpen, bytes, header, from: source, now: now, context: &context, into: &effects)
      return
    }
    guard sessions[index] != nil else { throw .unknownSession }
    // Opened in place: a session's window and keys are not copied for a packet.
    guard
      let message = try sessions[index]?.open(bytes, header: header, from: source, now: now)
    else { throw .unknownSession }
    prefer(index)
    try receive(message, on: index, from: source, now: now, context: &context, into: &effects)
  }

  /// The initiator's first authenticated packet: now, and not before, its keys and address take effect.
  private mutating func confirm(
    _ halfOpen: HalfOpen, _ bytes: [UInt8], _ header: DataHeader, from source: Endpoint, now: Instant,
    context: inout SessionContext, into effects: inout [SessionEffect]
  ) throws(SessionFault) {
    let index = header.receiver
    // Our answer went to `remote`, and sealing takes what was in it: a packet from there proves that address.
    let path = Path(source, isProven: source == halfOpen.remote)
    var session = DatagramSession(
      peer: halfOpen.peer, index: index, remoteIndex: halfOpen.remoteIndex, keys: halfOpen.keys, path: path, now: now)
    let message = try session.open(bytes, header: header, from: source, now: now)
    forget(halfOpen: index)
    guard byPeer[session.peer] != nil || byPeer.count < SessionLimits.peers else { throw .tableFull }
    add(session, weDialled: false, now: now, into: &effects)
    let messages = waiting.removeValue(forKey: session.peer) ?? []
    for message in messages { _ = send(message, to: session.peer, now: now, into: &effects) }
    try receive(message, on: index, from: source, now: now, context: &context, into: &effects)
  }

  private mutating func add(
    _ session: DatagramSession, weDialled: Bool, now: Instant, into effects: inout [SessionEffect]
  ) {
    if byPeer[session.peer, default: []].count >= SessionLimits.sessionsPerPeer {
      let numbers = byPeer[session.peer, default: []]
      let quietest = numbers.min { left, right in
        (sessions[left]?.lastHeard.micros ?? .min) < (sessions[right]?.lastHeard.micros ?? .min)
      }
      if let quietest { remove(quietest) }
    }
    sessions[session.index] = session
    byPeer[session.peer, default: []].append(session.index)
    timers.arm(.idle(session.index), at: now + SessionLimits.sessionIdle)
    effects.append(.sessionUp(session.peer, at: session.path.endpoint, weDialled: weDialled))
    if session.path.isProven { effects.append(.addressProven(session.peer, session.path.endpoint)) }
  }

  /// The session that was heard last is the one to send with: the peer surely still has it.
  private mutating func prefer(_ index: UInt32) {
    guard let peer = sessions[index]?.peer, let numbers = byPeer[peer], numbers.last != index else { return }
    byPeer[peer] = numbers.filter { $0 != index } + [index]
  }

  // MARK: time

  mutating func wake(
    identity: borrowing Identity, now: Instant, context: inout SessionContext, into effects: inout [SessionEffect]
  ) {
    while let timer = timers.popDue(now) {
      switch timer {
      case .retry(let index):
        retry(index, identity: identity, now: now, context: &context, into: &effects)
      case .halfOpen(let index):
        forget(halfOpen: index)
      case .idle(let index):
        guard let session = sessions[index] else { break }
        let end = session.lastHeard + SessionLimits.sessionIdle
        if end <= now { drop(index, into: &effects) } else { timers.arm(.idle(index), at: end) }
      case .path(let index):
        challengeAgain(index, now: now, context: &context, into: &effects)
      case .silence(let index):
        guard let session = sessions[index], let since = session.unansweredSince else { break }
        let end = since + SessionLimits.silenceBeforeRenewal
        if end > now {
          timers.arm(.silence(index), at: end)
        } else if let endpoint = session.path.provenEndpoint {
          connect(
            to: session.peer, at: endpoint, identity: identity, now: now, context: &context,
            into: &effects)
        }
      }
    }
  }

  private mutating func forget(halfOpen index: UInt32) {
    guard let halfOpen = halfOpens.removeValue(forKey: index) else { return }
    halfOpenBy[halfOpen.ephemeral] = nil
    timers.cancel(.halfOpen(index))
    let group = halfOpen.remote.address.group
    let left = halfOpenGroups[group, default: 1] - 1
    halfOpenGroups[group] = left > 0 ? left : nil
  }

  /// A session ends; the peer is gone when it was the last.
  mutating func drop(_ index: UInt32, into effects: inout [SessionEffect]) {
    guard let peer = sessions[index]?.peer else { return }
    remove(index)
    if byPeer[peer] == nil { effects.append(.sessionDown(peer)) }
  }

  private mutating func remove(_ index: UInt32) {
    guard let session = sessions.removeValue(forKey: index) else { return }
    for timer in [DatagramTimer.idle(index), .path(index), .silence(index)] { timers.cancel(timer) }
    byPeer[session.peer]?.removeAll { $0 == index }
    if byPeer[session.peer]?.isEmpty == true { byPeer[session.peer] = nil }
  }

  /// A number that names nothing here yet.
  private func freeIndex(_ context: inout SessionContext) -> UInt32 {
    while true {
      let index = context.generator.next32()
      if sessions[index] == nil && dials[index] == nil && halfOpens[index] == nil { return index }
    }
  }
}
