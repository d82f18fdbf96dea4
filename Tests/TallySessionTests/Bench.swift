// Owns: hosts with sessions in virtual time, and the network between them that a test may bend.

import TallyBase
import TallyCrypto
import TallyWire
import Testing

@testable import TallySession

/// One host. Everything that is not bytes is kept in `events`.
final class Host {
  let identity: Identity
  let key: PublicKey
  var sessions: Sessions
  var endpoint: Endpoint
  var events: [SessionEffect] = []

  init(_ number: UInt8, mesh: MeshKeys, at endpoint: Endpoint? = nil) {
    identity = try! Identity(seed: [UInt8](repeating: number, count: 32))
    key = identity.publicKey
    self.endpoint = endpoint ?? Endpoint("198.51.\(number).7:8255")!
    sessions = Sessions(
      mesh: mesh, me: key, generator: Generator(seed: Bytes32([UInt8](repeating: number, count: 32))!, stream: 7))
  }

  func count(_ fault: SessionFault) -> UInt64 { sessions.count(of: fault) }

  var datagrams: [[UInt8]] {
    events.compactMap { if case .datagramMessage(_, let bytes) = $0 { bytes } else { nil } }
  }
  var linkMessages: [[UInt8]] {
    events.compactMap { if case .linkMessage(_, let bytes) = $0 { bytes } else { nil } }
  }
  var hasFallen: Bool {
    events.contains { if case .sessionDown = $0 { true } else { false } }
  }
}

struct Flying {
  let from: Endpoint
  let to: Endpoint
  var bytes: [UInt8]
}

final class Bench {
  static let mesh = Names.meshID(name: "lab", nonce: [UInt8](repeating: 1, count: 16))
  static func key(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 32) }
  static func keys(_ bytes: UInt8...) -> MeshKeys { MeshKeys(meshID: mesh, keys: bytes.map { key($0) }) }

  var now = Instant(micros: 1_000_000, wallMs: 1_700_000_000_000)
  var hosts: [Host] = []
  var flying: [Flying] = []
  /// Every datagram that was sent, for looking at afterwards.
  var sent: [Flying] = []
  /// What becomes of a datagram on its way: none, one or several.
  var bend: (Flying) -> [Flying] = { [$0] }
  /// The other end of each link, and bytes on their way.
  var ends: [Pipe: Pipe] = [:]
  var pipes: [(Pipe, [UInt8])] = []
  var closing: [Pipe] = []
  private var lastLink: UInt64 = 0

  struct Pipe: Hashable {
    let host: Int
    let link: LinkID
  }

  func add(_ number: UInt8, _ mesh: MeshKeys) -> Host {
    let host = Host(number, mesh: mesh)
    hosts.append(host)
    return host
  }

  /// Lets a host do something and carries out what it asks.
  func act(_ host: Host, _ body: (inout Sessions, borrowing Identity, inout [SessionEffect]) -> Void) {
    var effects: [SessionEffect] = []
    body(&host.sessions, host.identity, &effects)
    let index = hosts.firstIndex { $0 === host }!
    for effect in effects {
      switch effect {
      case .transmit(let to, let bytes):
        let packet = Flying(from: host.endpoint, to: to, bytes: bytes)
        #expect(bytes.count <= SessionPacket.datagramLimit)
        sent.append(packet)
        flying += bend(packet)
      case .write(let link, let bytes):
        if let other = ends[Pipe(host: index, link: link)] { pipes.append((other, bytes)) }
      case .close(let link, _):
        host.events.append(effect)
        closing.append(Pipe(host: index, link: link))
      default:
        host.events.append(effect)
      }
    }
  }

  func connect(_ host: Host, _ other: Host) {
    act(host) { $0.connect(to: other.key, at: other.endpoint, identity: $1, now: now, into: &$2) }
  }

  func inject(_ packet: Flying) {
    for host in hosts where host.endpoint == packet.to {
      act(host) { $0.datagram(packet.bytes, from: packet.from, identity: $1, now: now, into: &$2) }
    }
  }

  @discardableResult
  func send(_ host: Host, _ other: Host, _ message: [UInt8]) -> Bool {
    var done = false
    act(host) { sessions, _, effects in done = sessions.send(message, to: other.key, now: now, into: &effects) }
    return done
  }

  @discardableResult
  func linkSend(_ host: Host, _ other: Host, _ message: [UInt8]) -> Bool {
    var done = false
    act(host) { sessions, _, effects in done = sessions.linkSend(message, to: other.key, now: now, into: &effects) }
    return done
  }

  /// A TCP connection; returns the dialler's and the acceptor's name of it.
  @discardableResult
  func dial(_ host: Host, _ other: Host, as key: PublicKey? = nil) -> (LinkID, LinkID) {
    let (one, two) = (LinkID(number: lastLink + 1), LinkID(number: lastLink + 2))
    lastLink += 2
    let near = Pipe(host: hosts.firstIndex { $0 === host }!, link: one)
    let far = Pipe(host: hosts.firstIndex { $0 === other }!, link: two)
    ends[near] = far
    ends[far] = near
    act(other) {
      $0.linkOpened(two, to: nil, remote: host.endpoint, identity: $1, now: now, into: &$2)
    }
    act(host) {
      $0.linkOpened(one, to: key ?? other.key, remote: other.endpoint, identity: $1, now: now, into: &$2)
    }
    return (one, two)
  }

  /// Delivers everything on its way, `portion` bytes of a link at a time.
  func settle(portion: Int = .max) {
    while !flying.isEmpty || !pipes.isEmpty || !closing.isEmpty {
      if !flying.isEmpty {
        inject(flying.removeFirst())
      } else if !pipes.isEmpty {
        let (pipe, bytes) = pipes.removeFirst()
        var rest = bytes[...]
        while !rest.isEmpty {
          let part = Array(rest.prefix(portion))
          rest = rest.dropFirst(portion)
          act(hosts[pipe.host]) { $0.linkBytes(pipe.link, part, identity: $1, now: now, into: &$2) }
        }
      } else {
        let pipe = closing.removeFirst()
        guard let other = ends.removeValue(forKey: pipe) else { continue }
        ends[other] = nil
        act(hosts[other.host]) { sessions, _, effects in
          sessions.linkClosed(other.link, now: now, into: &effects)
        }
      }
    }
  }

  /// Moves time on, waking every host exactly when it asked to.
  func run(for interval: Interval) {
    let end = now + interval
    settle()
    while let next = hosts.compactMap(\.sessions.nextDeadline).min(), next <= end {
      now = max(now, next)
      for host in hosts { act(host) { $0.wake(identity: $1, now: now, into: &$2) } }
      settle()
    }
    now = end
  }
}

/// A message that may travel by datagram, no shorter than a real one.
func find(_ bytes: [UInt8] = [1, 2, 3]) -> [UInt8] {
  [MessageType.find.rawValue] + bytes + [UInt8](repeating: 0, count: max(0, 32 - bytes.count))
}
