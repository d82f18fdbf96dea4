// Owns: one UDP session after its handshake: its keys, its window, its path and what waits for that.
// Refuses to know: other sessions.

import TallyBase
import TallyCrypto
import TallyWire

struct DatagramSession: Sendable {
  let peer: PublicKey
  /// The number that the peer puts into packets to us, and the one it wants in packets to it.
  let index: UInt32
  let remoteIndex: UInt32
  private var keys: SessionKeys
  private var window = ReplayWindow()
  var path: Path
  var pings = PingTable()
  private(set) var lastHeard: Instant
  /// Since when an answer is due; nil when everything was answered.
  var unansweredSince: Instant?
  /// Messages that the path does not allow yet.
  private var waiting: [[UInt8]] = []

  init(peer: PublicKey, index: UInt32, remoteIndex: UInt32, keys: SessionKeys, path: Path, now: Instant) {
    self.peer = peer
    self.index = index
    self.remoteIndex = remoteIndex
    self.keys = keys
    self.path = path
    lastHeard = now
  }

  /// What a datagram with a message of `count` bytes has.
  static func sealedCount(_ count: Int) -> Int { DataHeader.byteCount + count + AEAD.tagCount }

  var isExhausted: Bool { keys.send.isExhausted }

  /// Seals a message and sends it, if the path allows.
  private mutating func transmit(_ message: [UInt8], into effects: inout [SessionEffect]) -> Bool {
    let count = Self.sealedCount(message.count)
    guard path.allows(count), !isExhausted else { return false }
    var writer = ByteWriter(capacity: count)
    DataHeader(receiver: remoteIndex, counter: keys.send.counter).write(to: &writer)
    keys.send.seal(message, behind: &writer.bytes)
    path.noteSent(count)
    effects.append(.transmit(to: path.endpoint, writer.bytes))
    return true
  }

  /// Sends a message now or when the path is proven; false when too many wait already.
  mutating func send(_ message: [UInt8], into effects: inout [SessionEffect]) -> Bool {
    // What waits goes first: a later message does not overtake it.
    if waiting.isEmpty && transmit(message, into: &effects) { return true }
    guard !path.isProven, waiting.count < SessionLimits.waitingMessages else { return false }
    waiting.append(message)
    return true
  }

  /// Sends a message that is of no use later: now or never.
  mutating func sendNow(_ message: HopMessage, into effects: inout [SessionEffect]) {
    _ = transmit(message.bytes, into: &effects)
  }

  /// Opens a packet. What it carried, when it was the peer's and new.
  mutating func open(
    _ packet: [UInt8], header: DataHeader, from source: Endpoint, now: Instant
  ) throws(SessionFault) -> [UInt8] {
    guard header.counter < SessionLimits.counterEnd else { throw .counterExhausted }
    guard window.isFresh(header.counter) else { throw .replay }
    guard
      let message = keys.receive.open(behind: DataHeader.byteCount, of: packet, counter: header.counter)
    else { throw .badSeal }
    if window.accept(header.counter) { path.move(to: source) }
    path.noteReceived(packet.count, from: source)
    lastHeard = now
    unansweredSince = nil
    return message
  }

  /// Sends the path challenge, a new one or the same again. False when the path is proven or does not allow it.
  mutating func challenge(_ nonce: UInt64, into effects: inout [SessionEffect]) -> Bool {
    guard !path.isProven else { return false }
    let nonce = path.challenge ?? nonce
    guard transmit(HopMessage.pathChallenge(nonce: nonce).bytes, into: &effects) else { return false }
    path.noteChallenge(nonce)
    return true
  }

  /// Sends what waited, once the path is proven.
  mutating func flush(into effects: inout [SessionEffect]) {
    guard path.isProven else { return }
    let messages = waiting
    waiting = []
    for message in messages { _ = transmit(message, into: &effects) }
  }

  /// The challenge was given up: what waited is dropped, or goes to the address that was proven before.
  mutating func giveUpPath(into effects: inout [SessionEffect]) {
    path.giveUp()
    if path.isProven { flush(into: &effects) } else { waiting = [] }
  }
}
