// Owns: a TCP link's frames in any portions, and LZ4 blocks of any claim, as targets.
// Refuses to know: messages.
import TallyBase
import TallyCrypto
import TallySession
import TallyWire

enum LinkTargets {
  /// The first two bytes are the size that the block claims.
  static let compression = FuzzTarget("lz4", sizeMax: 4096, seeds: { blocks }) { input in
    guard input.count > 2 else { return .refused("short") }
    let size = Int(input[0]) | Int(input[1]) << 8
    let block = input[2...]
    let plain = Array(block)
    if let packed = Compression.pack(plain, saving: 0) {
      guard packed.count < plain.count else { return .violated("packed to \(packed.count) of \(plain.count)") }
      guard Compression.unpack(packed[...], size: plain.count) == plain else { return .violated("does not unpack") }
      if Compression.unpack(packed[...], size: plain.count + 1) != nil { return .violated("unpacks to a false size") }
    }
    guard let out = Compression.unpack(block, size: size) else { return .refused("block") }
    guard out.count == size else { return .violated("\(out.count) bytes instead of \(size)") }
    return .accepted("\(Int.bitWidth - size.leadingZeroBitCount)")
  }

  private static var blocks: [[UInt8]] {
    let plain = (0..<2000).map { UInt8(truncatingIfNeeded: $0 / 17) }
    guard let packed = Compression.pack(plain, saving: 0) else { return [] }
    return [[UInt8(plain.count & 255), UInt8(plain.count >> 8)] + packed, [5, 0, 0x50, 1, 2, 3, 4, 5]]
  }

  /// One link between two hosts: sizes of messages, portions, and one change somewhere. What arrives is what was sent,
  /// in order; after the change nothing more.
  static let frames = FuzzTarget("link-frames", sizeMax: 64, seeds: { [[3, 9, 200, 0, 5, 0, 40, 0, 0, 16, 7]] }) {
    input in
    var script = Script(input)
    let stream = FrameStream()
    let portion = 1 + script.byte()
    let isChanged = script.byte() & 1 == 1
    let place = script.word()
    while !script.isAtEnd { stream.send(1 + script.word() % 9000, fill: UInt8(script.byte())) }
    if isChanged && !stream.bytes.isEmpty { stream.bytes[place % stream.bytes.count] ^= 1 << UInt8(portion & 7) }
    stream.deliver(portion: portion)
    let count = stream.received.count
    let isInOrder = stream.received == Array(stream.sent.prefix(count))
    guard isInOrder else { return .violated("messages that were not sent so") }
    if !isChanged && count != stream.sent.count { return .violated("\(count) of \(stream.sent.count) messages") }
    if isChanged && count == stream.sent.count && count > 0 { return .violated("a changed frame was taken") }
    return isChanged ? .refused("\(stream.end) \(min(count, 3))") : .accepted("\(min(count, 8))")
  }
}

/// A link that stands; everything one side writes is kept until it is delivered.
private final class FrameStream {
  private let near = SessionWorld.Side(1)
  private let far = SessionWorld.Side(2)
  private let now = Instant(micros: 1_000_000, wallMs: 1_700_000_000_000)
  private static let link = LinkID(number: 1)
  var bytes: [UInt8] = []
  private(set) var sent: [[UInt8]] = []
  private(set) var received: [[UInt8]] = []
  private(set) var end = ""

  init() {
    var effects: [SessionEffect] = []
    far.sessions.linkOpened(
      Self.link, to: nil, remote: near.endpoint, identity: far.identity, now: now, into: &effects)
    near.sessions.linkOpened(
      Self.link, to: far.identity.publicKey, remote: far.endpoint, identity: near.identity, now: now, into: &effects)
    var (side, other) = (far, near)
    while !effects.isEmpty {
      var next: [SessionEffect] = []
      for case .write(_, let bytes) in effects {
        side.sessions.linkBytes(Self.link, bytes, identity: side.identity, now: now, into: &next)
      }
      effects = next
      swap(&side, &other)
    }
    precondition(near.sessions.hasLink(far.identity.publicKey), "the link does not stand")
  }

  func send(_ count: Int, fill: UInt8) {
    guard sent.count < 16 else { return }
    let body = (1..<max(2, count)).map { fill &* UInt8(truncatingIfNeeded: $0 >> 2) }
    let message = [MessageType.members.rawValue] + body
    var effects: [SessionEffect] = []
    guard near.sessions.linkSend(message, to: far.identity.publicKey, now: now, into: &effects) else { return }
    sent.append(message)
    for case .write(_, let more) in effects { bytes += more }
  }

  func deliver(portion: Int) {
    var start = 0
    var effects: [SessionEffect] = []
    while start < bytes.count {
      let part = Array(bytes[start..<min(bytes.count, start + portion * 7)])
      far.sessions.linkBytes(Self.link, part, identity: far.identity, now: now, into: &effects)
      start += part.count
    }
    for effect in effects {
      switch effect {
      case .linkMessage(_, let message): received.append(message)
      case .close(_, let why): end = why.name
      default: break
      }
    }
  }
}
