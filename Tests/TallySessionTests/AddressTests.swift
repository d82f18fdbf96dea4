// Owns: hosts that move, addresses that lie, and the limits that strangers hit.

import TallyBase
import TallyCrypto
import TallyWire
import Testing

@testable import TallySession

@Suite("Addresses and limits")
struct AddressTests {
  private func established() -> (Bench, Host, Host) {
    let bench = Bench()
    let (one, two) = (bench.add(1, Bench.keys(1)), bench.add(2, Bench.keys(1)))
    bench.connect(one, two)
    bench.settle()
    return (bench, one, two)
  }

  @Test func theAddressFollowsTheHighestCounterAndProvesItself() {
    let (bench, one, two) = established()
    let home = one.endpoint
    bench.bend = { _ in [] }
    bench.send(one, two, find([1]))
    let old = bench.sent.last!
    bench.bend = { [$0] }
    one.endpoint = Endpoint("203.0.113.5:999")!
    bench.send(one, two, find([2]))
    #expect(two.sessions.endpoint(of: one.key) == home)
    bench.settle()
    #expect(two.sessions.endpoint(of: one.key) == one.endpoint)
    #expect(two.sessions.isProven(one.key))
    #expect(two.events.contains(.addressProven(one.key, one.endpoint)))
    // An older packet from the old place moves nothing.
    bench.inject(old)
    #expect(two.sessions.endpoint(of: one.key) == one.endpoint)
    #expect(two.datagrams == [find([2]), find([1])])
  }

  @Test func aLiarsAddressGetsNoMoreThanItSent() {
    let (bench, one, two) = established()
    let home = one.endpoint
    let victim = Endpoint("203.0.113.66:53")!
    var generator = Generator(seed: .zero, stream: 5)
    // Somebody on the way sends the peer's packets on from the victim's address; the victim answers nothing.
    for round in 0..<400 {
      if generator.chance(1, outOf: 3) {
        one.endpoint = victim
        bench.send(one, two, find(generator.bytes(generator.below(200))))
        one.endpoint = home
      }
      bench.flying.removeAll { $0.to == victim }
      bench.send(two, one, find(generator.bytes(1000)))
      while let packet = bench.flying.first {
        bench.flying.removeFirst()
        if packet.to != victim { bench.inject(packet) }
        let given = bench.sent.filter { $0.from == victim }.map(\.bytes.count).reduce(0, +)
        let got = bench.sent.filter { $0.to == victim }.map(\.bytes.count).reduce(0, +)
        #expect(got <= given, "round \(round)")
      }
      bench.now = bench.now + .milliseconds(Int64(generator.below(400)))
      for host in bench.hosts { bench.act(host) { $0.wake(identity: $1, now: bench.now, into: &$2) } }
    }
    #expect(bench.sent.contains { $0.to == victim })
    #expect(!two.events.contains(.addressProven(one.key, victim)))
    // Left alone, the session goes back to the address that it knows.
    bench.flying = []
    bench.send(one, two, find([9]))
    bench.run(for: .seconds(20))
    #expect(two.sessions.endpoint(of: one.key) == home)
    #expect(two.sessions.isProven(one.key))
  }

  @Test func nobodyWithoutAKeyGetsMoreThanItSent() {
    let (bench, one, two) = established()
    let stranger = Endpoint("203.0.113.77:53")!
    let captured = bench.sent.filter { $0.to == two.endpoint }
    bench.connect(one, two)
    var all = captured + [bench.flying.removeLast()]
    all += all.map { Flying(from: $0.from, to: $0.to, bytes: [$0.bytes[0], 7] + $0.bytes.dropFirst(2)) }
    bench.bend = { _ in [] }
    for packet in all {
      for count in [1, 8, 31, 32, 33, packet.bytes.count] where count <= packet.bytes.count {
        bench.sent = []
        bench.inject(Flying(from: stranger, to: two.endpoint, bytes: Array(packet.bytes.prefix(count))))
        #expect(bench.sent.map(\.bytes.count).reduce(0, +) <= count)
      }
    }
  }

  @Test func messagesWaitForTheProofAndThenGo() {
    let (bench, one, two) = established()
    one.endpoint = Endpoint("203.0.113.5:999")!
    bench.send(one, two, find([1]))
    bench.inject(bench.flying.removeFirst())
    // The challenge is under way; big answers wait, in order, up to the limit.
    var accepted = 0
    while bench.send(two, one, find([UInt8(accepted)] + [UInt8](repeating: 0, count: 1000))) { accepted += 1 }
    #expect(accepted == SessionLimits.waitingMessages)
    #expect(one.datagrams.isEmpty)
    bench.settle()
    #expect(one.datagrams.map { $0[1] } == (0..<UInt8(accepted)).map { $0 })
  }

  @Test func messagesWaitForTheHandshakeUpToTheLimit() {
    let bench = Bench()
    let (one, two) = (bench.add(1, Bench.keys(1)), bench.add(2, Bench.keys(1)))
    #expect(!bench.send(one, two, find()))
    bench.connect(one, two)
    var accepted = 0
    while bench.send(one, two, find([UInt8(accepted)])) { accepted += 1 }
    #expect(accepted == SessionLimits.waitingMessages)
    bench.settle()
    #expect(two.datagrams.count == accepted)
  }

  @Test func theLargestMessageFits() {
    let (bench, one, two) = established()
    let message = find([UInt8](repeating: 3, count: SessionLimits.datagramMessageBytes - 1))
    #expect(bench.send(one, two, message))
    #expect(bench.flying.last?.bytes.count == SessionPacket.datagramLimit)
    bench.settle()
    #expect(two.datagrams == [message])
  }

  @Test func twoHostsThatMoveAtOnceFindEachOther() {
    let (bench, one, two) = established()
    // Both move at the same time; the old addresses still lead there, as a NAT's mapping would for a while.
    let (a, b) = (Endpoint("203.0.113.1:1")!, Endpoint("203.0.113.2:2")!)
    let (oldOne, oldTwo) = (one.endpoint, two.endpoint)
    one.endpoint = a
    two.endpoint = b
    bench.bend = { packet in
      [Flying(
        from: packet.from, to: packet.to == oldOne ? a : packet.to == oldTwo ? b : packet.to, bytes: packet.bytes)]
    }
    bench.send(one, two, find([1]))
    bench.send(two, one, find([2]))
    bench.run(for: .seconds(10))
    #expect(one.sessions.isProven(two.key) && two.sessions.isProven(one.key))
    #expect(one.sessions.endpoint(of: two.key) == b && two.sessions.endpoint(of: one.key) == a)
  }

  @Test func halfOpenHandshakesAreBounded() {
    let bench = Bench()
    let target = bench.add(1, Bench.keys(1))
    bench.bend = { _ in [] }
    let dialler = Host(2, mesh: Bench.keys(1))
    bench.hosts.append(dialler)
    var answered = 0
    func knock(_ source: Endpoint, fresh index: UInt16) {
      let place = Endpoint(address: source.address, port: index)
      bench.act(dialler) { $0.connect(to: target.key, at: place, identity: $1, now: bench.now, into: &$2) }
      let packet = bench.sent.last!
      let before = bench.sent.count
      bench.inject(Flying(from: source, to: target.endpoint, bytes: packet.bytes))
      answered += bench.sent.count - before
      dialler.sessions = Host(2, mesh: Bench.keys(1)).sessions
    }
    // The dialler is made anew each time: its generator repeats itself, so each gets its own.
    var numbers = Generator(seed: .zero, stream: 11)
    func newDialler() {
      dialler.sessions = Sessions(mesh: Bench.keys(1), me: dialler.key, generator: numbers.fork())
    }
    let group = Endpoint("203.0.113.5:1")!
    for index in 0..<100 as Range<UInt16> {
      newDialler()
      knock(group, fresh: index + 1)
    }
    #expect(answered == SessionLimits.halfOpenPerGroup)
    #expect(target.count(.halfOpenFull) == UInt64(100 - SessionLimits.halfOpenPerGroup))
    for index in 0..<600 as Range<UInt16> {
      newDialler()
      bench.now = bench.now + .milliseconds(1)
      knock(Endpoint(address: Address(v4: 0x0801_0000 + UInt32(index) * 256), port: 1), fresh: index + 1)
    }
    #expect(answered == SessionLimits.halfOpen)
    #expect(!target.sessions.hasSession(dialler.key))
    bench.run(for: .seconds(3))
    newDialler()
    knock(group, fresh: 7)
    #expect(answered == SessionLimits.halfOpen + 1)
  }
}
