// Owns: UDP sessions between hosts: who gets one, who gets silence, and what an attacker can do.

import TallyBase
import TallyCrypto
import TallyWire
import Testing

@testable import TallySession

@Suite("UDP sessions")
struct DatagramTests {
  private func pair(_ mesh: MeshKeys = Bench.keys(1)) -> (Bench, Host, Host) {
    let bench = Bench()
    return (bench, bench.add(1, mesh), bench.add(2, mesh))
  }

  private func established() -> (Bench, Host, Host) {
    let (bench, one, two) = pair()
    bench.connect(one, two)
    bench.settle()
    return (bench, one, two)
  }

  @Test(arguments: [Bench.keys(), Bench.keys(1), Bench.keys(1, 2, 3)])
  func twoHostsMeet(_ mesh: MeshKeys) {
    let (bench, one, two) = pair(mesh)
    bench.connect(one, two)
    #expect(bench.send(one, two, find([7])))
    bench.settle()
    #expect(one.events.contains(.sessionUp(two.key, at: two.endpoint, weDialled: true)))
    #expect(two.events.contains(.sessionUp(one.key, at: one.endpoint, weDialled: false)))
    #expect(one.events.contains(.addressProven(two.key, two.endpoint)))
    #expect(two.events.contains(.addressProven(one.key, one.endpoint)))
    #expect(two.datagrams == [find([7])])
    #expect(bench.send(two, one, find([8])))
    bench.settle()
    #expect(one.datagrams == [find([8])])
    #expect(one.sessions.sessionPeers == [two.key])
    #expect(one.sessions.roundTrip(of: two.key) != nil)
    #expect(one.events.contains(
      .pong(from: two.key, over: .datagram, roundTrip: Interval(micros: 0), observed: one.endpoint)))
    #expect(bench.sent.first?.bytes.count == InitPacket.byteCount)
    #expect(bench.sent.dropFirst().first?.bytes.count == ResponsePacket.byteCount)
  }

  @Test func aFirstMessageHasNoEffectBeyondOneReply() {
    let (bench, one, two) = pair()
    bench.connect(one, two)
    bench.bend = { _ in [] }
    bench.settle()
    #expect(two.events.isEmpty && !two.sessions.hasSession(one.key))
    #expect(bench.sent.filter { $0.from == two.endpoint }.count == 1)
    // After two seconds nothing is left of it: the late first packet opens nothing.
    bench.run(for: .seconds(3))
    #expect(!two.sessions.hasSession(one.key))
  }

  @Test func copiesOfAFirstMessageGetCopiesOfTheAnswer() {
    let (bench, one, two) = pair()
    bench.bend = { [$0, $0, $0] }
    bench.connect(one, two)
    bench.settle()
    let answers = bench.sent.filter { $0.from == two.endpoint && $0.bytes[0] == SessionPacket.respond }
    #expect(answers.count == 3)
    #expect(Set(answers.map(\.bytes)).count == 1)
    #expect(one.sessions.hasSession(two.key) && two.sessions.hasSession(one.key))
    #expect(two.count(.replay) > 0)
  }

  @Test func everyFlippedByteOfAHandshakeIsRefused() {
    let (bench, one, two) = pair()
    bench.connect(one, two)
    let initial = bench.flying.removeFirst()
    bench.bend = { _ in [] }
    for index in initial.bytes.indices {
      for bit in [0x01, 0x80] as [UInt8] {
        var damaged = initial
        damaged.bytes[index] ^= bit
        bench.sent = []
        bench.inject(damaged)
        let answers = bench.sent
        // A changed version byte may be answered with a hint, which is shorter; nothing else gets any answer.
        #expect(answers.allSatisfy { index == 1 && $0.bytes.count == HintPacket.byteCount }, "byte \(index)")
      }
    }
    for count in 0..<initial.bytes.count {
      bench.sent = []
      bench.inject(Flying(from: initial.from, to: initial.to, bytes: Array(initial.bytes.prefix(count))))
      #expect(bench.sent.isEmpty)
    }
    bench.sent = []
    bench.inject(initial)
    let answer = bench.sent[0]
    for index in answer.bytes.indices {
      for bit in [0x01, 0x80] as [UInt8] {
        var damaged = answer
        damaged.bytes[index] ^= bit
        bench.inject(damaged)
        #expect(!one.sessions.hasSession(two.key), "byte \(index)")
      }
    }
    // Forgeries have not ended the wait for the true answer.
    bench.bend = { [$0] }
    bench.inject(answer)
    bench.settle()
    #expect(one.sessions.hasSession(two.key) && two.sessions.hasSession(one.key))
  }

  @Test func everyFlippedByteOfDataIsRefused() {
    let (bench, one, two) = established()
    bench.bend = { _ in [] }
    bench.send(one, two, find())
    let packet = bench.sent.last!
    for index in packet.bytes.indices {
      var damaged = packet
      damaged.bytes[index] ^= 4
      bench.inject(damaged)
    }
    #expect(two.datagrams.isEmpty)
    bench.inject(packet)
    #expect(two.datagrams == [find()])
    bench.inject(packet)
    #expect(two.datagrams == [find()])
    #expect(two.count(.replay) >= 1)
    #expect(two.count(.badSeal) > 20)
  }

  @Test func garbageIsCountedAndNothingElse() {
    let (bench, _, two) = established()
    var generator = Generator(seed: .zero, stream: 99)
    let templates = bench.sent
    two.events = []
    bench.bend = { _ in [] }
    for round in 0..<5000 {
      var bytes = generator.bytes(generator.below(300))
      if round % 2 == 0 {
        bytes = templates[generator.below(templates.count)].bytes
        for _ in 0...generator.below(4) { bytes[generator.below(bytes.count)] = UInt8(generator.below(256)) }
      }
      bench.inject(Flying(from: Endpoint("203.0.113.9:9")!, to: two.endpoint, bytes: bytes))
    }
    #expect(two.events.allSatisfy { if case .refused = $0 { true } else { false } })
    // Time stood still: the log is told of each kind once, the counters know all.
    #expect(two.events.count < 12)
    #expect(two.sessions.counters.map(\.count).reduce(0, +) > 4000)
    #expect(two.sessions.counters.map(\.name) == two.sessions.counters.map(\.name).sorted())
  }

  @Test func anotherMeshOrKeyMeetsSilence() {
    let other = Names.meshID(name: "lab", nonce: [UInt8](repeating: 2, count: 16))
    for mesh in [Bench.keys(2), Bench.keys(), MeshKeys(meshID: other, keys: [Bench.key(1)])] {
      let bench = Bench()
      let (one, two) = (bench.add(1, mesh), bench.add(2, Bench.keys(1)))
      bench.connect(one, two)
      bench.run(for: .seconds(20))
      #expect(bench.sent.allSatisfy { $0.from == one.endpoint })
      #expect(bench.sent.count == SessionLimits.handshakeTries)
      #expect(two.count(.badMac1) == UInt64(SessionLimits.handshakeTries))
      #expect(two.events.contains(.refused(from: one.endpoint, .badMac1)))
      #expect(one.events.contains(.noAnswer(two.key, at: two.endpoint)))
      #expect(!one.sessions.isConnecting(two.key))
    }
  }

  @Test func triesBackOff() {
    let (bench, one, two) = pair()
    bench.bend = { _ in [] }
    bench.connect(one, two)
    bench.connect(one, two)
    var times: [Int64] = []
    var seen = bench.sent.count
    #expect(seen == 1)
    for _ in 0..<2000 {
      bench.run(for: .milliseconds(10))
      if bench.sent.count > seen { times.append(bench.now.micros) }
      seen = bench.sent.count
    }
    #expect(times.count == SessionLimits.handshakeTries - 1)
    for (one, two) in zip(times, times.dropFirst()) { #expect(two > one) }
    #expect(zip(times, times.dropFirst()).map { $1 - $0 }.max()! > 1_500_000)
    #expect(Set(bench.sent.map(\.bytes)).count == SessionLimits.handshakeTries)
  }

  @Test func everyKeyOfTheRingOpens() {
    // The dialler's newest key is the answerer's oldest, and the other way round.
    for (mine, theirs) in [
      (Bench.keys(3), Bench.keys(1, 2, 3)), (Bench.keys(1, 2, 3), Bench.keys(3)), (Bench.keys(1, 2, 3), Bench.keys(2)),
      (Bench.keys(4, 1), Bench.keys(1)),
    ] {
      let bench = Bench()
      let (one, two) = (bench.add(1, mine), bench.add(2, theirs))
      bench.connect(one, two)
      bench.run(for: .seconds(5))
      #expect(one.sessions.hasSession(two.key) && two.sessions.hasSession(one.key))
      // The key that worked is tried first from then on.
      let before = bench.sent.count
      bench.connect(one, two)
      bench.settle()
      #expect(bench.sent[before + 1].bytes.first == SessionPacket.respond)
    }
  }

  @Test func aRotationKeepsWhatStands() {
    let (bench, one, two) = established()
    two.sessions.rotate(to: Bench.keys(9, 1))
    bench.send(one, two, find())
    bench.settle()
    #expect(two.datagrams.count == 1)
    one.sessions.rotate(to: Bench.keys(9))
    bench.connect(one, two)
    bench.settle()
    #expect(two.events.filter { if case .sessionUp = $0 { true } else { false } }.count == 2)
  }

  @Test func anotherVersionGetsAShortHint() {
    let (bench, one, two) = pair()
    bench.bend = { packet in
      var packet = packet
      if packet.bytes[0] == SessionPacket.initiate { packet.bytes[1] = 2 }
      return [packet]
    }
    bench.connect(one, two)
    bench.settle()
    #expect(two.count(.unknownVersion) == 1)
    #expect(bench.sent.last?.bytes.count == HintPacket.byteCount)
    #expect(one.count(.hintedVersion) == 1)
    // A hint is shown and not obeyed: anybody could have sent it.
    #expect(one.sessions.isConnecting(two.key))
    // One that nobody asked for is noise; nothing that is shorter than a hint deserves is answered.
    bench.inject(Flying(from: two.endpoint, to: one.endpoint, bytes: HintPacket(version: 3, receiver: 5).bytes))
    #expect(one.count(.unknownSession) == 1)
    let before = bench.sent.count
    for count in 0..<HintPacket.answeredFrom {
      let bytes = [SessionPacket.initiate] + [UInt8](repeating: 9, count: max(0, count - 1))
      bench.inject(Flying(from: one.endpoint, to: two.endpoint, bytes: bytes))
    }
    #expect(bench.sent.count == before)
  }

  @Test func dialsThatCannotBeEndAtOnce() {
    let (bench, one, _) = pair()
    bench.act(one) { $0.connect(to: one.key, at: one.endpoint, identity: $1, now: bench.now, into: &$2) }
    bench.act(one) { $0.connect(to: .zero, at: one.endpoint, identity: $1, now: bench.now, into: &$2) }
    #expect(one.events.contains(.noAnswer(one.key, at: one.endpoint)))
    #expect(one.events.contains(.noAnswer(.zero, at: one.endpoint)))
    #expect(one.count(.ourself) == 1 && one.count(.badIdentity) == 1)
    #expect(bench.sent.isEmpty)
  }

  @Test func crossingHandshakesBothWork() {
    let (bench, one, two) = pair()
    bench.connect(one, two)
    bench.connect(two, one)
    bench.settle()
    for round in 0..<20 as Range<UInt8> {
      #expect(bench.send(one, two, find([round])) && bench.send(two, one, find([round])))
      bench.run(for: .seconds(60))
    }
    #expect(one.datagrams.count == 20 && two.datagrams.count == 20)
    #expect(!one.hasFallen && !two.hasFallen)
  }

  @Test func aPeerThatForgotIsDialledAgain() {
    let (bench, one, two) = established()
    let again = Host(2, mesh: Bench.keys(1), at: two.endpoint)
    bench.hosts[1] = again
    #expect(bench.send(one, again, find([1])))
    bench.run(for: .seconds(10))
    #expect(again.datagrams.isEmpty && again.count(.unknownSession) == 1)
    #expect(again.sessions.hasSession(one.key))
    bench.send(one, again, find([2]))
    bench.settle()
    #expect(again.datagrams == [find([2])])
    // And one that is gone for good falls.
    bench.bend = { _ in [] }
    bench.send(one, again, find([3]))
    bench.run(for: .seconds(30))
    #expect(one.events.last { if case .sessionDown = $0 { true } else { false } } == .sessionDown(again.key))
    #expect(one.sessions.sessionPeers.isEmpty)
  }

  @Test func idleSessionsAreForgotten() {
    let (bench, one, two) = established()
    bench.run(for: SessionLimits.sessionIdle + .seconds(5))
    #expect(one.hasFallen && two.hasFallen)
    #expect(one.sessions.nextDeadline == nil && two.sessions.nextDeadline == nil)
  }

  @Test func goodbyesAreHeard() {
    let (bench, one, two) = established()
    bench.act(one) { sessions, _, effects in sessions.closeAll(now: bench.now, into: &effects) }
    bench.settle()
    #expect(one.hasFallen && two.hasFallen)
    #expect(two.count(.peerClosed) == 1)
    #expect(!bench.send(one, two, find()))
  }

  @Test func onlySmallTypesTravelByDatagram() {
    let (bench, one, two) = established()
    // A peer that seals a type that belongs on a link.
    bench.act(one) { sessions, _, effects in
      #expect(sessions.datagramsForTest(send: [MessageType.push.rawValue, 1], to: two.key, into: &effects) == true)
      #expect(sessions.datagramsForTest(send: [MessageType.ping.rawValue, 1], to: two.key, into: &effects) == true)
      #expect(sessions.datagramsForTest(send: [], to: two.key, into: &effects) == true)
    }
    bench.settle()
    #expect(two.count(.badMessage) == 3)
    #expect(two.datagrams.isEmpty)
  }
}

extension Sessions {
  /// Sends what a peer of ours never would.
  mutating func datagramsForTest(
    send message: [UInt8], to peer: PublicKey, into effects: inout [SessionEffect]
  ) -> Bool {
    datagrams.send(message, to: peer, now: Instant(micros: 0, wallMs: 0), into: &effects)
  }
}
