// Owns: handshakes, sealed datagrams and link frames through TallySession, both sides in one process.
// Refuses to know: sockets.
import TallyBase
import TallyCrypto
import TallySession
import TallyWire

/// Two hosts whose packets are handed over by call.
final class SessionPair {
  final class Side {
    let identity: Identity
    let endpoint: Endpoint
    var sessions: Sessions
    var messages = 0

    init(_ number: UInt8, mesh: MeshKeys) throws {
      identity = try Identity(seed: [UInt8](repeating: number, count: 32))
      endpoint = Endpoint(address: Address(v4: 0x7f00_0000 | UInt32(number)), port: 8255)
      let seed = Blake2b.hash256([number])
      sessions = Sessions(mesh: mesh, me: identity.publicKey, generator: Generator(seed: seed, stream: 1))
    }
  }

  static let mesh = MeshKeys(meshID: BenchFeed.meshID, keys: [[UInt8](repeating: 4, count: 32)])
  let near: Side
  let far: Side
  var now = Instant(micros: 1_000_000, wallMs: 1_700_000_000_000)
  /// Bytes that crossed, by datagram and by link.
  private(set) var datagramBytes = 0
  private(set) var linkBytes = 0
  private static let link = LinkID(number: 1)

  init() throws {
    near = try Side(1, mesh: Self.mesh)
    far = try Side(2, mesh: Self.mesh)
  }

  /// Hands over everything `effects` of `side` ask for, and what follows from it.
  func settle(_ effects: [SessionEffect], of side: Side) {
    let other = side === near ? far : near
    for effect in effects {
      var next: [SessionEffect] = []
      switch effect {
      case .transmit(_, let bytes):
        datagramBytes += bytes.count
        other.sessions.datagram(bytes, from: side.endpoint, identity: other.identity, now: now, into: &next)
        settle(next, of: other)
      case .write(_, let bytes):
        linkBytes += bytes.count
        other.sessions.linkBytes(Self.link, bytes, identity: other.identity, now: now, into: &next)
        settle(next, of: other)
      case .datagramMessage, .linkMessage: side.messages += 1
      default: break
      }
    }
  }

  func connect() {
    var effects: [SessionEffect] = []
    near.sessions.connect(
      to: far.identity.publicKey, at: far.endpoint, identity: near.identity, now: now, into: &effects)
    settle(effects, of: near)
    precondition(near.sessions.hasSession(far.identity.publicKey), "the handshake failed")
  }

  func dial() {
    var effects: [SessionEffect] = []
    far.sessions.linkOpened(
      Self.link, to: nil, remote: near.endpoint, identity: far.identity, now: now, into: &effects)
    near.sessions.linkOpened(
      Self.link, to: far.identity.publicKey, remote: far.endpoint, identity: near.identity, now: now, into: &effects)
    settle(effects, of: near)
    precondition(near.sessions.hasLink(far.identity.publicKey), "no link")
  }

  func send(_ message: [UInt8], from side: Side, to other: Side) {
    var effects: [SessionEffect] = []
    let isSent = side.sessions.send(message, to: other.identity.publicKey, now: now, into: &effects)
    precondition(isSent, "not sent")
    settle(effects, of: side)
  }

  /// Bytes on the wire of one message on the link, framed, packed and sealed.
  func linkSend(_ message: [UInt8]) -> Int {
    let before = linkBytes
    var effects: [SessionEffect] = []
    let isSent = near.sessions.linkSend(message, to: far.identity.publicKey, now: now, into: &effects)
    precondition(isSent, "not sent")
    settle(effects, of: near)
    return linkBytes - before
  }
}

enum SessionBench {
  static func run() throws -> [Figure] {
    let verify = try CryptoBench.verifies(rounds: 3)
    let handshakes = try Meter.rate {
      let pair = try SessionPair()
      pair.connect()
    }
    let keys = try Meter.rate { keep(try SessionPair()) }
    let both = 1 / (1 / handshakes - 1 / keys)
    let pair = try SessionPair()
    pair.connect()
    let message = [MessageType.find.rawValue] + [UInt8](repeating: 8, count: 199)
    let trips = Meter.rate {
      pair.send(message, from: pair.near, to: pair.far)
      pair.send(message, from: pair.far, to: pair.near)
    }
    pair.dial()
    let chunk = [MessageType.range.rawValue] + CryptoBench.random(61_000)
    let frames = Meter.rate { keep(pair.linkSend(chunk)) }
    return [
      Figure("session.handshake", both, "/s", "both sides and two datagrams; \(ratio(both, verify)) × a verify"),
      Figure("session.roundtrip", trips, "/s", "200 bytes sealed, opened, answered, opened: no sockets"),
      Figure("session.datagram", trips * 2, "/s", "one sealed and opened"),
      Figure(
        "session.link", frames * Double(chunk.count) / 1e6, "MB/s", "frames of 61 kB that do not pack, both sides"),
    ]
  }

  static func ratio(_ value: Double, _ other: Double) -> String { Figure("", value / other, "").shown }
}

extension CryptoBench {
  static func random(_ count: Int) -> [UInt8] {
    var generator = Generator(seed: Blake2b.hash256([9]), stream: UInt64(count))
    return generator.bytes(count)
  }
}
