// A mesh of memberships in virtual time: the sessions and links that a node would run, with delay, loss and crashes.
import TallyBase
import TallyCrypto
import TallyWire
import Testing

@testable import TallyGossip

let testMesh = Names.meshID(name: "gossip", nonce: [UInt8](repeating: 3, count: 16))

func at(_ seconds: Double) -> Instant {
  Instant(micros: Int64(seconds * 1_000_000), wallMs: Int64(seconds * 1000) + 1_700_000_000_000)
}

func seedBytes(_ number: Int) -> [UInt8] {
  var writer = ByteWriter()
  writer.u64(UInt64(number))
  writer.raw([UInt8](repeating: 0x77, count: 24))
  return writer.bytes
}

func keyOf(_ number: Int) -> PublicKey { try! Identity(seed: seedBytes(number)).publicKey }

func endpointOf(_ number: Int) -> Endpoint {
  Endpoint(address: Address(v4: 10 << 24 | UInt32(number + 1)), port: 8255)
}

/// A signed record of host `number`, with a block.
func signedRecord(
  _ number: Int, epoch: UInt64 = 1, counter: UInt32 = 0, endpoints: [Endpoint]? = nil, mesh: MeshID = testMesh
) -> RecordWithAttributes {
  let identity = try! Identity(seed: seedBytes(number))
  let block = Attributes(petname: "host\(number)").encoded
  let digest = Membership.attributesDigest(block)
  let endpoints = endpoints ?? [endpointOf(number)]
  let recordNumber = RecordNumber(epoch: epoch, counter: counter)
  let bytes = NodeRecord.signedBytes(
    mesh: mesh, key: identity.publicKey, number: recordNumber, attributes: digest, endpoints: endpoints)
  let record = NodeRecord(
    key: identity.publicKey, number: recordNumber, attributes: digest, endpoints: endpoints,
    signature: identity.sign(bytes))
  return RecordWithAttributes(record: record, block: block)
}

func signedReached(_ subject: Int, by observer: Int, how: Reached.How = .atAddress) -> Reached {
  let identity = try! Identity(seed: seedBytes(observer))
  func make(_ signature: Signature) -> Reached {
    Reached(
      how: how, subject: keyOf(subject), number: RecordNumber(epoch: 1, counter: 0), endpoint: endpointOf(subject),
      observer: identity.publicKey, signature: signature)
  }
  return make(identity.sign(make(Signature(first: .zero, second: .zero)).signedBytes(mesh: testMesh)))
}

func signedLeave(_ number: Int, epoch: UInt64 = 1, counter: UInt32 = 0) -> Leave {
  let identity = try! Identity(seed: seedBytes(number))
  let recordNumber = RecordNumber(epoch: epoch, counter: counter)
  let bytes = Leave.signedBytes(mesh: testMesh, key: identity.publicKey, number: recordNumber)
  return Leave(key: identity.publicKey, number: recordNumber, signature: identity.sign(bytes))
}

/// One membership with its key, for tests that play all other hosts themselves.
struct Single: ~Copyable {
  let identity: Identity
  var membership: Membership
  var effects: [MeshEffect] = []
  var now = at(0)

  init(_ number: Int, seeds: [Seed] = [], epoch: UInt64 = 1, endpoints: [Endpoint]? = nil) {
    identity = try! Identity(seed: seedBytes(number))
    membership = Membership(
      MembershipConfig(
        mesh: testMesh, me: keyOf(number), epoch: epoch, endpoints: endpoints ?? [endpointOf(number)],
        attributes: Attributes(petname: "host\(number)"), seeds: seeds),
      generator: Generator(seed: Bytes32(word0: UInt64(number), word1: 0, word2: 0, word3: 1), stream: 0))
  }

  mutating func start(_ stored: [(key: [UInt8], value: [UInt8])] = []) {
    membership.start(stored, identity: identity, now: now, into: &effects)
  }
  mutating func linkUp(_ number: Int, weDialled: Bool, at endpoint: Endpoint? = nil) {
    membership.onLinkUp(
      keyOf(number), at: endpoint ?? endpointOf(number), weDialled: weDialled, identity: identity, now: now,
      into: &effects)
  }
  mutating func sessionUp(_ number: Int, weDialled: Bool, at endpoint: Endpoint? = nil) {
    membership.onSessionUp(
      keyOf(number), at: endpoint ?? endpointOf(number), weDialled: weDialled, identity: identity, now: now,
      into: &effects)
  }
  mutating func receive(_ message: [UInt8], from number: Int, over transport: Transport = .link) {
    membership.onMessage(
      message, from: keyOf(number), over: transport, identity: identity, now: now, into: &effects)
  }
  mutating func receive(_ items: [Members.Item], from number: Int) {
    receive(Members(view: nil, items: items).message, from: number)
  }
  /// Lets time pass; nobody answers.
  mutating func run(until end: Double) {
    while let next = membership.nextDeadline, next <= at(end) {
      now = max(now, next)
      membership.wake(identity: identity, now: now, into: &effects)
    }
    now = at(end)
  }
  func state(of number: Int) -> MemberState? { membership.member(keyOf(number))?.state }
  mutating func take() -> [MeshEffect] {
    defer { effects = [] }
    return effects
  }
}

/// Many hosts. One thread of virtual time; the same seed gives the same run.
struct MeshSim {
  struct Member: ~Copyable {
    let identity: Identity
  }
  struct Machine {
    var membership: Membership
    var isUp = true
    var epoch: UInt64 = 1
    var stored: [[UInt8]: [UInt8]] = [:]
    /// UDP sessions that this side holds, by peer, with the other side's run.
    var sessions: [Int: Int] = [:]
    var links: Set<Int> = []
    /// Counts starts, so that a session with an earlier run is not one with this run.
    var run = 0
  }
  enum Event {
    case datagram(from: Int, run: Int, toRun: Int, message: [UInt8])
    case linkMessage(from: Int, message: [UInt8])
    case sessionUp(with: Int, peerRun: Int, weDialled: Bool)
    case linkUp(with: Int, weDialled: Bool)
    case linkDown(with: Int)
  }
  struct Packet {
    let at: Instant
    let order: Int
    let to: Int
    let toRun: Int
    let event: Event
  }

  var machines: [Machine] = []
  let index: [PublicKey: Int]
  var packets: [Packet] = []
  var order = 0
  var now = at(0)
  var lossPercent = 0
  var generator: Generator
  var faults: [MeshFault] = []
  var trace = Generator(seed: .zero, stream: 0)
  var traceSum: UInt64 = 0
  var cut: (Int, Int) -> Bool = { _, _ in false }

  init(count: Int, seed: UInt64, lossPercent: Int = 0) {
    self.lossPercent = lossPercent
    generator = Generator(seed: Bytes32(word0: seed, word1: 0, word2: 0, word3: 0), stream: 0)
    index = Dictionary(uniqueKeysWithValues: (0..<count).map { (keyOf($0), $0) })
    for number in 0..<count {
      machines.append(Machine(membership: MeshSim.membership(number, epoch: 1)))
      machines[number].isUp = false
    }
  }

  static func membership(_ number: Int, epoch: UInt64) -> Membership {
    let seeds = number == 0 ? [] : [Seed(key: keyOf(0), endpoint: endpointOf(0))]
    return Membership(
      MembershipConfig(
        mesh: testMesh, me: keyOf(number), epoch: epoch, endpoints: [endpointOf(number)],
        attributes: Attributes(petname: "host\(number)"), seeds: seeds),
      generator: Generator(seed: Bytes32(word0: UInt64(number), word1: epoch, word2: 5, word3: 5), stream: 0))
  }

  mutating func start(_ number: Int, keepingStore: Bool = true) {
    machines[number].run += 1
    machines[number].epoch += 1
    machines[number].isUp = true
    machines[number].membership = MeshSim.membership(number, epoch: machines[number].epoch)
    if !keepingStore { machines[number].stored = [:] }
    let rows = machines[number].stored.sorted { $0.key.lexicographicallyPrecedes($1.key) }
      .map { (key: $0.key, value: $0.value) }
    let identity = try! Identity(seed: seedBytes(number))
    var effects: [MeshEffect] = []
    machines[number].membership.start(rows, identity: identity, now: now, into: &effects)
    apply(effects, of: number)
  }

  /// Kills a host: the kernel closes its links, its sessions are forgotten.
  mutating func kill(_ number: Int) {
    machines[number].isUp = false
    for peer in machines[number].links.sorted() {
      machines[peer].links.remove(number)
      post(.linkDown(with: number), to: peer, after: 1)
    }
    machines[number].links = []
    machines[number].sessions = [:]
  }

  mutating func post(_ event: Event, to number: Int, after milliseconds: Int64) {
    order += 1
    let delay = Interval(micros: milliseconds * 1000 + Int64(generator.below(2000)))
    packets.append(Packet(at: now + delay, order: order, to: number, toRun: machines[number].run, event: event))
  }

  mutating func isLost() -> Bool { lossPercent > 0 && generator.chance(UInt64(lossPercent), outOf: 100) }

  mutating func apply(_ effects: [MeshEffect], of number: Int) {
    for effect in effects {
      switch effect {
      case .datagram(let key, let place, let message): datagram(number, key, place, message)
      case .wantSession(let key, let place): session(number, key, place)
      case .wantLink(let key, let place): link(number, key, place)
      case .link(let key, let message):
        if let peer = index[key], machines[number].links.contains(peer) {
          post(.linkMessage(from: number, message: message), to: peer, after: 2)
        }
      case .dropLink(let key):
        if let peer = index[key] { close(number, peer) }
      case .store(_, let key, let value): machines[number].stored[key] = value
      case .delete(_, let key): machines[number].stored[key] = nil
      case .fault(_, let fault): faults.append(fault)
      default: break
      }
    }
  }

  mutating func close(_ one: Int, _ other: Int) {
    guard machines[one].links.remove(other) != nil else { return }
    machines[other].links.remove(one)
    post(.linkDown(with: other), to: one, after: 0)
    post(.linkDown(with: one), to: other, after: 1)
  }

  func reaches(_ number: Int, _ peer: Int, _ place: Endpoint?) -> Bool {
    machines[peer].isUp && !cut(number, peer) && (place == nil || place == endpointOf(peer))
  }

  mutating func datagram(_ number: Int, _ key: PublicKey, _ place: Endpoint?, _ message: [UInt8]) {
    guard let peer = index[key] else { return }
    if machines[number].sessions[peer] == nil, let place { session(number, key, place) }
    guard let run = machines[number].sessions[peer], !isLost(), reaches(number, peer, nil) else { return }
    // Sealed with the keys of one run: the next run of that host cannot open it.
    post(.datagram(from: number, run: machines[number].run, toRun: run, message: message), to: peer, after: 2)
  }

  /// A handshake: two packets, each of which can be lost; the session tries three times.
  mutating func session(_ number: Int, _ key: PublicKey, _ place: Endpoint) {
    guard let peer = index[key], peer != number, reaches(number, peer, place) else { return }
    var tries = 0
    while tries < 3 && (isLost() || isLost()) { tries += 1 }
    guard tries < 3 else { return }
    machines[number].sessions[peer] = machines[peer].run
    machines[peer].sessions[number] = machines[number].run
    post(.sessionUp(with: peer, peerRun: machines[peer].run, weDialled: true), to: number, after: 4)
    post(.sessionUp(with: number, peerRun: machines[number].run, weDialled: false), to: peer, after: 2)
  }

  mutating func link(_ number: Int, _ key: PublicKey, _ place: Endpoint) {
    guard let peer = index[key], peer != number, reaches(number, peer, place), !machines[number].links.contains(peer)
    else { return }
    machines[number].links.insert(peer)
    machines[peer].links.insert(number)
    post(.linkUp(with: peer, weDialled: true), to: number, after: 4)
    post(.linkUp(with: number, weDialled: false), to: peer, after: 4)
  }

  mutating func deliver(_ packet: Packet) {
    let number = packet.to
    guard machines[number].isUp, machines[number].run == packet.toRun else { return }
    let identity = try! Identity(seed: seedBytes(number))
    var effects: [MeshEffect] = []
    switch packet.event {
    case .datagram(let from, let run, let toRun, let message):
      guard toRun == machines[number].run, run == machines[from].run else { return }
      traceSum = traceSum &* 31 &+ UInt64(message.count) &+ UInt64(from) << 8
      machines[number].membership.onMessage(
        message, from: keys[from], over: .datagram, identity: identity, now: now, into: &effects)
    case .linkMessage(let from, let message):
      guard machines[number].links.contains(from) else { return }
      traceSum = traceSum &* 31 &+ message.reduce(0) { $0 &* 31 &+ UInt64($1) }
      machines[number].membership.onMessage(
        message, from: keys[from], over: .link, identity: identity, now: now, into: &effects)
    case .sessionUp(let peer, let run, let weDialled):
      guard run == machines[peer].run else { return }
      machines[number].membership.onSessionUp(
        keys[peer], at: endpointOf(peer), weDialled: weDialled, identity: identity, now: now, into: &effects)
    case .linkUp(let peer, let weDialled):
      guard machines[number].links.contains(peer) else { return }
      machines[number].membership.onLinkUp(
        keys[peer], at: endpointOf(peer), weDialled: weDialled, identity: identity, now: now, into: &effects)
    case .linkDown(let peer):
      if !machines[number].links.contains(peer) {
        machines[number].membership.onLinkDown(keys[peer], now: now, into: &effects)
      }
    }
    apply(effects, of: number)
  }

  var keys: [PublicKey] { keyTable }
  let keyTable: [PublicKey] = (0..<64).map { keyOf($0) }

  /// Runs until `end`, or until `isDone` (looked at every 50 ms of virtual time). Returns when it was.
  mutating func run(until end: Double, isDone: (borrowing MeshSim) -> Bool = { _ in false }) -> Double? {
    var nextLook = now
    while now < at(end) {
      if now >= nextLook {
        if isDone(self) { return Double(now.micros) / 1_000_000 }
        nextLook = now + .milliseconds(50)
      }
      var next = min(at(end), nextLook)
      for packet in packets where packet.at < next { next = packet.at }
      for machine in machines where machine.isUp {
        if let deadline = machine.membership.nextDeadline, deadline < next { next = deadline }
      }
      now = max(now, next)
      let due = packets.filter { $0.at <= now }.sorted { ($0.at.micros, $0.order) < ($1.at.micros, $1.order) }
      packets.removeAll { $0.at <= now }
      for packet in due { deliver(packet) }
      for number in machines.indices where machines[number].isUp {
        guard let deadline = machines[number].membership.nextDeadline, deadline <= now else { continue }
        let identity = try! Identity(seed: seedBytes(number))
        var effects: [MeshEffect] = []
        machines[number].membership.wake(identity: identity, now: now, into: &effects)
        apply(effects, of: number)
      }
    }
    return nil
  }

  var running: [Int] { machines.indices.filter { machines[$0].isUp } }

  /// Every running host sees every running host as an alive member, itself included.
  var viewsAreFull: Bool {
    let up = running
    return up.allSatisfy { number in
      let membership = machines[number].membership
      return membership.isMember(keys[number])
        && up.allSatisfy { $0 == number || membership.member(keys[$0])?.state == .alive }
    }
  }

  /// Hosts that can be reached from the first running one over links.
  var linked: Set<Int> {
    guard let first = running.first else { return [] }
    var seen: Set<Int> = [first]
    var open = [first]
    while let number = open.popLast() {
      for peer in machines[number].links where machines[peer].isUp && seen.insert(peer).inserted { open.append(peer) }
    }
    return seen
  }

  var isConnected: Bool { linked.count == running.count }
}
