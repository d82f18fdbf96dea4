// Owns: messages of UDP sessions: sending, hop control, path challenges, goodbyes.
// Refuses to know: handshakes. RFC 9000 section 8.2 for the challenges.

import TallyBase
import TallyWire

extension DatagramSessions {
  /// Sends with the session that was heard last, or keeps the message for the handshake that runs.
  mutating func send(
    _ message: [UInt8], to peer: PublicKey, now: Instant, into effects: inout [SessionEffect]
  ) -> Bool {
    guard let index = byPeer[peer]?.last else {
      guard dialsOf[peer] != nil, waiting[peer, default: []].count < SessionLimits.waitingMessages else { return false }
      waiting[peer, default: []].append(message)
      return true
    }
    if sessions[index]?.isExhausted == true {
      drop(index, into: &effects)
      return false
    }
    guard sessions[index]?.send(message, into: &effects) == true else { return false }
    if let first = message.first, Self.wantsAnswer(MessageType(rawValue: first)) { noteQuestion(index, now: now) }
    return true
  }

  private static func wantsAnswer(_ type: MessageType) -> Bool {
    type == .ping || type == .find || type == .getRecord
  }

  /// From now on silence means that the peer lost this session.
  private mutating func noteQuestion(_ index: UInt32, now: Instant) {
    guard sessions[index]?.unansweredSince == nil else { return }
    sessions[index]?.unansweredSince = now
    timers.arm(.silence(index), at: now + SessionLimits.silenceBeforeRenewal)
  }

  mutating func ping(
    _ peer: PublicKey, now: Instant, context: inout SessionContext, into effects: inout [SessionEffect]
  ) -> Bool {
    guard let index = byPeer[peer]?.last else { return false }
    return pingNow(index, now: now, context: &context, into: &effects)
  }

  @discardableResult
  mutating func pingNow(
    _ index: UInt32, now: Instant, context: inout SessionContext, into effects: inout [SessionEffect]
  ) -> Bool {
    let nonce = context.generator.next64()
    guard let peer = sessions[index]?.peer,
      sessions[index]?.send(HopMessage.ping(nonce: nonce).bytes, into: &effects) == true
    else { return false }
    sessions[index]?.pings.sent(nonce, now: now)
    if byPeer[peer]?.contains(index) == true { noteQuestion(index, now: now) }
    return true
  }

  /// A message that opened. An unproven address is challenged before anything else goes there, except that the
  /// echo of the peer's own challenge comes first: else two hosts that moved at once would never prove themselves.
  mutating func receive(
    _ message: [UInt8], on index: UInt32, from source: Endpoint, now: Instant, context: inout SessionContext,
    into effects: inout [SessionEffect]
  ) throws(SessionFault) {
    guard let peer = sessions[index]?.peer else { return }
    if message.first != MessageType.pathChallenge.rawValue {
      challenge(index, now: now, context: &context, into: &effects)
    }
    if HopMessage.isHopMessage(message) {
      let hop: HopMessage
      do { hop = try HopMessage(message) } catch { throw .badMessage }
      handle(hop, on: index, of: peer, from: source, now: now, context: &context, into: &effects)
    } else {
      guard let type = message.first, MessageType(rawValue: type).mayTravelByDatagram else { throw .badMessage }
      effects.append(.datagramMessage(from: peer, message))
    }
    challenge(index, now: now, context: &context, into: &effects)
  }

  private mutating func handle(
    _ hop: HopMessage, on index: UInt32, of peer: PublicKey, from source: Endpoint, now: Instant,
    context: inout SessionContext, into effects: inout [SessionEffect]
  ) {
    switch hop {
    case .ping(let nonce):
      _ = sessions[index]?.send(HopMessage.pong(nonce: nonce, observed: source).bytes, into: &effects)
    case .pong(let nonce, let observed):
      guard let roundTrip = sessions[index]?.pings.answered(nonce, now: now) else {
        // Not a ping of this layer: the peer table and membership send their own.
        effects.append(.datagramMessage(from: peer, hop.bytes))
        return
      }
      effects.append(.pong(from: peer, over: .datagram, roundTrip: roundTrip, observed: observed))
    case .pathChallenge(let nonce):
      sessions[index]?.sendNow(.pathResponse(nonce: nonce), into: &effects)
    case .pathResponse(let nonce):
      guard sessions[index]?.path.prove(nonce, from: source) == true else { return }
      timers.cancel(.path(index))
      effects.append(.addressProven(peer, source))
      sessions[index]?.flush(into: &effects)
    case .close:
      context.counters.count(.peerClosed)
      drop(index, into: &effects)
    }
  }

  /// Asks an unproven address to prove itself, unless that is under way or would be more than it sent.
  mutating func challenge(
    _ index: UInt32, now: Instant, context: inout SessionContext, into effects: inout [SessionEffect]
  ) {
    guard let path = sessions[index]?.path, !path.isProven, path.challenge == nil else { return }
    guard sessions[index]?.challenge(context.generator.next64(), into: &effects) == true else { return }
    timers.arm(.path(index), at: now + SessionLimits.firstChallenge)
  }

  mutating func challengeAgain(
    _ index: UInt32, now: Instant, context: inout SessionContext, into effects: inout [SessionEffect]
  ) {
    guard let path = sessions[index]?.path, !path.isProven, path.challenge != nil else { return }
    guard path.tries < SessionLimits.challengeTries else {
      sessions[index]?.giveUpPath(into: &effects)
      return
    }
    // Not allowed just now: the wait goes on, and counts.
    if sessions[index]?.challenge(0, into: &effects) == false { sessions[index]?.path.noteWait() }
    let wait = SessionLimits.firstChallenge * Int64(1 << min(path.tries, 8))
    timers.arm(.path(index), at: now + wait)
  }

  /// Says goodbye on every session of the peer.
  mutating func close(_ peer: PublicKey, into effects: inout [SessionEffect]) {
    for index in dialsOf[peer, default: []] {
      dials[index] = nil
      timers.cancel(.retry(index))
    }
    dialsOf[peer] = nil
    waiting[peer] = nil
    for index in byPeer[peer, default: []] {
      sessions[index]?.sendNow(.close(reason: 0), into: &effects)
      drop(index, into: &effects)
    }
  }
}
