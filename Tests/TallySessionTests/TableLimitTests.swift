// Owns: the limits of tables, each hit on purpose.

import TallyBase
import TallyCrypto
import TallyWire
import Testing

@testable import TallySession

@Suite("Table limits")
struct TableLimitTests {
  private func pair() -> (Bench, Host, Host) {
    let bench = Bench()
    return (bench, bench.add(1, Bench.keys(1)), bench.add(2, Bench.keys(1)))
  }

  private func fill(_ host: Host) {
    for number in 1...SessionLimits.peers {
      let key = PublicKey(raw: Bytes32(word0: UInt64(number), word1: 0, word2: 0, word3: 0))
      host.sessions.datagrams.byPeer[key] = [0]
    }
  }

  @Test func peersAreBoundedOnBothSides() {
    let (bench, one, two) = pair()
    fill(two)
    bench.connect(one, two)
    bench.settle()
    #expect(two.count(.tableFull) == 1 && !two.sessions.hasSession(one.key))
    let (other, three, four) = pair()
    fill(three)
    other.connect(three, four)
    other.settle()
    #expect(three.count(.tableFull) == 1 && !three.sessions.hasSession(four.key))
    #expect(three.events.contains(.noAnswer(four.key, at: four.endpoint)))
  }

  @Test func sessionsOfOnePeerAreBounded() {
    let (bench, one, two) = pair()
    for _ in 0..<10 {
      bench.connect(one, two)
      bench.run(for: .seconds(1))
      #expect(bench.send(one, two, find()) && bench.send(two, one, find()))
    }
    bench.settle()
    for host in [one, two] {
      #expect(host.sessions.datagrams.sessions.count == SessionLimits.sessionsPerPeer)
      #expect(host.datagrams.count == 10 && !host.hasFallen)
    }
  }

  @Test func dialsAreBounded() {
    let (bench, one, two) = pair()
    bench.bend = { _ in [] }
    for port in 1...10 as ClosedRange<UInt16> {
      let place = Endpoint(address: two.endpoint.address, port: port)
      bench.act(one) { $0.connect(to: two.key, at: place, identity: $1, now: bench.now, into: &$2) }
    }
    #expect(one.sessions.datagrams.dials.count == SessionLimits.sessionsPerPeer)
    #expect(one.count(.tableFull) == UInt64(10 - SessionLimits.sessionsPerPeer))
    let dial = one.sessions.datagrams.dials.values.first!
    for number in 1...SessionLimits.dialling {
      one.sessions.datagrams.dials[UInt32(number)] = dial
    }
    let third = Host(3, mesh: Bench.keys(1))
    bench.connect(one, third)
    #expect(one.events.contains(.noAnswer(third.key, at: third.endpoint)))
  }

  @Test func linksAreBounded() {
    let (bench, one, two) = pair()
    for number in 0...UInt64(SessionLimits.links) {
      bench.act(one) {
        $0.linkOpened(
          LinkID(number: number), to: two.key, remote: two.endpoint, identity: $1, now: bench.now, into: &$2)
      }
    }
    #expect(one.count(.tableFull) == 1)
    #expect(one.events.contains(.close(LinkID(number: UInt64(SessionLimits.links)), why: .tableFull)))
  }

  @Test func countersEnd() {
    let (bench, one, two) = pair()
    bench.connect(one, two)
    bench.settle()
    var packet = bench.sent.last { $0.to == two.endpoint }!
    for index in 8..<16 { packet.bytes[index] = 0xff }
    bench.inject(packet)
    #expect(two.count(.counterExhausted) == 1)
    var cipher = CipherState(key: Bench.key(1), counter: SessionLimits.counterEnd - 1)
    var out: [UInt8] = []
    #expect(!cipher.isExhausted)
    cipher.seal([1], behind: &out)
    #expect(cipher.isExhausted)
    #expect(cipher.open(behind: 0, of: out) == nil)
  }

  @Test func theMemoryOfKeysIsBounded() {
    var ring = Keyring(mesh: Bench.keys(1, 2, 3), me: .zero)
    for number in 0..<(2 * SessionLimits.rememberedKeys) {
      let peer = PublicKey(raw: Bytes32(word0: UInt64(number), word1: 0, word2: 0, word3: 0))
      ring.note(peer, index: 0, answered: false)
      #expect(ring.key(for: peer, attempt: 0).index == (number < SessionLimits.rememberedKeys ? 1 : 0))
      // What the ring forgets costs a try, nothing else.
      #expect(ring.key(for: peer, attempt: 3).secret == ring.key(for: peer, attempt: 0).secret)
    }
  }
}
