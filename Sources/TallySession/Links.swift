// Owns: all TCP links of this host, and which one stands for a peer. Refuses to know: UDP, sockets.
// DESIGN section 5: 64 half-open, 8 a group, 2 s; of crossing links the one dialled by the lower node ID stays.

import TallyBase
import TallyCrypto
import TallyWire

struct Links: Sendable {
  var links: [LinkID: Link] = [:]
  var byPeer: [PublicKey: LinkID] = [:]
  private var halfOpen = 0
  private var halfOpenGroups: [Address: Int] = [:]
  var timers = TimerTable<LinkID>()

  // MARK: opening

  mutating func opened(
    _ link: LinkID, to peer: PublicKey?, remote: Endpoint, identity: borrowing Identity, now: Instant,
    context: inout SessionContext, into effects: inout [SessionEffect]
  ) {
    precondition(links[link] == nil, "\(link) opened twice")
    do throws(SessionFault) {
      guard links.count < SessionLimits.links else { throw .tableFull }
      if let peer {
        guard peer != context.keyring.me else { throw .ourself }
        guard
          let initiation = Initiation(
            to: peer, over: .link, sender: 0, attempt: 0, keyring: context.keyring,
            ephemeral: context.generator.bytes32(), identity: identity)
        else { throw .badIdentity }
        links[link] = Link(remote: remote, weDialled: true, phase: .awaitingResponse(initiation), now: now)
        timers.arm(link, at: now + SessionLimits.linkAnswerLife)
        effects.append(.write(link, Link.frame(initiation.packet)))
      } else {
        let group = remote.address.group
        guard halfOpen < SessionLimits.halfOpenLinks,
          remote.address.scope == .loopback
            || halfOpenGroups[group, default: 0] < SessionLimits.halfOpenLinksPerGroup
        else { throw .halfOpenFull }
        halfOpen += 1
        halfOpenGroups[group, default: 0] += 1
        links[link] = Link(remote: remote, weDialled: false, phase: .awaitingInit, now: now)
        timers.arm(link, at: now + SessionLimits.halfOpenLife)
      }
    } catch {
      context.refuse(error, from: remote, now: now, into: &effects)
      effects.append(.close(link, why: error))
    }
  }

  // MARK: bytes in

  mutating func received(
    _ link: LinkID, _ bytes: [UInt8], identity: borrowing Identity, now: Instant, context: inout SessionContext,
    into effects: inout [SessionEffect]
  ) {
    // Bytes of a link that we closed already may still be on their way up.
    guard let remote = links[link]?.remote else { return }
    links[link]?.feed(bytes)
    var offset = 0
    do throws(SessionFault) {
      while let frame = try links[link]?.nextFrame(at: offset) {
        offset += frame.count
        try take(frame, on: link, identity: identity, now: now, context: &context, into: &effects)
      }
      links[link]?.consume(offset)
    } catch {
      context.refuse(error, from: remote, now: now, into: &effects)
      end(link, why: error, context: &context, into: &effects)
    }
  }

  private mutating func take(
    _ frame: [UInt8], on link: LinkID, identity: borrowing Identity, now: Instant, context: inout SessionContext,
    into effects: inout [SessionEffect]
  ) throws(SessionFault) {
    switch links[link]?.phase {
    case .awaitingInit:
      let packet = Array(frame.dropFirst(LinkFrame.prefixCount))
      try initiated(packet, on: link, identity: identity, now: now, context: &context, into: &effects)
    case .awaitingResponse(let initiation):
      let packet = Array(frame.dropFirst(LinkFrame.prefixCount))
      try responded(
        packet, initiation, on: link, identity: identity, now: now, context: &context, into: &effects)
    case .awaitingFirstFrame(let peer):
      guard let message = try links[link]?.open(frame, now: now) else { return }
      try establish(link, with: peer, now: now, context: &context, into: &effects)
      try receive(message, on: link, from: peer, now: now, context: &context, into: &effects)
    case .established(let peer):
      guard let message = try links[link]?.open(frame, now: now) else { return }
      try receive(message, on: link, from: peer, now: now, context: &context, into: &effects)
    case nil:
      return
    }
  }

  private mutating func initiated(
    _ packet: [UInt8], on link: LinkID, identity: borrowing Identity, now: Instant, context: inout SessionContext,
    into effects: inout [SessionEffect]
  ) throws(SessionFault) {
    guard packet.first == SessionPacket.initiate else { throw .unknownType }
    if packet.count >= HintPacket.answeredFrom && packet[1] != SessionPacket.version {
      effects.append(.write(link, Link.frame(DatagramSessions.hint(for: packet))))
      throw .unknownVersion
    }
    let checked = try CheckedInit(packet, keyring: context.keyring)
    guard checked.packet.sender == 0 else { throw .malformed }
    guard context.takeHandshake(now: now) else { throw .handshakeBudget }
    let answer = try checked.answer(
      over: .link, sender: 0, keyring: context.keyring, ephemeral: context.generator.bytes32(), identity: identity)
    links[link]?.keys = answer.keys
    links[link]?.phase = .awaitingFirstFrame(answer.peer)
    effects.append(.write(link, Link.frame(answer.packet)))
  }

  private mutating func responded(
    _ packet: [UInt8], _ initiation: Initiation, on link: LinkID, identity: borrowing Identity, now: Instant,
    context: inout SessionContext, into effects: inout [SessionEffect]
  ) throws(SessionFault) {
    if packet.first == SessionPacket.hint { throw .hintedVersion }
    let response: ResponsePacket
    do { response = try ResponsePacket(packet) } catch { throw .malformed }
    guard response.sender == 0, response.receiver == 0 else { throw .malformed }
    links[link]?.keys = try initiation.finish(
      response, bytes: packet, keyring: context.keyring, identity: identity)
    links[link]?.phase = .awaitingFirstFrame(initiation.peer)
    context.keyring.note(initiation.peer, index: initiation.keyIndex, answered: true)
    // The ping is the first sealed frame: it makes the keys take effect over there, and measures the round trip.
    // It goes out even when this link is about to lose against a crossing one, so that both sides decide alike.
    pingNow(link, now: now, context: &context, into: &effects)
    try establish(link, with: initiation.peer, now: now, context: &context, into: &effects)
  }

  /// The peer is proven. Of two links with it, the one dialled by the lower node ID stays; of two dialled by the same
  /// side the newer, since a side that dials again has lost the older one.
  private mutating func establish(
    _ link: LinkID, with peer: PublicKey, now: Instant, context: inout SessionContext,
    into effects: inout [SessionEffect]
  ) throws(SessionFault) {
    guard let remote = links[link]?.remote, let weDialled = links[link]?.weDialled else { return }
    if let other = byPeer[peer], let otherDialled = links[other]?.weDialled {
      let mesh = context.keyring.meshID
      let weAreLower = Names.nodeID(mesh: mesh, key: context.keyring.me) < Names.nodeID(mesh: mesh, key: peer)
      guard otherDialled == weDialled || weDialled == weAreLower else { throw .duplicateLink }
      context.counters.count(.duplicateLink)
      end(other, why: .duplicateLink, context: &context, into: &effects)
    }
    if let settled = links[link], !weDialled { releaseHalfOpen(settled) }
    links[link]?.phase = .established(peer)
    byPeer[peer] = link
    timers.cancel(link)
    effects.append(.linkUp(peer, link, at: remote, weDialled: weDialled))
  }

  private mutating func receive(
    _ message: [UInt8], on link: LinkID, from peer: PublicKey, now: Instant, context: inout SessionContext,
    into effects: inout [SessionEffect]
  ) throws(SessionFault) {
    guard HopMessage.isHopMessage(message) else {
      guard !message.isEmpty else { throw .badMessage }
      effects.append(.linkMessage(from: peer, message))
      return
    }
    let hop: HopMessage
    do { hop = try HopMessage(message) } catch { throw .badMessage }
    switch hop {
    case .ping(let nonce):
      guard let remote = links[link]?.remote else { return }
      write(HopMessage.pong(nonce: nonce, observed: remote).bytes, on: link, into: &effects)
    case .pong(let nonce, let observed):
      guard let roundTrip = links[link]?.pings.answered(nonce, now: now) else {
        effects.append(.linkMessage(from: peer, hop.bytes))
        return
      }
      effects.append(.pong(from: peer, over: .link, roundTrip: roundTrip, observed: observed))
    case .close:
      throw .peerClosed
    case .pathChallenge, .pathResponse:
      throw .badMessage
    }
  }

  // MARK: sending

  mutating func send(
    _ message: [UInt8], to peer: PublicKey, context: inout SessionContext, into effects: inout [SessionEffect]
  ) -> Bool {
    guard let link = byPeer[peer] else { return false }
    if write(message, on: link, into: &effects) { return true }
    context.counters.count(.counterExhausted)
    end(link, why: .counterExhausted, context: &context, into: &effects)
    return false
  }

  mutating func ping(
    _ peer: PublicKey, now: Instant, context: inout SessionContext, into effects: inout [SessionEffect]
  ) -> Bool {
    guard let link = byPeer[peer] else { return false }
    return pingNow(link, now: now, context: &context, into: &effects)
  }

  @discardableResult
  private mutating func pingNow(
    _ link: LinkID, now: Instant, context: inout SessionContext, into effects: inout [SessionEffect]
  ) -> Bool {
    let nonce = context.generator.next64()
    guard write(HopMessage.ping(nonce: nonce).bytes, on: link, into: &effects) else { return false }
    links[link]?.pings.sent(nonce, now: now)
    return true
  }

  @discardableResult
  private mutating func write(_ message: [UInt8], on link: LinkID, into effects: inout [SessionEffect]) -> Bool {
    guard let frame = links[link]?.seal(message) else { return false }
    effects.append(.write(link, frame))
    return true
  }

  // MARK: ending

  mutating func wake(now: Instant, context: inout SessionContext, into effects: inout [SessionEffect]) {
    while let link = timers.popDue(now) {
      guard let remote = links[link]?.remote else { continue }
      context.refuse(.noAnswer, from: remote, now: now, into: &effects)
      end(link, why: .noAnswer, context: &context, into: &effects)
    }
  }

  /// The link is gone already.
  mutating func closed(_ link: LinkID, context: inout SessionContext, into effects: inout [SessionEffect]) {
    guard let ended = links.removeValue(forKey: link) else { return }
    if !ended.weDialled, ended.peer == nil { releaseHalfOpen(ended) }
    timers.cancel(link)
    if case .awaitingResponse(let initiation) = ended.phase {
      // Perhaps it knows an older mesh key only: the next dial tries that.
      context.keyring.note(initiation.peer, index: initiation.keyIndex, answered: false)
      // Silence, or hung up on: a host of another mesh or key says nothing, and neither does a host that is down.
      effects.append(.noAnswer(initiation.peer, at: ended.remote))
    }
    guard let peer = ended.peer, byPeer[peer] == link else { return }
    byPeer[peer] = nil
    effects.append(.linkDown(peer, link))
  }

  /// Ends a link by our own decision.
  private mutating func end(
    _ link: LinkID, why: SessionFault, context: inout SessionContext, into effects: inout [SessionEffect]
  ) {
    closed(link, context: &context, into: &effects)
    effects.append(.close(link, why: why))
  }

  mutating func close(_ peer: PublicKey, context: inout SessionContext, into effects: inout [SessionEffect]) {
    guard let link = byPeer[peer] else { return }
    write(HopMessage.close(reason: 0).bytes, on: link, into: &effects)
    end(link, why: .weClosed, context: &context, into: &effects)
  }

  /// An accepted link's peer is proven, or it ended before that.
  private mutating func releaseHalfOpen(_ link: Link) {
    halfOpen -= 1
    let group = link.remote.address.group
    let left = halfOpenGroups[group, default: 1] - 1
    halfOpenGroups[group] = left > 0 ? left : nil
  }
}
