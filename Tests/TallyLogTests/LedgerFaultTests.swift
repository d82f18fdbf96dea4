import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import Testing

/// Forks made on purpose, stores that fail, and every limit.
@Suite struct LedgerForkTests {
  /// One author's two branches over a common prefix, signed.
  final class Author {
    let identity: Identity
    let meshID: MeshID
    let row: FeedRow

    init(seed: UInt8, meshID: MeshID) throws {
      identity = try Identity(seed: [UInt8](repeating: seed, count: 32))
      self.meshID = meshID
      row = FeedRow(
        feed: Names.feedID(mesh: meshID, author: identity.publicKey, incarnation: 77), author: identity.publicKey,
        incarnation: 77, reason: .member)
    }

    func branch(common: Int, own: Int, name: String) -> [Entry] {
      let body = BeginBody(author: row.author, incarnation: 77, recovery: .zero, continues: nil)
      var entries = [Entry(kind: .begin, timeMs: 1, links: [], body: body.encoded)]
      for number in 1..<common { entries.append(entry("common \(number)")) }
      for number in 0..<own { entries.append(entry("\(name) \(number)")) }
      return entries
    }

    private func entry(_ text: String) -> Entry {
      Entry(kind: .record, timeMs: 5, links: [], body: Array(text.utf8))
    }

    func head(_ entries: [Entry]) -> Head {
      Head.signed(
        by: identity, mesh: World.mesh, feed: row.feed, size: UInt64(entries.count),
        root: MerkleTree.root(LeafHasher.hashAll(entries)))
    }

    /// Commits that bring a store's feed to the end of `entries`, with heads at `sizes`.
    func fill(_ host: ModelHost, _ entries: [Entry], heads sizes: [Int]) {
      var operations: [StoreOperation] = [.feed(row)]
      var from = 0
      for size in sizes {
        operations.append(
          .entries(
            feed: row.feed, from: UInt64(from), entries: Array(entries[from..<size]), head: head(Array(entries[..<size]))))
        from = size
      }
      host.store.apply(Commit(number: 1, operations: operations, guardMark: nil))
    }

    func push(_ entries: [Entry], from: Int) -> [UInt8] {
      let introduction = FeedIntroduction(author: row.author, incarnation: row.incarnation, reason: .member)
      return LogMessage.push(
        Push(
          head: head(entries), from: UInt64(from), introduction: from == 0 ? introduction : nil,
          entries: Array(entries[from...]))
      ).encoded
    }
  }

  /// Two hosts start with a branch each; both must find the exact first difference, whatever the sizes.
  @Test(arguments: [(1, 1, 1), (6, 1, 1), (6, 3, 9), (7, 9, 1), (8, 8, 8), (64, 1, 100), (100, 57, 3), (255, 40, 41)])
  func forkIsFoundExactly(common: Int, left: Int, right: Int) throws {
    let world = try World(seed: UInt64(common), hosts: 3)
    let author = try Author(seed: 200, meshID: world.meshID)
    let one = author.branch(common: common, own: left, name: "one")
    let two = author.branch(common: common, own: right, name: "two")
    author.fill(world.hosts[0], one, heads: Array(stride(from: 5, to: one.count, by: 5)) + [one.count])
    author.fill(world.hosts[1], two, heads: Array(stride(from: 7, to: two.count, by: 7)) + [two.count])
    world.startAll()
    world.link(world.hosts[0], world.hosts[1])
    let id = author.row.feed
    let index = UInt64(common)
    #expect(
      world.run(atMost: 30) {
        world.hosts[0].ledger.feed(id)?.forkIndex == index && world.hosts[1].ledger.feed(id)?.forkIndex == index
      })
    // The third never saw a branch: it gets the proof, and of the feed what counts.
    world.link(world.hosts[1], world.hosts[2])
    #expect(world.run(atMost: 60) { world.isConverged })
    for host in world.hosts {
      let status = try #require(host.ledger.feed(id))
      #expect(status.forkIndex == index)
      #expect(status.size == index)
      #expect(host.folded[id]?.count == common)
      let proof = try ForkProof(decoding: try #require(host.ledger.forkProof(id)))
      try proof.verify(meshID: world.meshID, mesh: World.mesh, author: author.row.author, incarnation: 77)
      #expect(host.store.feeds[id]?.forkIndex == index)
      #expect(host.faults.isEmpty)
    }
    // It lasts.
    world.crash(world.hosts[2])
    world.start(world.hosts[2])
    #expect(world.hosts[2].ledger.feed(id)?.forkIndex == index)
    #expect(world.hosts[2].folded[id]?.count == common)
    #expect(world.violations.isEmpty)
  }

  /// An author feeds three branches to honest hosts in any order, who relay, pull and compare: all find the least
  /// index, and nobody honest is blamed.
  @Test(arguments: 1...60) func honestHostsAreNotBlamed(seed: UInt64) throws {
    let world = try World(seed: seed, hosts: 4)
    world.duplicates = 50
    let author = try Author(seed: 200, meshID: world.meshID)
    let common = 3 + Int(seed % 7)
    let branches = ["a", "b", "c"].map { author.branch(common: common, own: 12, name: $0) }
    world.startAll()
    world.linkAll()
    world.run(seconds: 1)
    for one in world.hosts { for other in world.hosts where one !== other { world.unlink(one, other) } }
    let stranger = author.row.author
    for host in world.hosts {
      host.persistDelay = Int64(world.generator.below(100_000))
      world.input(host) { host.ledger.member(stranger, now: world.now, into: &$0) }
      world.input(host) { host.ledger.onPeerUp(stranger, recordEpoch: 0, recordCounter: 0, now: world.now, into: &$0) }
    }
    for _ in 0..<12 {
      let host = world.hosts[world.generator.below(4)]
      let branch = branches[world.generator.below(3)]
      let size = common + 1 + world.generator.below(12)
      let from = world.generator.chance(1, outOf: 2) ? 0 : common + world.generator.below(size - common)
      world.input(host) {
        host.ledger.onMessage(
          author.push(Array(branch[..<size]), from: from), from: stranger, now: world.now, into: &$0)
      }
      world.run(seconds: Double(world.generator.below(60)) / 1000)
      let (one, other) = (world.hosts[world.generator.below(4)], world.hosts[world.generator.below(4)])
      if one !== other && world.generator.chance(1, outOf: 3) { world.link(one, other) }
    }
    world.linkAll()
    let clean = Set(world.hosts.map(\.key))
    #expect(world.run(atMost: 120) { world.isConverged && world.hosts[0].ledger.feed(author.row.feed) != nil })
    for host in world.hosts {
      #expect(host.blamed.filter { clean.contains($0) }.isEmpty, "seed \(seed): \(host.faults)")
      if let fork = host.ledger.feed(author.row.feed)?.forkIndex { #expect(fork == UInt64(common)) }
    }
    #expect(world.violations.isEmpty)
  }

  /// Our tree runs ahead of our store on one branch, an honest peer shows another: what is stored joins both.
  @Test func anUnstoredBranchBlamesNobody() throws {
    let world = try World(seed: 11, hosts: 2)
    let author = try Author(seed: 200, meshID: world.meshID)
    let one = author.branch(common: 5, own: 3, name: "one")
    let two = author.branch(common: 5, own: 4, name: "two")
    author.fill(world.hosts[0], Array(one[..<5]), heads: [5])
    author.fill(world.hosts[1], two, heads: [5, 9])
    world.startAll()
    world.run(seconds: 1)
    let (host, honest) = (world.hosts[0], world.hosts[1])
    host.persistDelay = 3_000_000
    world.input(host) {
      host.ledger.onPeerUp(author.row.author, recordEpoch: 0, recordCounter: 0, now: world.now, into: &$0)
    }
    world.input(host) {
      host.ledger.onMessage(author.push(one, from: 5), from: author.row.author, now: world.now, into: &$0)
    }
    world.run(seconds: 0.1)
    world.link(host, honest)
    world.run(seconds: 2)
    #expect(host.events.contains { if case .rangeRefused = $0 { true } else { false } })
    #expect(host.blamed.isEmpty)
    #expect(world.run(atMost: 60) { world.isConverged && host.ledger.feed(author.row.feed)?.forkIndex == 5 })
    #expect(host.blamed.isEmpty && honest.blamed.isEmpty)
  }

  /// A second fork below the first: the index falls, everywhere.
  @Test func theLeastIndexWins() throws {
    let world = try World(seed: 3, hosts: 3)
    let author = try Author(seed: 200, meshID: world.meshID)
    let branches = [(20, 3, "a"), (20, 4, "b"), (9, 30, "c")].map { author.branch(common: $0.0, own: $0.1, name: $0.2) }
    for (host, entries) in zip(world.hosts, branches) { author.fill(host, entries, heads: [entries.count]) }
    world.startAll()
    let id = author.row.feed
    world.link(world.hosts[0], world.hosts[1])
    #expect(world.run(atMost: 30) { world.hosts[0].ledger.feed(id)?.forkIndex == 20 })
    world.link(world.hosts[1], world.hosts[2])
    #expect(world.run(atMost: 60) { world.isConverged && world.hosts[0].ledger.feed(id)?.forkIndex == 9 })
    let lowered = world.hosts[0].effects.compactMap { if case .forked(_, let index) = $0 { index } else { nil } }
    #expect(lowered == [20, 9])
  }

  /// After a fork nothing of a branch is relayed, asked for or stored.
  @Test func branchesAreNotReplicated() throws {
    let world = try World(seed: 5, hosts: 2)
    let author = try Author(seed: 200, meshID: world.meshID)
    let one = author.branch(common: 4, own: 3, name: "one")
    let two = author.branch(common: 4, own: 5, name: "two")
    author.fill(world.hosts[0], one, heads: [one.count])
    author.fill(world.hosts[1], two, heads: [two.count])
    world.startAll()
    world.linkAll()
    let id = author.row.feed
    #expect(world.run(atMost: 30) { world.isConverged && world.hosts[0].ledger.feed(id)?.forkIndex == 4 })
    world.hosts[0].effects = []
    let longer = author.branch(common: 4, own: 6, name: "one")
    world.input(world.hosts[0]) {
      world.hosts[0].ledger.onMessage(
        author.push(longer, from: one.count), from: world.hosts[1].key, now: world.now, into: &$0)
    }
    world.run(seconds: 30)
    #expect(world.hosts[0].store.feeds[id]?.entries.count == 7)
    #expect(!world.hosts[0].effects.contains { if case .relay = $0 { true } else { false } })
  }

  /// Entries that do not lead to an honest head are the server's fault, not a fork.
  @Test func wrongEntriesAreTheServersFault() throws {
    let world = try World(seed: 6, hosts: 2)
    let author = try Author(seed: 200, meshID: world.meshID)
    let entries = author.branch(common: 10, own: 0, name: "")
    for host in world.hosts { author.fill(host, Array(entries.prefix(5)), heads: [5]) }
    world.startAll()
    world.linkAll()
    #expect(world.run(atMost: 5) { world.isConverged })
    let host = world.hosts[0]
    // The server holds the honest tree, but serves a forged entry with its head.
    world.hosts[1].store.apply(
      Commit(
        number: 9,
        operations: [.entries(feed: author.row.feed, from: 5, entries: Array(entries[5...]), head: author.head(entries))],
        guardMark: nil))
    var forged = Array(entries[5...])
    forged[2] = Entry(kind: .record, timeMs: 0, links: [], body: [1])
    let push = LogMessage.push(Push(head: author.head(entries), from: 5, introduction: nil, entries: forged)).encoded
    world.crash(world.hosts[1])
    world.start(world.hosts[1])
    world.linkAll()
    world.input(host) { host.ledger.onMessage(push, from: world.hosts[1].key, now: world.now, into: &$0) }
    world.run(seconds: 5)
    #expect(host.faults.contains(.wrongEntries))
    #expect(host.ledger.feed(author.row.feed)?.forkIndex == nil)
    #expect(host.ledger.feed(author.row.feed)?.size == 10)
  }

  /// A head without a path is no evidence: withheld, said so, in no clock, and asked again after ten minutes only.
  @Test func aWithheldPathIsNoEvidence() throws {
    let world = try World(seed: 7, hosts: 2)
    let author = try Author(seed: 200, meshID: world.meshID)
    let one = author.branch(common: 4, own: 3, name: "one")
    let two = author.branch(common: 4, own: 3, name: "two")
    author.fill(world.hosts[0], one, heads: [one.count])
    world.startAll()
    world.linkAll()
    #expect(world.run(atMost: 5) { world.isConverged })
    world.hosts[1].isMute = true
    let host = world.hosts[0]
    func show() {
      world.input(host) {
        host.ledger.onMessage(author.push(two, from: 0), from: world.hosts[1].key, now: world.now, into: &$0)
      }
    }
    func withheld() -> Int { host.events.count { if case .headWithheld = $0 { true } else { false } } }
    show()
    world.run(seconds: 15)
    #expect(withheld() == 1)
    show()
    world.run(seconds: 15)
    #expect(withheld() == 1)
    #expect(host.ledger.feed(author.row.feed)?.forkIndex == nil)
    world.run(seconds: 600)
    show()
    world.run(seconds: 15)
    #expect(withheld() == 2)
  }

  @Test func forgeriesAreRefused() throws {
    let world = try World(seed: 8, hosts: 2)
    let author = try Author(seed: 200, meshID: world.meshID)
    let entries = author.branch(common: 3, own: 0, name: "")
    world.startAll()
    world.linkAll()
    #expect(world.run(atMost: 5) { world.isConverged })
    let host = world.hosts[0]
    let from = world.hosts[1].key
    func give(_ message: [UInt8]) {
      world.input(host) { host.ledger.onMessage(message, from: from, now: world.now, into: &$0) }
      world.run(seconds: 1)
    }
    let head = author.head(entries)
    let unsigned = Head(feed: head.feed, size: 3, root: head.root, signature: Signature(first: .zero, second: .zero))
    let introduction = FeedIntroduction(author: author.row.author, incarnation: 77, reason: .member)
    give(LogMessage.push(Push(head: unsigned, from: 0, introduction: introduction, entries: entries)).encoded)
    #expect(host.faults == [.badSignature])
    let other = FeedIntroduction(author: author.row.author, incarnation: 78, reason: .member)
    give(LogMessage.push(Push(head: head, from: 0, introduction: other, entries: entries)).encoded)
    #expect(host.faults == [.badSignature, .wrongFeed])
    give([MessageType.push.rawValue, 1, 2, 3])
    guard case .undecodable(.push, _) = host.faults.last else { return #expect(Bool(false)) }
    #expect(host.ledger.feed(head.feed) == nil)
    give(author.push(entries, from: 0))
    #expect(host.ledger.feed(head.feed)?.size == 3)
  }
}

@Suite struct LedgerStoreFaultTests {
  @Test func fullStoreTakesBackRefusesAndRecovers() throws {
    let world = try World(seed: 1, hosts: 2)
    world.startAll()
    world.linkAll()
    #expect(world.run(atMost: 5) { world.isConverged && world.hosts[0].ledger.clock.count == 2 })
    let (host, other) = (world.hosts[0], world.hosts[1])
    host.storeFault = .full(detail: "no space")
    let lost = try world.append(host, "lost").get()
    world.append(other, "while the other is full")
    world.run(seconds: 1)
    #expect(host.ledger.signing == .off(.storeFull(detail: "no space")))
    #expect(host.ledger.ownSize == 1)
    #expect(host.ledger.ownNextIndex == lost.index)
    let back = host.effects.contains { if case .rolledBack(_, 1) = $0 { true } else { false } }
    #expect(back)
    guard case .failure(.signingOff(.storeFull)) = world.append(host, "refused") else {
      return #expect(Bool(false), "an append while the store is full")
    }
    // It keeps serving, and keeps nothing of others in memory only.
    #expect(host.ledger.unstoredBytes == 0)
    #expect(host.ledger.feed(other.ledger.ownFeed)?.size == 1)
    world.run(seconds: 40)
    let tries = host.commit
    world.run(seconds: 60)
    #expect(host.commit - tries <= 4)
    host.storeFault = nil
    #expect(world.run(atMost: 40) { host.ledger.signing == .on })
    world.append(host, "afterwards")
    #expect(world.run(atMost: 30) { world.isConverged })
    #expect(host.ledger.ownSize == 2)
    #expect(host.ledger.feed(other.ledger.ownFeed)?.size == 2)
    #expect(host.events.filter { $0 == .signingOn }.count == 1)
    #expect(host.store.values.isEmpty)
    #expect(world.violations.isEmpty)
  }

  @Test func theFirstCommitMayFail() throws {
    let world = try World(seed: 2, hosts: 1)
    let host = world.hosts[0]
    host.storeFault = .full(detail: "no space")
    world.start(host)
    world.run(seconds: 3)
    #expect(host.ledger.ownSize == 0)
    host.storeFault = nil
    world.run(seconds: 10)
    #expect(host.ledger.signing == .on)
    #expect(host.ledger.ownSize == 1)
    #expect(host.store.feeds[host.ledger.ownFeed]?.entries.first?.kind == .begin)
  }

  @Test func brokenStoreNeverSignsAgain() throws {
    let world = try World(seed: 3, hosts: 2)
    world.startAll()
    world.linkAll()
    #expect(world.run(atMost: 5) { world.isConverged && world.hosts[0].ledger.clock.count == 2 })
    let host = world.hosts[0]
    host.storeFault = .broken(detail: "sync")
    world.append(host, "lost")
    world.run(seconds: 1)
    host.storeFault = nil
    world.run(seconds: 300)
    #expect(host.ledger.signing == .off(.storeBroken(detail: "sync")))
    var begun = true
    world.input(host) { begun = host.ledger.beginNewIncarnation(now: world.now, into: &$0) }
    #expect(!begun)
    #expect(host.ledger.ownSize == 1)
    #expect(world.violations.isEmpty)
  }

  /// Held entries are durable by themselves: a full store that fails their sealing does not lose them.
  @Test func heldEntriesOutliveAFullStore() throws {
    let world = try World(seed: 4, hosts: 2)
    world.startAll()
    world.linkAll()
    #expect(world.run(atMost: 5) { world.isConverged && world.hosts[0].ledger.clock.count == 2 })
    world.run(seconds: 1)
    let host = world.hosts[0]
    world.crash(host)
    world.start(host)
    world.append(host, "held")
    world.run(seconds: 1)
    #expect(host.ledger.signing == .held)
    host.storeFault = .full(detail: "no space")
    world.linkAll()
    world.run(seconds: 2)
    #expect(host.ledger.ownSize == 1)
    host.storeFault = nil
    #expect(world.run(atMost: 40) { world.isConverged && host.ledger.ownSize == 2 })
    #expect(host.store.values.isEmpty)
  }
}
