// Owns: TCP links: handshake, frames, packing, crossing dials and what a bad peer can do.

import TallyBase
import TallyCrypto
import TallyWire
import Testing

@testable import TallySession

@Suite("TCP links")
struct LinkTests {
  private func pair(_ mesh: MeshKeys = Bench.keys(1)) -> (Bench, Host, Host) {
    let bench = Bench()
    return (bench, bench.add(1, mesh), bench.add(2, mesh))
  }

  private func established(portion: Int = .max) -> (Bench, Host, Host) {
    let (bench, one, two) = pair()
    bench.dial(one, two)
    bench.settle(portion: portion)
    return (bench, one, two)
  }

  private func message(_ count: Int, _ fill: UInt8 = 7) -> [UInt8] {
    [MessageType.push.rawValue] + [UInt8](repeating: fill, count: count - 1)
  }

  @Test(arguments: [1, 2, 3, 100, Int.max])
  func framesArriveHoweverTheyAreCut(_ portion: Int) {
    let (bench, one, two) = established(portion: portion)
    #expect(one.sessions.linkPeers == [two.key] && two.sessions.linkPeers == [one.key])
    let messages = [message(1), message(256), message(257), message(5000)]
    for message in messages { #expect(bench.linkSend(one, two, message)) }
    bench.settle(portion: portion)
    #expect(two.linkMessages == messages)
    #expect(bench.linkSend(two, one, message(3)))
    bench.settle(portion: portion)
    #expect(one.linkMessages == [message(3)])
    #expect(one.sessions.roundTrip(of: two.key) != nil)
  }

  @Test func manyFramesInOnePortion() {
    let (bench, one, two) = established()
    for index in 0..<300 { bench.linkSend(one, two, [MessageType.push.rawValue, UInt8(index % 256)]) }
    let target = bench.pipes[0].0
    let bytes = bench.pipes.flatMap(\.1)
    bench.pipes = [(target, bytes)]
    bench.settle()
    #expect(two.linkMessages.count == 300)
  }

  @Test func packingIsForWhatShrinks() {
    let (bench, one, two) = established()
    var generator = Generator(seed: .zero, stream: 8)
    let largest = SessionLimits.linkMessageBytes
    for (message, fits) in [
      (message(256), 256 + 19), (message(largest), 400), (message(300), 100),
      ([0x32] + generator.bytes(largest - 1), 65_537), ([0x32] + generator.bytes(300), 301 + 19),
    ] {
      #expect(bench.linkSend(one, two, message))
      let size = bench.pipes.last!.1.count
      #expect(size <= fits && size <= LinkFrame.frameLimit + 2)
      if message.count == 256 { #expect(size == 256 + 19) }
      bench.settle()
      #expect(two.linkMessages.last == message)
    }
  }

  @Test func everyFlippedByteOfAHandshakeIsRefused() {
    let count = 2 + InitPacket.byteCount + 2 + ResponsePacket.byteCount
    for index in 0..<count {
      let (bench, one, two) = pair()
      bench.dial(one, two)
      var seen = 0
      var guardRounds = 0
      while !bench.pipes.isEmpty && guardRounds < 20 {
        guardRounds += 1
        let length = bench.pipes[0].1.count
        if seen <= index && index < seen + length { bench.pipes[0].1[index - seen] ^= 0x21 }
        seen += length
        let (pipe, bytes) = bench.pipes.removeFirst()
        bench.act(bench.hosts[pipe.host]) { $0.linkBytes(pipe.link, bytes, identity: $1, now: bench.now, into: &$2) }
      }
      bench.run(for: .seconds(6))
      #expect(!one.sessions.hasLink(two.key) && !two.sessions.hasLink(one.key), "byte \(index)")
    }
  }

  @Test func everyFlippedByteOfAFrameEndsTheLink() {
    for index in 0..<40 {
      let (bench, one, two) = established()
      bench.linkSend(one, two, message(21))
      guard index < bench.pipes[0].1.count else { break }
      bench.pipes[0].1[index] ^= 1
      bench.linkSend(one, two, message(21))
      bench.settle()
      #expect(two.linkMessages.isEmpty)
      if index != 0 && index != 1 {
        #expect(two.count(.badSeal) == 1 && !two.sessions.hasLink(one.key) && !one.sessions.hasLink(two.key))
      }
    }
  }

  @Test func anotherMeshOrKeyMeetsSilence() {
    let bench = Bench()
    let (one, two) = (bench.add(1, Bench.keys(2)), bench.add(2, Bench.keys(1)))
    bench.dial(one, two)
    bench.settle()
    #expect(two.count(.badMac1) == 1)
    #expect(two.events.contains(.refused(from: one.endpoint, .badMac1)))
    #expect(bench.pipes.isEmpty && !one.sessions.hasLink(two.key))
    #expect(one.sessions.nextDeadline == nil)
  }

  @Test func theNextDialTriesTheNextKey() {
    let bench = Bench()
    let (one, two) = (bench.add(1, Bench.keys(3, 2, 1)), bench.add(2, Bench.keys(1)))
    for _ in 0..<2 {
      bench.dial(one, two)
      bench.settle()
      #expect(!one.sessions.hasLink(two.key))
    }
    bench.dial(one, two)
    bench.settle()
    #expect(one.sessions.hasLink(two.key) && two.sessions.hasLink(one.key))
  }

  @Test func theWrongHostIsNotTaken() throws {
    let (bench, one, two) = pair()
    let third = try Identity(seed: [UInt8](repeating: 77, count: 32)).publicKey
    bench.dial(one, two, as: third)
    bench.settle()
    #expect(two.count(.badMac1) == 1)
    #expect(one.sessions.linkPeers.isEmpty)
    let (near, _) = bench.dial(one, one)
    bench.settle()
    #expect(one.events.contains(.close(near, why: .ourself)))
  }

  @Test func anotherVersionGetsAHintAndTheEnd() {
    let (bench, one, two) = pair()
    bench.dial(one, two)
    bench.pipes[0].1[3] = 2
    bench.settle()
    #expect(two.count(.unknownVersion) == 1)
    #expect(one.count(.hintedVersion) == 1)
    #expect(one.sessions.linkPeers.isEmpty)
  }

  /// DESIGN section 5: of two crossing links the one dialled by the lower node ID stays, whatever the order.
  @Test func ofCrossingLinksOneStays() {
    for seed in 0..<200 as Range<UInt64> {
      var generator = Generator(seed: .zero, stream: seed)
      let (bench, one, two) = pair()
      let (nearOne, farOne) = bench.dial(one, two)
      let (nearTwo, farTwo) = bench.dial(two, one)
      // Each pipe keeps its order; which pipe is next is chance.
      while !bench.pipes.isEmpty || !bench.closing.isEmpty {
        if !bench.pipes.isEmpty {
          let targets = Array(Set(bench.pipes.map(\.0))).sorted { ($0.host, $0.link) < ($1.host, $1.link) }
          let target = targets[generator.below(targets.count)]
          let index = bench.pipes.firstIndex { $0.0 == target }!
          let (pipe, bytes) = bench.pipes.remove(at: index)
          bench.act(bench.hosts[pipe.host]) {
            $0.linkBytes(pipe.link, bytes, identity: $1, now: bench.now, into: &$2)
          }
        } else {
          bench.settle()
        }
      }
      let mesh = Bench.mesh
      let oneIsLower = Names.nodeID(mesh: mesh, key: one.key) < Names.nodeID(mesh: mesh, key: two.key)
      #expect(one.sessions.link(of: two.key) == (oneIsLower ? nearOne : farTwo), "seed \(seed)")
      #expect(two.sessions.link(of: one.key) == (oneIsLower ? farOne : nearTwo), "seed \(seed)")
      for host in [one, two] {
        let ups = host.events.filter { if case .linkUp = $0 { true } else { false } }.count
        let downs = host.events.filter { if case .linkDown = $0 { true } else { false } }.count
        #expect(ups - downs == 1)
      }
      bench.linkSend(one, two, message(4))
      bench.linkSend(two, one, message(4))
      bench.settle()
      #expect(one.linkMessages.count == 1 && two.linkMessages.count == 1)
    }
  }

  @Test func aNewerLinkOfTheSameSideReplacesTheOlder() {
    let (bench, one, two) = established()
    let (near, far) = bench.dial(one, two)
    bench.settle()
    #expect(one.sessions.link(of: two.key) == near && two.sessions.link(of: one.key) == far)
  }

  @Test func silenceEndsAHalfOpenLink() {
    let (bench, one, two) = pair()
    let (near, far) = bench.dial(one, two)
    bench.pipes = []
    bench.run(for: .seconds(2))
    #expect(two.events.contains(.close(far, why: .noAnswer)))
    #expect(one.events.filter { $0 == .close(near, why: .noAnswer) }.isEmpty)
    #expect(one.sessions.nextDeadline == nil)
    let alone = Bench()
    let (three, four) = (alone.add(1, Bench.keys(1)), alone.add(2, Bench.keys(1)))
    let (dialled, _) = alone.dial(three, four)
    alone.hosts[1].sessions = Host(2, mesh: Bench.keys(1)).sessions
    alone.run(for: .seconds(6))
    #expect(three.events.contains(.close(dialled, why: .noAnswer)))
  }

  @Test func halfOpenLinksAreBounded() {
    let (bench, _, two) = pair()
    func open(_ number: UInt64, _ remote: Endpoint) {
      bench.act(two) {
        $0.linkOpened(LinkID(number: number), to: nil, remote: remote, identity: $1, now: bench.now, into: &$2)
      }
    }
    for number in 0..<20 as Range<UInt64> { open(number, Endpoint("203.0.113.\(number):5")!) }
    #expect(two.count(.halfOpenFull) == UInt64(20 - SessionLimits.halfOpenLinksPerGroup))
    for number in 20..<120 as Range<UInt64> { open(number, Endpoint("203.1.\(number).1:5")!) }
    #expect(two.count(.halfOpenFull) == UInt64(120 - SessionLimits.halfOpenLinks))
    bench.run(for: .seconds(3))
    #expect(two.count(.noAnswer) == UInt64(SessionLimits.halfOpenLinks))
    open(500, Endpoint("203.0.113.1:5")!)
    #expect(two.count(.halfOpenFull) == UInt64(120 - SessionLimits.halfOpenLinks))
    bench.act(two) { sessions, _, effects in
      sessions.linkClosed(LinkID(number: 500), now: bench.now, into: &effects)
      sessions.linkClosed(LinkID(number: 500), now: bench.now, into: &effects)
    }
    #expect(two.sessions.nextDeadline == nil)
  }

  @Test func aStrangersFrameIsNoLongerThanAHandshake() {
    for prefix in [[0, 0], [0xa9, 0], [0xff, 0xff]] as [[UInt8]] {
      let (bench, one, two) = pair()
      let (_, far) = bench.dial(one, two)
      bench.pipes = []
      bench.act(two) { $0.linkBytes(far, prefix, identity: $1, now: bench.now, into: &$2) }
      #expect(two.count(.malformed) == 1)
      #expect(two.events.contains(.close(far, why: .malformed)))
      // Bytes that come after the end change nothing.
      bench.act(two) { $0.linkBytes(far, prefix, identity: $1, now: bench.now, into: &$2) }
      #expect(two.count(.malformed) == 1)
    }
  }

  @Test func goodbyesAreHeard() {
    let (bench, one, two) = established()
    bench.act(one) { sessions, _, effects in sessions.close(two.key, now: bench.now, into: &effects) }
    bench.settle()
    #expect(two.count(.peerClosed) == 1)
    #expect(two.sessions.linkPeers.isEmpty && one.sessions.linkPeers.isEmpty)
    #expect(!bench.linkSend(one, two, message(3)))
  }

  @Test func pingsWorkOnLinks() {
    let (bench, one, two) = established()
    bench.act(one) { sessions, _, effects in
      #expect(sessions.ping(two.key, over: .link, now: bench.now, into: &effects) == true)
      #expect(sessions.ping(two.key, over: .datagram, now: bench.now, into: &effects) == false)
    }
    bench.settle()
    #expect(one.events.contains(
      .pong(from: two.key, over: .link, roundTrip: Interval(micros: 0), observed: one.endpoint)))
  }

  @Test func peersThatPackBadlyLoseTheirLink() {
    for inside in [
      [2, 1], [1], [1, 1, 1], [1, 0, 1, 0], [1, 44, 1] + [UInt8](repeating: 0, count: 400), [1, 44, 1, 0x10, 65],
      [1, 0xff, 0xff, 0x1f, 65, 1, 0, 0xff, 0xff],
    ] as [[UInt8]] {
      let now = Instant(micros: 0, wallMs: 0)
      var link = Link(remote: Endpoint("192.0.2.1:1")!, weDialled: true, phase: .awaitingInit, now: now)
      let noise = SessionKeys.pairForTest()
      link.keys = noise.0
      var writer = ByteWriter()
      writer.u16(UInt16(inside.count + 16))
      var other = noise.1
      other.send.seal(inside, behind: &writer.bytes)
      #expect(throws: SessionFault.self) { _ = try link.open(writer.bytes, now: now) }
    }
  }
}

extension SessionKeys {
  /// The two ends of one session.
  static func pairForTest() -> (SessionKeys, SessionKeys) {
    let (one, two) = (CipherState(key: Bench.key(1)), CipherState(key: Bench.key(2)))
    return (SessionKeys(send: one, receive: two), SessionKeys(send: two, receive: one))
  }
}
