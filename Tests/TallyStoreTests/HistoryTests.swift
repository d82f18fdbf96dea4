import Foundation
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import Testing

@testable import TallyStore

@Suite struct HistoryTests {
  /// Random commit sizes; what comes back is what went in, across tail, folds and reopening.
  @Test(arguments: 1...6) func everyEntryComesBack(seed: UInt8) throws {
    let scratch = try Scratch()
    var generator = Generator(seed: Blake2b.hash256([seed]), stream: 1)
    var feeds = [TestFeed(seed: seed), TestFeed(seed: seed + 100, reason: .member)]
    var store = try OpenStore(scratch.data)
    #expect(store.commit(feeds.map { .feed($0.row) }) == nil)
    for _ in 0..<40 {
      let which = generator.below(2)
      let count = [1, 1, 3, 64, 200, 256][generator.below(6)]
      let operation = feeds[which].grow(count, bodyCount: count > 64 ? 20 : generator.below(200))
      #expect(store.commit([operation], mark: which == 0 ? feeds[0].mark : nil) == nil)
    }
    let before = try store.replayed()
    for feed in feeds { #expect(before[feed.row.feed] ?? [] == feed.entries) }
    for _ in 0..<20 {
      let feed = feeds[generator.below(2)]
      if feed.size == 0 { continue }
      try checkReads(&store, feed, &generator)
    }
    try store.close()
    var again = try OpenStore(scratch.data)
    #expect(again.recovered.wasClean)
    #expect(!again.recovered.isNew)
    #expect(again.recovered.feeds.map(\.row.feed) == feeds.map(\.row.feed).sorted())
    for feed in feeds {
      let found = try #require(again.recovered.feeds.first { $0.row == feed.row })
      #expect(found.frontier == feed.frontier)
      #expect(found.head == (feed.size == 0 ? nil : feed.head))
    }
    let after = try again.replayed()
    #expect(after == before)
  }

  private func checkReads(
    _ store: inout OpenStore, _ feed: TestFeed, _ generator: inout Generator
  ) throws {
    let id = feed.row.feed
    let size = 1 + generator.below(feed.size)
    let index = generator.below(size)
    let leaves = Array(feed.leaves[..<Int(size)])
    #expect(
      store.ask(.inclusion(feed: id, index: index, size: size))
        == .inclusion(
          feed: id, index: index, size: size, leaf: leaves[Int(index)],
          path: MerkleTree.inclusionPath(leaves, index: index)))
    #expect(store.ask(.root(feed: id, size: size)) == .root(feed: id, size: size, root: feed.root(size)))
    #expect(
      store.ask(.entry(feed: id, index: index)) == .entry(feed: id, index: index, entry: feed.entries[Int(index)]))
    guard case .range(_, let from, let entries, let head) = store.ask(.range(feed: id, from: index, to: feed.size))
    else {
      Issue.record("no range from \(index) of \(feed.size)")
      return
    }
    #expect(from == index && head.size == from + UInt64(entries.count) && head.root == feed.root(head.size))
    #expect(entries == Array(feed.entries[Int(from)..<Int(head.size)]))
    #expect(PackedChunk.encode(entries).count <= StoreLimits.chunkBytes)
    guard case .head(let least) = store.ask(.headAtLeast(feed: id, size: size)) else {
      Issue.record("no head at or above \(size)")
      return
    }
    #expect(least.size >= size && least.root == feed.root(least.size))
  }

  /// Kept heads are at most 256 entries and 60 KiB apart, for small and for large entries.
  @Test(arguments: [(1, 40), (7, 900), (60, 700), (256, 30), (100, 10), (12, 3900)])
  func keptHeadsAreNeverFarApart(count: Int, bodyCount: Int) throws {
    let scratch = try Scratch()
    var feed = TestFeed(seed: 1)
    var store = try OpenStore(scratch.data)
    #expect(store.commit([.feed(feed.row)]) == nil)
    for _ in 0..<(2000 / count + 3) {
      #expect(store.commit([feed.grow(count, bodyCount: bodyCount)], mark: feed.mark) == nil)
    }
    var next: UInt64 = 0
    var steps = 0
    while next < feed.size {
      guard case .range(_, _, let entries, let head) = store.ask(.range(feed: feed.row.feed, from: next, to: next + 1))
      else {
        Issue.record("no range from \(next)")
        return
      }
      #expect(entries.count <= 256)
      #expect(entries.reduce(0) { $0 + $1.preimageCount } <= 60 * 1024)
      next = head.size
      steps += 1
    }
    #expect(next == feed.size)
    // Small commits are folded into chunks that are more than half full.
    let bytes = feed.entries.reduce(0) { $0 + $1.preimageCount }
    #expect(steps <= 2 + 2 * max(Int(feed.size) / 256 + 1, bytes / (60 * 1024) + 1))
  }

  @Test func aRangeIsCutAtKeptHeads() throws {
    let scratch = try Scratch()
    var feed = TestFeed(seed: 3)
    let id = feed.row.feed
    var store = try OpenStore(scratch.data)
    #expect(store.commit([.feed(feed.row)]) == nil)
    #expect(store.ask(.range(feed: id, from: 0, to: 1)) == .absent)
    for count in [200, 50, 200, 10, 5] { #expect(store.commit([feed.grow(count)], mark: feed.mark) == nil) }
    // Chunks: 0..<200 at once; 50 and 200 in the tail, folded when 10 come; the tail holds 10 + 5.
    func sizes(_ from: UInt64, _ to: UInt64) -> UInt64? {
      if case .range(_, _, _, let head) = store.ask(.range(feed: id, from: from, to: to)) { return head.size }
      return nil
    }
    #expect(sizes(0, 465) == 200, "200 + 250 entries are more than 256")
    #expect(sizes(0, 100) == 200, "no kept head up to 100: the next one is given")
    #expect(sizes(190, 465) == 200, "10 + 250 entries are more than 256")
    #expect(sizes(195, 465) == 450, "5 + 250 entries fit, 15 more do not")
    #expect(sizes(195, 449) == 200, "450 is above what was asked")
    #expect(sizes(220, 465) == 465, "230 + 15 entries fit")
    #expect(sizes(450, 452) == 465)
    #expect(sizes(464, 465) == 465)
    #expect(sizes(465, 466) == nil)
    #expect(sizes(10, 10) == nil)
    #expect(store.ask(.inclusion(feed: id, index: 465, size: 465)) == .absent)
    #expect(store.ask(.inclusion(feed: id, index: 0, size: 466)) == .absent)
    #expect(store.ask(.headAtLeast(feed: id, size: 466)) == .absent)
    #expect(store.ask(.entry(feed: id, index: 465)) == .absent)
    #expect(store.ask(.root(feed: id, size: 0)) == .root(feed: id, size: 0, root: MerkleFrontier.emptyRoot))
    let unknown = TestFeed(seed: 77).row.feed
    #expect(store.ask(.entry(feed: unknown, index: 0)) == .absent)
  }

  /// Every index of every size of a tree that crosses several levels of stored nodes would be too many: a stride.
  @Test func pathsEqualMerkleTreeBeyondStoredNodes() throws {
    let scratch = try Scratch()
    var feed = TestFeed(seed: 5)
    let id = feed.row.feed
    var store = try OpenStore(scratch.data)
    #expect(store.commit([.feed(feed.row)]) == nil)
    for _ in 0..<9 { #expect(store.commit([feed.grow(255, bodyCount: 3)], mark: feed.mark) == nil) }
    for size in [1, 255, 256, 257, 511, 512, 513, 1024, 1025, 1793, 2047, 2048, 2295] {
      for index in Set([0, size / 3, size / 2, size - 1]).sorted() {
        let leaves = Array(feed.leaves[..<size])
        let (at, of) = (UInt64(index), UInt64(size))
        #expect(
          store.ask(.inclusion(feed: id, index: at, size: of))
            == .inclusion(
              feed: id, index: at, size: of, leaf: leaves[index],
              path: MerkleTree.inclusionPath(leaves, index: at)))
      }
      #expect(store.ask(.root(feed: id, size: UInt64(size))) == .root(
        feed: id, size: UInt64(size), root: feed.root(UInt64(size))))
    }
  }

  @Test func smallValuesForksAndAcknowledgements() throws {
    let scratch = try Scratch()
    var feed = TestFeed(seed: 8)
    let (low, high) = (PublicKey(raw: Bytes32(word0: 1, word1: 0, word2: 0, word3: 0)), PublicKey(raw: .zero))
    var store = try OpenStore(scratch.data)
    let operations: [StoreOperation] = [
      .feed(feed.row), feed.grow(5), .acknowledged(feed: feed.row.feed, by: low, size: 5),
      .acknowledged(feed: feed.row.feed, by: low, size: 3), .acknowledged(feed: feed.row.feed, by: high, size: 1),
      .forkProof(feed: feed.row.feed, index: 4, proof: [1, 2, 3]),
      .forkProof(feed: feed.row.feed, index: 2, proof: [9]),
      .put(table: .settings, key: [2], value: []), .put(table: .settings, key: [1], value: [1]),
      .put(table: .settings, key: [1], value: [7]), .put(table: .words, key: [], value: [5]),
      .put(table: .pins, key: [3], value: [5]), .delete(table: .pins, key: [3]), .delete(table: .pins, key: [4]),
      .feed(feed.row),
    ]
    #expect(store.commit(operations, mark: feed.mark) == nil)
    #expect(store.ask(.value(table: .settings, key: [1])) == .value([7]))
    #expect(store.ask(.value(table: .settings, key: [2])) == .value([]))
    #expect(store.ask(.value(table: .pins, key: [3])) == .absent)
    try store.close()
    let again = try OpenStore(scratch.data)
    #expect(
      again.recovered.values == [
        Recovered.Value(table: .settings, key: [1], value: [7]), Recovered.Value(table: .settings, key: [2], value: []),
        Recovered.Value(table: .words, key: [], value: [5]),
      ])
    let found = try #require(again.recovered.feeds.first)
    #expect(found.forkIndex == 2 && found.forkProof == [9])
    #expect(
      found.acknowledgements == [
        RecoveredFeed.Acknowledgement(by: high, size: 1), RecoveredFeed.Acknowledgement(by: low, size: 5),
      ])
  }
}
