// Owns: the replay window and the smaller values against plain models.

import TallyBase
import Testing

@testable import TallySession

@Suite("Replay window")
struct ReplayWindowTests {
  /// Remembers everything.
  private struct Model {
    var seen: Set<UInt64> = []
    var highest: UInt64?

    func isFresh(_ counter: UInt64) -> Bool {
      guard counter < SessionLimits.counterEnd else { return false }
      if seen.contains(counter) { return false }
      guard let highest, counter <= highest else { return true }
      return highest - counter < 2048
    }
  }

  @Test(arguments: [3, 70, 2048, 5000, 1 << 40] as [UInt64])
  func itIsItsModel(_ spread: UInt64) {
    var generator = Generator(seed: .zero, stream: spread)
    var window = ReplayWindow()
    var model = Model()
    var base: UInt64 = 0
    for _ in 0..<30_000 {
      base += generator.below(spread)
      if base >= SessionLimits.counterEnd { break }
      let back: UInt64 = generator.below(4200 as UInt64)
      let counter = back > base ? base : base - (generator.chance(1, outOf: 2) ? back : 0 as UInt64)
      #expect(window.isFresh(counter) == model.isFresh(counter), "\(counter)")
      guard model.isFresh(counter) else { continue }
      let isHighest = window.accept(counter)
      #expect(isHighest == (model.highest.map { counter > $0 } ?? true))
      model.seen.insert(counter)
      model.highest = max(model.highest ?? 0, counter)
      #expect(!window.isFresh(counter))
    }
  }

  @Test func edgesOfTheWindow() {
    var window = ReplayWindow()
    #expect(window.accept(5000) == true)
    #expect(window.isFresh(5000 - 2047))
    #expect(!window.isFresh(5000 - 2048))
    #expect(!window.isFresh(.max))
    #expect(!window.isFresh(SessionLimits.counterEnd))
    #expect(window.isFresh(SessionLimits.counterEnd - 1))
    #expect(window.accept(SessionLimits.counterEnd - 1) == true)
    #expect(!window.isFresh(5001))
  }
}

@Suite("Paths")
struct PathTests {
  private let here = Endpoint("192.0.2.1:1")!
  private let there = Endpoint("192.0.2.2:1")!

  @Test func anUnprovenAddressNeverGetsMoreThanItSent() {
    var path = Path(here, isProven: false)
    #expect(!path.allows(1))
    path.noteReceived(100, from: here)
    path.noteReceived(1000, from: there)
    #expect(path.allows(100) && !path.allows(101) && !path.allows(.max))
    path.noteSent(60)
    #expect(path.allows(40) && !path.allows(41))
    path.noteReceived(.max, from: here)
    path.noteReceived(.max / 4, from: here)
    #expect(path.allows(1000))
  }

  @Test func onlyTheEchoFromTheAddressProves() {
    var path = Path(here, isProven: true)
    path.move(to: there)
    #expect(path.endpoint == there && !path.isProven)
    path.noteChallenge(7)
    #expect(path.prove(8, from: there) == false)
    #expect(path.prove(7, from: here) == false)
    #expect(path.prove(7, from: there) == true)
    #expect(path.prove(7, from: there) == false)
    #expect(path.isProven)
  }

  @Test func silenceLeadsBack() {
    var path = Path(here, isProven: true)
    path.move(to: there)
    path.noteChallenge(7)
    path.giveUp()
    #expect(path.endpoint == here && path.isProven)
    // Coming back by itself proves nothing.
    path.move(to: there)
    path.move(to: here)
    #expect(!path.isProven && !path.allows(1))
  }
}

@Suite("Pings and budgets")
struct PingTableTests {
  @Test func onlyAskedPingsCount() {
    var table = PingTable()
    let now = Instant(micros: 1_000_000, wallMs: 0)
    for nonce in 0..<20 as Range<UInt64> { table.sent(nonce, now: now) }
    #expect(table.answered(3, now: now) == nil)
    #expect(table.answered(99, now: now) == nil)
    #expect(table.answered(19, now: now + .milliseconds(8)) == .milliseconds(8))
    #expect(table.answered(19, now: now) == nil)
    #expect(table.answered(18, now: now + .milliseconds(16)) == .milliseconds(16))
    #expect(table.smoothed == .milliseconds(9))
  }

  @Test func handshakesHaveABudget() {
    let mesh = MeshKeys(meshID: .zero, keys: [])
    var context = SessionContext(mesh: mesh, me: .zero, generator: Generator(seed: .zero, stream: 0))
    var now = Instant(micros: 0, wallMs: 0)
    var taken = 0
    while context.takeHandshake(now: now) { taken += 1 }
    #expect(taken == SessionLimits.handshakeBurst)
    taken = 0
    for _ in 0..<10_000 {
      now = now + .microseconds(100)
      if context.takeHandshake(now: now) { taken += 1 }
    }
    #expect((SessionLimits.handshakesPerSecond - 2...SessionLimits.handshakesPerSecond).contains(taken))
  }
}
