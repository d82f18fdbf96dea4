// Owns: one TCP link: its frames, its handshake, its keys. Refuses to know: other links, sockets.
// DESIGN section 5: the handshake packets of UDP, then sealed frames, each behind a u16 count.

import TallyBase
import TallyCrypto
import TallyWire

struct Link: Sendable {
  enum Phase: Sendable {
    /// Accepted; INIT is due.
    case awaitingInit
    /// Dialled; RESPONSE is due.
    case awaitingResponse(Initiation)
    /// Accepted and answered; the initiator's first frame is due.
    case awaitingFirstFrame(PublicKey)
    case established(PublicKey)
  }

  let remote: Endpoint
  let weDialled: Bool
  var phase: Phase
  var keys: SessionKeys?
  var pings = PingTable()
  var lastHeard: Instant
  /// Bytes that are not a whole frame yet.
  private var buffer: [UInt8] = []

  init(remote: Endpoint, weDialled: Bool, phase: Phase, now: Instant) {
    self.remote = remote
    self.weDialled = weDialled
    self.phase = phase
    lastHeard = now
  }

  /// The proven peer.
  var peer: PublicKey? {
    if case .established(let peer) = phase { return peer }
    return nil
  }

  /// The largest frame that may come now: a stranger cannot make us keep more than a handshake packet.
  private var frameLimit: Int {
    switch phase {
    case .awaitingInit: InitPacket.byteCount
    case .awaitingResponse: ResponsePacket.byteCount
    case .awaitingFirstFrame, .established: LinkFrame.frameLimit
    }
  }

  mutating func feed(_ bytes: [UInt8]) { buffer.append(contentsOf: bytes) }

  /// The next whole frame with its count in front, from `offset` of the buffer on; nil when it is not there yet.
  func nextFrame(at offset: Int) throws(SessionFault) -> [UInt8]? {
    guard buffer.count - offset >= LinkFrame.prefixCount else { return nil }
    let count = Int(buffer[offset]) | Int(buffer[offset + 1]) << 8
    guard count > 0, count <= frameLimit else { throw .malformed }
    let end = offset + LinkFrame.prefixCount + count
    return end <= buffer.count ? Array(buffer[offset..<end]) : nil
  }

  /// Forgets the first `count` bytes of the buffer: once for all frames that came together.
  mutating func consume(_ count: Int) { buffer.removeFirst(count) }

  /// A packet in clear behind its count.
  static func frame(_ packet: [UInt8]) -> [UInt8] {
    var writer = ByteWriter(capacity: LinkFrame.prefixCount + packet.count)
    writer.counted16(packet)
    return writer.bytes
  }

  /// The sealed frame of a message; nil before the handshake and at the counter's end.
  mutating func seal(_ message: [UInt8]) -> [UInt8]? {
    guard keys?.send.isExhausted == false else { return nil }
    let inside = Self.inside(message)
    var writer = ByteWriter(capacity: LinkFrame.prefixCount + inside.count + AEAD.tagCount)
    writer.u16(UInt16(inside.count + AEAD.tagCount))
    keys?.send.seal(inside, behind: &writer.bytes)
    return writer.bytes
  }

  /// Form byte and message, packed where that is shorter.
  private static func inside(_ message: [UInt8]) -> [UInt8] {
    var writer = ByteWriter(capacity: message.count + 1)
    if message.count > SessionLimits.compressAboveBytes, let block = Compression.pack(message, saving: 2) {
      writer.u8(LinkFrame.packed)
      writer.u16(UInt16(message.count))
      writer.raw(block)
    } else {
      writer.u8(LinkFrame.plain)
      writer.raw(message)
    }
    return writer.bytes
  }

  /// The message of a sealed frame.
  mutating func open(_ frame: [UInt8], now: Instant) throws(SessionFault) -> [UInt8] {
    guard let inside = keys?.receive.open(behind: LinkFrame.prefixCount, of: frame) else { throw .badSeal }
    lastHeard = now
    switch inside.first {
    case LinkFrame.plain:
      return Array(inside.dropFirst())
    case LinkFrame.packed:
      guard inside.count > 3 else { throw .badCompression }
      let size = Int(inside[1]) | Int(inside[2]) << 8
      guard size > SessionLimits.compressAboveBytes, size <= SessionLimits.linkMessageBytes, inside.count - 3 < size,
        let message = Compression.unpack(inside[3...], size: size)
      else { throw .badCompression }
      return message
    default:
      throw .malformed
    }
  }
}
