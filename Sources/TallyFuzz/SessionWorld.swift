// Owns: two hosts' sessions and the network between them as a target: packets are delivered, changed, repeated, sent
// from elsewhere, links are cut into portions. Properties: no trap; an address that never answered is sent no more than
// it sent; every message that arrives was sent. Refuses to know: nodes.
import TallyBase
import TallyCrypto
import TallySession
import TallyWire

final class SessionWorld {
  final class Side {
    let identity: Identity
    let endpoint: Endpoint
    var sessions: Sessions
    var sent: Set<[UInt8]> = []

    init(_ number: UInt8) {
      identity = Samples.identity(number)
      endpoint = Endpoint(address: Address(v4: 0xc633_6400 | UInt32(number)), port: 8255)
      let mesh = MeshKeys(meshID: Samples.mesh, keys: [[UInt8](repeating: 7, count: 32)])
      let seed = Bytes32(word0: UInt64(number), word1: 1, word2: 2, word3: 3)
      sessions = Sessions(mesh: mesh, me: identity.publicKey, generator: Generator(seed: seed, stream: 7))
    }
  }

  struct Flying {
    let to: Int
    let from: Endpoint
    var bytes: [UInt8]
  }

  private let sides = [Side(1), Side(2)]
  private var now = Instant(micros: 1_000_000, wallMs: 1_700_000_000_000)
  private var flying: [Flying] = []
  private var past: [Flying] = []
  private var pipes: [(to: Int, link: LinkID, bytes: [UInt8])] = []
  private var links: UInt64 = 0
  /// Bytes from and to addresses at which nobody answers.
  private var elsewhere: [Endpoint: Int] = [:]
  private var fault: String?
  private var seen: Set<String> = []

  private static let scripts: [[UInt8]] = [
    [0, 0, 2, 0, 2, 0, 2, 0, 2, 0, 9, 0, 8, 2, 0, 9, 1, 5, 2, 0],
    [0, 0, 2, 0, 2, 0, 4, 0, 4, 1, 7, 0, 3, 7, 1, 9, 8, 0x40, 0x1f, 2, 0, 2, 0],
    [11, 0, 12, 255, 12, 7, 12, 255, 14, 0, 50, 0, 12, 3, 14, 1, 9, 0, 13, 5, 12, 90, 15, 0],
    [0, 0, 0, 1, 2, 0, 2, 0, 2, 0, 2, 0, 10, 0, 2, 0, 2, 0, 17, 0, 2, 0],
  ]

  static let target = FuzzTarget("sessions", sizeMax: 400, seeds: { scripts }) { input in
    let world = SessionWorld()
    var script = Script(input)
    var steps = 0
    while !script.isAtEnd && world.fault == nil && steps < 80 {
      world.step(&script)
      steps += 1
    }
    if let fault = world.fault { return .violated(fault) }
    let seen = world.seen.sorted().joined(separator: " ")
    return world.seen.contains("session") || world.seen.contains("link") ? .accepted(seen) : .refused(seen)
  }

  private func step(_ script: inout Script) {
    let kind = script.byte() % 19
    let which = script.byte()
    switch kind {
    case 0, 1: connect(which & 1)
    case 2: if !flying.isEmpty { deliver(flying.removeFirst()) }
    case 3: if !flying.isEmpty { deliver(changed(flying.removeFirst(), &script)) }
    case 4: if !past.isEmpty { deliver(past[which % past.count]) }
    case 5: if !flying.isEmpty { flying.remove(at: which % flying.count) }
    case 6: deliver(Flying(to: which & 1, from: stranger(which), bytes: script.take(script.byte())))
    case 7:
      guard !past.isEmpty else { return }
      let old = past[which % past.count]
      deliver(Flying(to: old.to, from: stranger(script.byte()), bytes: old.bytes))
    case 8: pass(Int64(which | script.byte() << 8))
    case 9: sendDatagram(which & 1, script.take(which >> 3))
    case 10:
      let peer = other(sides[which & 1]).identity.publicKey
      let way: Transport = which & 2 == 0 ? .datagram : .link
      act(which & 1) { _ = $0.sessions.ping(peer, over: way, now: self.now, into: &$1) }
    case 11: open(which)
    case 12: if !pipes.isEmpty { deliverLink(portion: which + 1) }
    case 13:
      guard !pipes.isEmpty, !pipes[0].bytes.isEmpty else { return }
      pipes[0].bytes[which % pipes[0].bytes.count] ^= UInt8(script.byte() | 1)
    case 14: sendLink(which & 1, script.word() % 3000, fill: UInt8(which))
    case 15: act(which & 1) { $0.sessions.linkClosed(LinkID(number: UInt64(which >> 1)), now: self.now, into: &$1) }
    case 16:
      let link = LinkID(number: UInt64(which >> 1) % (links + 1))
      pipes.append((which & 1, link, script.take(script.byte())))
    case 17: act(which & 1) { $0.sessions.closeAll(now: self.now, into: &$1) }
    default:
      let keys = which & 2 == 0 ? [[UInt8](repeating: 7, count: 32)] : [[UInt8](repeating: 8, count: 32)]
      sides[which & 1].sessions.rotate(to: MeshKeys(meshID: Samples.mesh, keys: keys))
    }
  }

  private func other(_ side: Side) -> Side { side === sides[0] ? sides[1] : sides[0] }

  private func stranger(_ number: Int) -> Endpoint {
    Endpoint(address: Address(v4: 0xcb00_7100 | UInt32(number % 4)), port: 9)
  }

  private func changed(_ packet: Flying, _ script: inout Script) -> Flying {
    var packet = packet
    let place = script.byte() | (script.byte() & 3) << 8
    if !packet.bytes.isEmpty { packet.bytes[place % packet.bytes.count] ^= UInt8(script.byte() | 1) }
    return packet
  }

  /// Lets a side do something and takes what it asks for.
  private func act(_ index: Int, _ body: (Side, inout [SessionEffect]) -> Void) {
    let side = sides[index]
    var effects: [SessionEffect] = []
    body(side, &effects)
    if effects.count > 4096 { fault = "\(effects.count) effects of one call" }
    for effect in effects {
      switch effect {
      case .transmit(let to, let bytes): transmit(from: side, to: to, bytes)
      case .write(let link, let bytes): write(index, link, bytes)
      case .datagramMessage(let peer, let message), .linkMessage(let peer, let message):
        seen.insert("message")
        if peer != other(side).identity.publicKey || !other(side).sent.contains(message) {
          if message.first != MessageType.pong.rawValue { fault = "a message that nobody sent" }
        }
      case .sessionUp: seen.insert("session")
      case .linkUp: seen.insert("link")
      case .addressProven: seen.insert("proven")
      case .refused(_, let why): seen.insert(why.name)
      case .close(_, let why): seen.insert("close " + why.name)
      case .pong: seen.insert("pong")
      case .sessionDown, .linkDown, .noAnswer: seen.insert("down")
      }
    }
  }

  private func transmit(from side: Side, to: Endpoint, _ bytes: [UInt8]) {
    if bytes.count > SessionPacket.datagramLimit { fault = "a datagram of \(bytes.count) bytes" }
    guard to == other(side).endpoint else {
      elsewhere[to, default: 0] -= bytes.count
      if let left = elsewhere[to], left < 0 { fault = "an unproven address got \(-left) bytes more than it sent" }
      return
    }
    let packet = Flying(to: side === sides[0] ? 1 : 0, from: side.endpoint, bytes: bytes)
    if flying.count < 256 { flying.append(packet) }
    if past.count < 64 { past.append(packet) }
  }

  private func deliver(_ packet: Flying) {
    if packet.from != sides[0].endpoint && packet.from != sides[1].endpoint {
      elsewhere[packet.from, default: 0] += packet.bytes.count
    }
    act(packet.to) {
      $0.sessions.datagram(packet.bytes, from: packet.from, identity: $0.identity, now: self.now, into: &$1)
    }
  }

  private func connect(_ index: Int) {
    let peer = other(sides[index])
    act(index) {
      $0.sessions.connect(
        to: peer.identity.publicKey, at: peer.endpoint, identity: $0.identity, now: self.now, into: &$1)
    }
  }

  private func pass(_ milliseconds: Int64) {
    now = now + .milliseconds(milliseconds)
    for index in 0...1 {
      guard let due = sides[index].sessions.nextDeadline, due <= now else { continue }
      act(index) { $0.sessions.wake(identity: $0.identity, now: self.now, into: &$1) }
      if let next = sides[index].sessions.nextDeadline, next <= now { fault = "awake, and due again at once" }
    }
  }

  private func sendDatagram(_ index: Int, _ tail: [UInt8]) {
    let message = [MessageType.find.rawValue] + tail
    sides[index].sent.insert(message)
    let peer = other(sides[index]).identity.publicKey
    act(index) { _ = $0.sessions.send(message, to: peer, now: self.now, into: &$1) }
  }

  // Links: one number names both ends.

  private func open(_ which: Int) {
    guard links < 8 else { return }
    links += 1
    let link = LinkID(number: links)
    let (dialler, peer) = (which & 1, other(sides[which & 1]))
    let expected = which & 2 == 0 ? peer.identity.publicKey : Samples.identity(9).publicKey
    act(1 - dialler) {
      $0.sessions.linkOpened(
        link, to: nil, remote: self.other($0).endpoint, identity: $0.identity, now: self.now, into: &$1)
    }
    act(dialler) {
      $0.sessions.linkOpened(
        link, to: expected, remote: peer.endpoint, identity: $0.identity, now: self.now, into: &$1)
    }
  }

  private func write(_ index: Int, _ link: LinkID, _ bytes: [UInt8]) {
    if bytes.count > 2 + LinkFrame.frameLimit { fault = "a frame of \(bytes.count) bytes" }
    if pipes.count < 256 { pipes.append((1 - index, link, bytes)) }
  }

  private func deliverLink(portion: Int) {
    let (to, link, bytes) = pipes[0]
    let part = Array(bytes.prefix(portion))
    if part.count == bytes.count { pipes.removeFirst() } else { pipes[0].bytes.removeFirst(portion) }
    act(to) { $0.sessions.linkBytes(link, part, identity: $0.identity, now: self.now, into: &$1) }
  }

  private func sendLink(_ index: Int, _ count: Int, fill: UInt8) {
    let message = [MessageType.members.rawValue] + (0..<count).map { fill &* UInt8(truncatingIfNeeded: $0 >> 3) }
    sides[index].sent.insert(message)
    let peer = other(sides[index]).identity.publicKey
    act(index) { _ = $0.sessions.linkSend(message, to: peer, now: self.now, into: &$1) }
  }
}
