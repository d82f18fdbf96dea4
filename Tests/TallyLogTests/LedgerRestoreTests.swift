import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import Testing

/// DESIGN section 9, "Restore guard": database alone, guard alone, both; lone hosts; crashes at every moment; copies.
@Suite struct LedgerRestoreTests {
  /// Two hosts with links and `count` records each, settled.
  private func pair(seed: UInt64, records: Int = 5, hosts: Int = 2) throws -> World {
    let world = try World(seed: seed, hosts: hosts)
    world.startAll()
    world.linkAll()
    for host in world.hosts { for number in 0..<records { world.append(host, "\(number)") } }
    #expect(world.run(atMost: 5) { world.isConverged && world.hosts[0].ledger.clock.count == hosts })
    world.run(seconds: 1)
    return world
  }

  private func own(_ host: ModelHost) -> [FeedStatus] { host.ledger.feeds(of: host.key) }

  @Test func plainRestartGoesOnInTheSameFeed() throws {
    let world = try pair(seed: 1)
    let host = world.hosts[0]
    let feed = host.ledger.ownFeed
    world.crash(host)
    world.start(host)
    #expect(host.ledger.signing == .held)
    world.append(host, "held for a moment")
    world.run(seconds: 0.5)
    #expect(host.ledger.ownFeed == feed)
    #expect(host.ledger.ownSize == 6)
    world.linkAll()
    #expect(world.run(atMost: 5) { world.isConverged && host.ledger.ownSize == 7 })
    #expect(host.ledger.ownFeed == feed)
    #expect(host.events.contains(.guardSettled(unconfirmed: false)))
    #expect(world.violations.isEmpty)
  }

  /// Nobody is there: entries are durable but held, survive another restart, and leave once somebody answers.
  @Test func loneRestartHoldsWhatIsWritten() throws {
    let world = try pair(seed: 2)
    let (host, other) = (world.hosts[0], world.hosts[1])
    world.crash(other)
    world.crash(host)
    world.start(host)
    world.append(host, "written alone")
    world.run(seconds: 1)
    #expect(host.ledger.signing == .held)
    #expect(host.ledger.ownSize == 6)
    let held = host.effects.contains { if case .held(_, 7) = $0 { true } else { false } }
    #expect(held)
    #expect(!host.ledger.clock.contains { $0.feed == host.ledger.ownFeed })
    world.crash(host)
    world.start(host)
    let again = try world.append(host, "and again").get()
    #expect(again.index == 7)
    world.run(seconds: 120)
    #expect(host.ledger.signing == .held)
    world.start(other)
    world.link(host, other)
    #expect(world.run(atMost: 5) { world.isConverged && host.ledger.ownSize == 8 })
    #expect(host.store.values.isEmpty)
    #expect(world.violations.isEmpty)
  }

  /// After 60 s any member's answer is enough, and status says that it is unconfirmed.
  @Test func afterAMinuteAnyMemberWillDo() throws {
    let world = try pair(seed: 3)
    let (host, other) = (world.hosts[0], world.hosts[1])
    world.crash(other)
    world.crash(host)
    let stranger = try ModelHost(number: 2, seed: 99, meshID: world.meshID)
    world.hosts.append(stranger)
    world.start(stranger)
    world.start(host)
    world.link(host, stranger)
    world.run(seconds: 59)
    #expect(host.ledger.signing == .held)
    world.run(seconds: 2)
    #expect(host.ledger.signing == .on)
    #expect(host.events.contains(.guardSettled(unconfirmed: true)))
  }

  /// Of two hosts in session that acknowledged, one does not answer: two seconds.
  @Test func aSilentHostCostsTwoSeconds() throws {
    let world = try pair(seed: 4, hosts: 3)
    let host = world.hosts[0]
    world.crash(host)
    world.start(host)
    let silent = world.hosts[2].key
    world.input(host) { host.ledger.onPeerUp(silent, recordEpoch: 0, recordCounter: 0, now: world.now, into: &$0) }
    world.link(host, world.hosts[1])
    world.run(seconds: 1.9)
    #expect(host.ledger.signing == .held)
    world.run(seconds: 0.2)
    #expect(host.ledger.signing == .on)
  }

  enum Backup: CaseIterable { case both, databaseAlone, guardAlone, guardLost, databaseLost }

  /// Whatever is put back, the old feed is never extended where a peer holds more of it.
  @Test(arguments: Backup.allCases) func restoredBackup(what: Backup) throws {
    let world = try pair(seed: 5)
    let host = world.hosts[0]
    let backup = host.store
    for number in 0..<4 { world.append(host, "after the backup \(number)") }
    #expect(world.run(atMost: 5) { world.isConverged && host.ledger.ownSize == 10 })
    let feed = host.ledger.ownFeed
    world.crash(host)
    let newest = host.store
    switch what {
    case .both: host.store = backup
    case .databaseAlone:
      host.store = backup
      host.store.guardFile = newest.guardFile
    case .guardAlone: host.store.guardFile = backup.guardFile
    case .guardLost: host.store.guardFile = nil
    case .databaseLost:
      host.store = ModelStore(me: host.key, meshID: world.meshID)
      host.store.guardFile = newest.guardFile
    }
    world.start(host)
    world.append(host, "before anybody answered")
    world.linkAll()
    let size: UInt64 = what == .guardAlone ? 11 : 2
    #expect(world.run(atMost: 20) { world.isConverged && host.ledger.ownSize == size })
    let old = try #require(host.ledger.feed(feed))
    #expect(old.forkIndex == nil)
    if what == .guardAlone {
      #expect(host.ledger.ownFeed == feed)
    } else {
      #expect(old.size == 10)
      #expect(own(host).count == 2)
      #expect(old.isContinued)
      let live = try #require(host.ledger.feed(host.ledger.ownFeed))
      #expect(live.continues == feed)
      #expect(live.size == 2)
      let found = host.events.contains { if case .rollbackFound = $0 { true } else { false } }
      #expect(found)
    }
    #expect(world.violations.isEmpty)
  }

  /// What was written before the rollback was found moves into the new feed, links and all.
  @Test func waitingEntriesAreIssuedAgain() throws {
    let world = try pair(seed: 6)
    let host = world.hosts[0]
    let backup = host.store
    world.append(host, "lost")
    #expect(world.run(atMost: 5) { world.isConverged && host.ledger.ownSize == 7 })
    world.crash(host)
    host.store = backup
    world.start(host)
    let first = try world.append(host, "first").get()
    let second = try world.append(host, "second", links: [first.link]).get()
    world.run(seconds: 0.5)
    #expect(first.index == 6)
    world.linkAll()
    #expect(world.run(atMost: 20) { world.isConverged })
    let pairs = host.effects.compactMap { if case .reissued(let pairs) = $0 { pairs } else { nil } }.flatMap { $0 }
    try #require(pairs.count == 2)
    #expect(pairs.map(\.old) == [first, second])
    #expect(pairs.map(\.new.index) == [1, 2])
    let entries = try #require(host.store.feeds[host.ledger.ownFeed]?.entries)
    #expect(entries.count == 3)
    #expect(entries[2].links == [pairs[0].new.link])
    #expect(host.store.values.isEmpty)
    #expect(world.violations.isEmpty)
  }

  /// A backup from before a rollback: the feed begun then is unknown here, and is continued, not its predecessor.
  @Test func restoredTwice() throws {
    let world = try pair(seed: 7)
    let host = world.hosts[0]
    let backup = host.store
    world.append(host, "lost")
    #expect(world.run(atMost: 5) { world.isConverged && host.ledger.ownSize == 7 })
    for round in 1...2 {
      world.crash(host)
      host.store = backup
      world.start(host)
      world.linkAll()
      #expect(world.run(atMost: 20) { world.isConverged && own(host).count == round + 1 })
      #expect(own(host).filter { !$0.isContinued }.count == 1)
    }
    #expect(host.ledger.signing == .on)
    #expect(world.violations.isEmpty)
  }

  /// A crash between signing and durable: nothing left, so the next life may sign something else there.
  @Test(arguments: 1...30) func killedBetweenSealAndDurable(seed: UInt64) throws {
    let world = try World(seed: seed, hosts: 2)
    world.startAll()
    world.linkAll()
    #expect(world.run(atMost: 5) { world.isConverged && world.hosts[0].ledger.clock.count == 2 })
    let host = world.hosts[0]
    for round in 0..<6 {
      world.append(host, "round \(round) life \(host.life)")
      world.append(host, "again \(round) life \(host.life)")
      world.run(seconds: Double(world.generator.below(5)) / 1000)
      world.crash(host)
      world.start(host)
      world.linkAll()
      world.append(host, "after \(round) life \(host.life)")
      #expect(world.run(atMost: 20) { world.isConverged })
    }
    #expect(own(host).count == 1)
    #expect(host.ledger.feed(host.ledger.ownFeed)?.forkIndex == nil)
    #expect(world.violations.isEmpty)
  }

  /// Two instances of one identity. The second finds itself rolled back; the first stops when it sees the second.
  @Test func copiedIdentity() throws {
    let world = try pair(seed: 8, hosts: 3)
    let (host, third) = (world.hosts[0], world.hosts[2])
    let copy = try world.copy(host)
    world.append(host, "the first goes on")
    #expect(world.run(atMost: 5) { third.ledger.feed(host.ledger.ownFeed)?.size == 7 })
    world.unlink(host, third)
    world.start(copy)
    world.link(copy, third)
    world.run(seconds: 5)
    #expect(copy.ledger.signing == .on)
    #expect(copy.ledger.ownFeed != host.ledger.ownFeed)
    world.unlink(copy, third)
    world.link(host, third)
    world.run(seconds: 15)
    guard case .off(.clone) = host.ledger.signing else { return #expect(Bool(false), "\(host.ledger.signing)") }
    guard case .failure(.signingOff(.clone)) = world.append(host, "refused") else {
      return #expect(Bool(false), "an append while a clone signs")
    }
    var begun = false
    world.input(host) { begun = host.ledger.beginNewIncarnation(now: world.now, into: &$0) }
    #expect(begun)
    #expect(host.ledger.signing == .on)
    world.append(host, "taken")
    #expect(world.run(atMost: 15) { third.ledger.feeds(of: host.key).count == 3 })
    #expect(third.ledger.feeds(of: host.key).allSatisfy { $0.forkIndex == nil })
  }

  /// Both copies extend one feed before anybody compares: the third shows the fork and goes on.
  @Test(arguments: [1, 4]) func copiesThatForked(extra: Int) throws {
    let world = try pair(seed: 9, hosts: 3)
    let (host, second, third) = (world.hosts[0], world.hosts[1], world.hosts[2])
    let feed = host.ledger.ownFeed
    world.unlink(host, second)
    world.unlink(host, third)
    world.unlink(second, third)
    // Each copy asks a host that knows nothing newer.
    let copy = try world.copy(host)
    world.start(copy)
    world.link(copy, third)
    world.link(host, second)
    world.run(seconds: 3)
    for number in 0..<extra { world.append(copy, "branch two \(number)") }
    world.append(host, "branch one")
    world.run(seconds: 3)
    #expect(third.ledger.feed(feed)?.size == 6 + UInt64(extra))
    #expect(second.ledger.feed(feed)?.size == 7)
    world.link(second, third)
    #expect(world.run(atMost: 30) { third.ledger.feed(feed)?.forkIndex == 6 && second.ledger.feed(feed)?.forkIndex == 6 })
    #expect(third.ledger.feed(feed)?.size == 6)
    #expect(third.folded[feed]?.count == 6)
    world.run(seconds: 15)
    for one in [host, copy] {
      guard case .off(.clone) = one.ledger.signing else { return #expect(Bool(false), "\(one.ledger.signing)") }
    }
    world.append(third, "goes on")
    #expect(world.run(atMost: 30) { second.ledger.clock == third.ledger.clock })
    #expect(second.ledger.signing == .on)
  }

  /// An entry of the very turn in which a copy is found is taken back and said to be, not left waiting for ever.
  @Test func anEntryOfTheTurnThatFindsACopyIsTakenBack() throws {
    let world = try pair(seed: 12, hosts: 2)
    let (host, peer) = (world.hosts[0], world.hosts[1])
    let feed = host.ledger.ownFeed
    let before = host.ledger.ownSize
    let incarnation = try #require(host.ledger.feed(feed)).row.incarnation
    let head = Head.signed(
      by: host.identity, mesh: World.mesh, feed: feed, size: before + 1, root: SHA256Hash.leaf([1]))
    let message = LogMessage.aboutYou(
      AboutYou(recordEpoch: 0, recordCounter: 0, feeds: [AboutYou.HeldFeed(incarnation: incarnation, head: head)]))
    host.effects = []
    world.input(host) {
      let draft = EntryDraft(kind: .record, links: [], body: [1, 2, 3])
      guard case .success = host.ledger.append(draft, now: world.now) else { return #expect(Bool(false)) }
      host.ledger.onMessage(message.encoded, from: peer.key, now: world.now, into: &$0)
    }
    guard case .off(.clone) = host.ledger.signing else { return #expect(Bool(false), "\(host.ledger.signing)") }
    #expect(host.effects.contains { if case .rolledBack(feed, from: before) = $0 { true } else { false } })
    world.run(seconds: 1)
    #expect(host.ledger.ownSize == before)
    // The operator's new incarnation does not bring it back: its writer was told that it is not written.
    world.input(host) { _ = host.ledger.beginNewIncarnation(now: world.now, into: &$0) }
    world.run(seconds: 1)
    #expect(host.ledger.ownSize == 1)
  }
}
