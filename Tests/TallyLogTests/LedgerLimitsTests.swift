import TallyBase
import TallyCrypto
import TallyWire
import Testing

@testable import TallyLog

/// Every limit of `LedgerLimits`, hit on purpose.
@Suite struct LedgerLimitsTests {
  private func alone(seed: UInt64 = 1) throws -> (World, ModelHost) {
    let world = try World(seed: seed, hosts: 1)
    world.startAll()
    world.run(seconds: 0.1)
    return (world, world.hosts[0])
  }

  private func key(_ number: Int) -> PublicKey {
    PublicKey(raw: Bytes32(word0: UInt64(number), word1: 0xabc, word2: 0, word3: 0))
  }

  private func up(_ world: World, _ host: ModelHost, _ peer: PublicKey) {
    world.input(host) { host.ledger.onPeerUp(peer, recordEpoch: 0, recordCounter: 0, now: world.now, into: &$0) }
  }

  private func give(_ world: World, _ host: ModelHost, _ message: LogMessage, from peer: PublicKey) {
    world.input(host) { host.ledger.onMessage(message.encoded, from: peer, now: world.now, into: &$0) }
  }

  /// A feed of one author with `count` records, and pushes of it.
  private func push(_ world: World, seed: UInt8, incarnation: UInt64, records: Int, from: Int = 0, bodyBytes: Int = 8)
    throws -> Push
  {
    let identity = try Identity(seed: [UInt8](repeating: seed, count: 32))
    let feed = Names.feedID(mesh: world.meshID, author: identity.publicKey, incarnation: incarnation)
    let begin = BeginBody(author: identity.publicKey, incarnation: incarnation, recovery: .zero, continues: nil)
    var entries = [Entry(kind: .begin, timeMs: 0, links: [], body: begin.encoded)]
    for number in 0..<records {
      entries.append(
        Entry(kind: .record, timeMs: Int64(number), links: [], body: [UInt8](repeating: UInt8(number % 251), count: bodyBytes)))
    }
    let root = MerkleTree.root(LeafHasher.hashAll(entries))
    let head = Head.signed(
      by: identity, mesh: World.mesh, feed: feed, size: UInt64(entries.count), root: root)
    let word = FeedIntroduction(author: identity.publicKey, incarnation: incarnation, reason: .member)
    return Push(head: head, from: UInt64(from), introduction: from == 0 ? word : nil, entries: Array(entries[from...]))
  }

  /// What the ledger promises to send must fit what the wire takes.
  @Test func limitsFitTheWire() {
    #expect(LedgerLimits.commitEntries <= WireLimits.chunkEntries)
    #expect(LedgerLimits.commitBytes <= WireLimits.commitBytes)
    #expect(LedgerLimits.aboutYouHeads <= WireLimits.aboutYouFeeds)
    #expect(LedgerLimits.rangeEntries == WireLimits.chunkEntries)
    #expect(LedgerLimits.rangeBytes == WireLimits.chunkBytes)
    #expect(LedgerLimits.feedsPerAuthor <= LedgerLimits.aboutYouHeads)
    // A descent takes at most one step per level of the tree, and one.
    #expect(LedgerLimits.forkSteps > 49)
  }

  @Test func commitsCloseAt256EntriesOr48KiB() throws {
    let (world, host) = try alone()
    for number in 0..<600 {
      _ = host.ledger.append(EntryDraft(kind: .record, links: [], body: [UInt8(number % 256)]), now: world.now)
    }
    for _ in 0..<30 {
      _ = host.ledger.append(EntryDraft(kind: .record, links: [], body: [UInt8](repeating: 1, count: 4000)), now: world.now)
    }
    world.input(host) { _ in }
    world.run(seconds: 1)
    let heads = try #require(host.store.feeds[host.ledger.ownFeed]?.heads.map(\.size))
    #expect(heads.prefix(3) == [1, 257, 513])
    #expect(heads.last == 631)
    let entries = try #require(host.store.feeds[host.ledger.ownFeed]?.entries)
    for (from, to) in zip(heads, heads.dropFirst()) {
      let bytes = entries[Int(from)..<Int(to)].reduce(0) { $0 + $1.preimageCount }
      #expect(to - from <= 256 && bytes <= LedgerLimits.commitBytes)
    }
  }

  @Test func appendsAreBounded() throws {
    let (world, host) = try alone()
    let tooLarge = EntryDraft(kind: .record, links: [], body: [UInt8](repeating: 0, count: 4083))
    guard case .failure(.tooLarge(4097)) = host.ledger.append(tooLarge, now: world.now) else {
      return #expect(Bool(false))
    }
    var taken = 0
    while case .success = host.ledger.append(EntryDraft(kind: .record, links: [], body: []), now: world.now) {
      taken += 1
    }
    #expect(taken == LedgerLimits.openEntries)
    guard case .failure(.tooManyWaiting) = world.append(host, "one more") else { return #expect(Bool(false)) }
    world.run(seconds: 5)
    #expect(host.ledger.ownSize == UInt64(1 + LedgerLimits.openEntries))
    let large = EntryDraft(kind: .record, links: [], body: [UInt8](repeating: 0, count: 4000))
    taken = 0
    while case .success = host.ledger.append(large, now: world.now) { taken += 1 }
    #expect(taken == LedgerLimits.openBytes / 4014)
  }

  @Test func feedsOfOneAuthorAreBounded() throws {
    let (world, host) = try alone()
    let peer = key(1)
    world.input(host) { host.ledger.member(peer, now: world.now, into: &$0) }
    up(world, host, peer)
    for incarnation in 1...6 {
      give(world, host, .push(try push(world, seed: 9, incarnation: UInt64(incarnation), records: 1)), from: peer)
      world.run(seconds: 0.1)
    }
    let author = try Identity(seed: [UInt8](repeating: 9, count: 32)).publicKey
    #expect(host.ledger.feeds(of: author).count == LedgerLimits.liveFeedsPerAuthor)
    #expect(host.faults == [.tooManyFeeds, .tooManyFeeds])
    // In all, and per author when each continues the one before.
    for number in 0..<LedgerLimits.feedsPerAuthor {
      let id = FeedID(raw: Bytes32(word0: 5, word1: UInt64(number), word2: 0, word3: 0))
      var feed = CarriedFeed(row: FeedRow(feed: id, author: key(2), incarnation: 0, reason: .member))
      feed.continues = FeedID(raw: Bytes32(word0: 5, word1: UInt64(number) &- 1, word2: 0, word3: 0))
      host.ledger.feeds.insert(feed)
    }
    #expect(host.ledger.feeds.of(key(2)).count == LedgerLimits.feedsPerAuthor)
    while host.ledger.feeds.count < LedgerLimits.feeds {
      let id = FeedID(raw: Bytes32(word0: 6, word1: UInt64(host.ledger.feeds.count), word2: 0, word3: 0))
      host.ledger.feeds.insert(CarriedFeed(row: FeedRow(feed: id, author: key(3), incarnation: 0, reason: .member)))
    }
    give(world, host, .push(try push(world, seed: 10, incarnation: 1, records: 1)), from: peer)
    #expect(host.faults.count == 3 && host.faults.last == .tooManyFeeds)
  }

  /// Nobody's word but a member's makes a host carry a stranger's feed.
  @Test func strangersFeedsAreNotCarried() throws {
    let (world, host) = try alone()
    let stranger = key(1)
    up(world, host, stranger)
    let offered = try push(world, seed: 9, incarnation: 1, records: 1)
    give(world, host, .push(offered), from: stranger)
    world.run(seconds: 1)
    #expect(host.ledger.feed(offered.feed) == nil)
    var admission = FeedAdmission()
    admission.name(offered.feed)
    let word = try #require(offered.introduction)
    #expect(admission.reason(for: offered.feed, by: word, from: stranger, me: host.key) == .named)
    for number in 0..<(LedgerLimits.namedFeeds + 10) {
      admission.name(FeedID(raw: Bytes32(word0: 1, word1: UInt64(number), word2: 0, word3: 0)))
    }
    let late = FeedID(raw: Bytes32(word0: 1, word1: UInt64(LedgerLimits.namedFeeds + 5), word2: 0, word3: 0))
    #expect(admission.reason(for: late, by: word, from: stranger, me: host.key) == nil)
  }

  @Test func checksAndQueuesAreBounded() throws {
    let (world, host) = try alone()
    let peer = key(1)
    world.input(host) { host.ledger.member(peer, now: world.now, into: &$0) }
    up(world, host, peer)
    host.holdsChecks = true
    for size in 1...12 { give(world, host, .push(try push(world, seed: 9, incarnation: 1, records: size)), from: peer) }
    #expect(host.heldChecks.count == 1)
    #expect(host.ledger.queuedRanges == LedgerLimits.queuedPerFeed)
    for seed in 10..<(10 + LedgerLimits.checks + 5) {
      give(world, host, .push(try push(world, seed: UInt8(seed), incarnation: 1, records: 1)), from: peer)
    }
    #expect(host.heldChecks.count == LedgerLimits.checks)
    // What had no place was noted and is pulled, nothing is lost.
    host.holdsChecks = false
    for (id, check) in host.heldChecks {
      world.input(host) { host.ledger.onChecked(id: id, verdict: check.run(), now: world.now, into: &$0) }
    }
    world.run(seconds: 1)
    #expect(host.ledger.queuedRanges == 0)
    #expect(host.ledger.requests.inFlight > 0)
  }

  /// Above 4 MiB that wait for the store a push is neither kept nor relayed, but pulled when there is room.
  @Test func unstoredBytesAreBounded() throws {
    let world = try World(seed: 2, hosts: 2)
    world.startAll()
    world.linkAll()
    #expect(world.run(atMost: 5) { world.isConverged && world.hosts[0].ledger.clock.count == 2 })
    let (host, other) = (world.hosts[0], world.hosts[1])
    host.persistDelay = 20_000_000
    for _ in 0..<3 {
      for _ in 0..<500 {
        _ = other.ledger.append(
          EntryDraft(kind: .record, links: [], body: [UInt8](repeating: 7, count: 4000)), now: world.now)
      }
      world.input(other) { _ in }
      world.run(seconds: 1)
    }
    #expect(other.ledger.ownSize == 1501)
    #expect(host.ledger.unstoredBytes > LedgerLimits.unstoredBytes)
    // What was accepted below the limit, and the one range that was under way.
    #expect(host.ledger.unstoredBytes <= LedgerLimits.unstoredBytes + 2 * LedgerLimits.rangeBytes)
    host.persistDelay = 1_000
    #expect(world.run(atMost: 120) { world.isConverged })
  }

  @Test func requestsAreBoundedAndAskedElsewhere() throws {
    let (world, host) = try alone()
    let peers = (1...10).map { key($0) }
    for peer in peers { up(world, host, peer) }
    let lines = (0..<100).map {
      ClockEntry(
        feed: FeedID(raw: Bytes32(word0: 9, word1: UInt64($0), word2: 0, word3: 0)), size: 3, root: .zero,
        forkIndex: nil)
    }
    func clock(_ lines: ArraySlice<ClockEntry>) -> LogMessage {
      .clock(ClockMessage(.answer, digest: .zero, page: ClockPage.pages(of: Array(lines))[0]))
    }
    host.keepsSent = true
    func asked() -> Int { host.sent.count { if case .getRange = $0 { true } else { false } } }
    give(world, host, clock(lines[0..<20]), from: peers[0])
    #expect(asked() == LedgerLimits.requestsPerPeer)
    // Ten feeds a peer, of which eight may be asked for at a time.
    for (place, peer) in peers.enumerated() { give(world, host, clock(lines[(place * 10)..<(place * 10 + 10)]), from: peer) }
    #expect(host.ledger.requests.inFlight == LedgerLimits.requests)
    #expect(asked() == LedgerLimits.requests)
    // Nobody answers: the same feeds are asked of somebody else.
    world.run(seconds: 6)
    #expect(host.faults.count { $0 == .silent } >= LedgerLimits.requests)
    #expect(asked() > LedgerLimits.requests)
    var requests = RangeRequests()
    for (number, peer) in peers.enumerated() { requests.note(lines[0].feed, size: UInt64(number + 1), peer: peer) }
    #expect(requests.source(of: lines[0].feed, beyond: 6).peer != nil)
    for peer in peers.suffix(LedgerLimits.sourcesPerFeed) { requests.forget(lines[0].feed, peer: peer) }
    #expect(requests.source(of: lines[0].feed, beyond: 0).peer == nil)
  }

  @Test func readsAreBounded() throws {
    let (world, host) = try alone()
    host.holdsReads = true
    let question = LogMessage.getRange(GetRange(feed: host.ledger.ownFeed, from: 0, to: 1))
    for number in 1...20 {
      up(world, host, key(number))
      for _ in 0..<20 { give(world, host, question, from: key(number)) }
      #expect(host.heldReads.count == min(number * LedgerLimits.readsPerPeer, LedgerLimits.reads))
    }
    #expect(host.faults.count { $0 == .tooManyRequests } == 20 * 20 - LedgerLimits.reads)
    // The place is free again once answered.
    let first = host.heldReads.removeFirst()
    world.input(host) { host.ledger.onRead(host.store.answer(first), now: world.now, into: &$0) }
    give(world, host, question, from: key(1))
    #expect(host.heldReads.count == LedgerLimits.reads)
  }

  @Test func fullClocksAreRare() throws {
    let (world, host) = try alone()
    up(world, host, key(1))
    host.keepsSent = true
    let question = LogMessage.clock(ClockMessage(question: .zero))
    for _ in 0..<50 { give(world, host, question, from: key(1)) }
    #expect(host.sent.count == 1)
    // Of those that came in the pause one is answered behind it; then the next pause begins.
    world.run(seconds: 0.6)
    #expect(host.sent.count == 2)
    for _ in 0..<50 { give(world, host, question, from: key(1)) }
    #expect(host.sent.count == 2)
    world.run(seconds: 0.6)
    #expect(host.sent.count == 3)
    world.run(seconds: 2)
    #expect(host.sent.count == 3)
  }

  @Test func acknowledgersAndSearchesAreBounded() {
    let now = Instant(micros: 0, wallMs: 0)
    var guardian = RestoreGuard.settled(now: now)
    for number in 0..<LedgerLimits.acknowledgers { _ = guardian.onAcknowledged(key(number), size: 1) }
    let isTaken = guardian.onAcknowledged(key(5000), size: 1)
    let isNews = guardian.onAcknowledged(key(5), size: 2)
    #expect(!isTaken && isNews)
    #expect(guardian.known.count == LedgerLimits.acknowledgers)

    var searches = ForkSearches()
    func feed(_ number: Int) -> FeedID { FeedID(raw: Bytes32(word0: UInt64(number), word1: 0, word2: 0, word3: 0)) }
    let head = Head(feed: feed(0), size: 1, root: .zero, signature: Signature(first: .zero, second: .zero))
    for number in 0..<LedgerLimits.forkSearches {
      #expect(searches.mayBegin(feed(number), with: key(1), now: now))
      searches[feed(number)] = ForkSearch(peer: key(1), ours: head, isAboutRange: false)
    }
    #expect(!searches.mayBegin(feed(99), with: key(1), now: now))
    for number in 0..<LedgerLimits.forkSearches { searches[feed(number)] = nil }
    for number in 0..<(LedgerLimits.withheldHeads + 1) { searches.withhold(feed(number), peer: key(1), now: now) }
    // The oldest made room for the newest.
    #expect(searches.mayBegin(feed(0), with: key(1), now: now))
    #expect(!searches.mayBegin(feed(1), with: key(1), now: now))
    #expect(searches.mayBegin(feed(1), with: key(2), now: now))
  }
}
