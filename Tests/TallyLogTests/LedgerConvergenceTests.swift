import TallyBase
import TallyLog
import TallyWire
import Testing

@Suite struct LedgerConvergenceTests {
  @Test func firstStartBeginsAFeedAndReleasesItOnlyWhenDurable() throws {
    let world = try World(seed: 1, hosts: 1)
    let host = world.hosts[0]
    world.start(host)
    #expect(host.ledger.ownSize == 0)
    #expect(host.ledger.clock.isEmpty)
    world.run(seconds: 0.1)
    #expect(host.ledger.ownSize == 1)
    #expect(host.ledger.clock.count == 1)
    #expect(host.store.guardFile?.size == 1)
    #expect(host.folded[host.ledger.ownFeed]?.count == 1)
    let reference = try world.append(host, "one").get()
    #expect(reference.index == 1)
    #expect(host.ledger.ownSize == 1)
    world.run(seconds: 0.1)
    #expect(host.ledger.ownSize == 2)
    #expect(host.folded[host.ledger.ownFeed]?[1] == reference.leaf)
    #expect(world.violations.isEmpty)
  }

  @Test(arguments: [3, 5]) func allConverge(count: Int) throws {
    let world = try World(seed: UInt64(count), hosts: count)
    world.startAll()
    for host in world.hosts { for number in 0..<10 { world.append(host, "\(host.number)/\(number)") } }
    world.linkAll()
    #expect(world.run(atMost: 5) { world.isConverged && world.hosts[0].ledger.clock.count == count })
    for host in world.hosts { for number in 0..<10 { world.append(host, "more \(host.number)/\(number)") } }
    #expect(world.run(atMost: 5) { world.isConverged && world.hosts[0].ledger.clock.allSatisfy { $0.size == 21 } })
    let digests = Set(world.hosts.map { $0.ledger.clockDigest })
    #expect(digests.count == 1)
    for host in world.hosts {
      #expect(host.ledger.acknowledgements.count == count - 1)
      #expect(host.faults.isEmpty)
    }
    #expect(world.violations.isEmpty)
  }

  /// An entry that was stored while nobody was linked is known to all soon after a restart, whoever asks whom first:
  /// the question after the guard is settled comes right behind the one at link-up, and is not lost to its pause.
  @Test(arguments: 0..<3) func whatWasNeverPushedIsToldAfterARestart(victim: Int) throws {
    let world = try World(seed: 77, hosts: 3)
    world.startAll()
    world.linkAll()
    let host = world.hosts[victim]
    #expect(world.run(atMost: 5) { world.isConverged && host.ledger.acknowledgements.count == 2 })
    world.append(host, "makes the acknowledgements durable")
    #expect(world.run(atMost: 5) { world.isConverged })
    for other in world.hosts where other.number != victim { world.unlink(host, other) }
    world.append(host, "stored, and told to nobody")
    world.run(seconds: 0.1)
    world.crash(host)
    world.start(host)
    world.linkAll()
    #expect(world.run(atMost: 2) { world.isConverged && world.hosts.allSatisfy { $0.ledger.clock.contains { $0.size == 3 } } })
    #expect(world.violations.isEmpty)
  }

  /// Lost, doubled and reordered messages only cost time.
  @Test(arguments: 1...20) func badLinksConverge(seed: UInt64) throws {
    let world = try World(seed: seed, hosts: 4)
    world.loss = 150
    world.duplicates = 150
    world.latency = 100...60_000
    world.startAll()
    world.linkAll()
    for round in 0..<8 {
      for host in world.hosts { world.append(host, "\(round)") }
      world.run(seconds: 0.05)
    }
    world.run(seconds: 1)
    #expect(world.run(atMost: 200) { world.isConverged && world.hosts[0].ledger.clock.allSatisfy { $0.size == 9 } })
    #expect(world.violations.isEmpty)
  }

  /// A chain of links: pushes are relayed at once, before they are stored here.
  @Test func pushesTravelAlongAChain() throws {
    let world = try World(seed: 9, hosts: 4)
    world.startAll()
    world.run(seconds: 0.1)
    for number in 0..<3 { world.link(world.hosts[number], world.hosts[number + 1]) }
    #expect(world.run(atMost: 30) { world.isConverged })
    for host in world.hosts { host.persistDelay = 1_000_000 }
    world.hosts[0].persistDelay = 100
    world.append(world.hosts[0], "along")
    world.run(seconds: 0.5)
    let relays = world.hosts[2].effects.filter { if case .relay = $0 { true } else { false } }
    #expect(!relays.isEmpty)
    #expect(world.hosts[2].ledger.feed(world.hosts[0].ledger.ownFeed)?.size == 1)
    #expect(world.run(atMost: 30) { world.isConverged })
    #expect(world.violations.isEmpty)
  }

  /// 3,000 entries come in ranges of at most 256 through one link, and a late joiner gets feeds of authors who left.
  @Test func catchUpAndLateJoiner() throws {
    let world = try World(seed: 4, hosts: 3)
    world.start(world.hosts[0])
    world.start(world.hosts[1])
    for number in 0..<3_000 { world.append(world.hosts[0], "entry \(number)") }
    world.run(seconds: 1)
    #expect(world.hosts[0].ledger.ownSize == 3_001)
    world.hosts[0].store.foldHeads()
    world.link(world.hosts[0], world.hosts[1])
    #expect(world.run(atMost: 20) { world.isConverged })
    world.crash(world.hosts[0])
    world.start(world.hosts[2])
    world.link(world.hosts[1], world.hosts[2])
    #expect(world.run(atMost: 20) { world.isConverged })
    #expect(world.hosts[2].ledger.feeds(of: world.hosts[0].key).first?.size == 3_001)
    #expect(world.violations.isEmpty)
  }

  /// The example of PROTOCOL.md.
  @Test func digestOfTheEmptyClock() throws {
    let world = try World(seed: 1, hosts: 1)
    world.start(world.hosts[0])
    let expected = "2ca3eed30482c8402914522e78ce753c5b572e523aa821b50a54e09b92a7d804"
    #expect(world.hosts[0].ledger.clockDigest.hex == expected)
    let question = LogMessage.clock(ClockMessage(question: world.hosts[0].ledger.clockDigest)).encoded
    #expect(Hex.encode(question) == "3100" + expected)
  }

  /// Equal clocks cost one question of 34 bytes.
  @Test func equalClocksStopAtOnce() throws {
    let world = try World(seed: 5, hosts: 2)
    world.startAll()
    world.linkAll()
    #expect(world.run(atMost: 5) { world.isConverged })
    world.run(seconds: 1)
    world.bytesSent = 0
    world.run(seconds: 60)
    #expect(world.bytesSent > 0)
    #expect(world.bytesSent <= 34 * 2 * 60 / 7)
  }
}
