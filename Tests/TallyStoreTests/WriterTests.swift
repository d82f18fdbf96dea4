import Foundation
import TallyBase
import TallyLog
import TallyWire
import Testing

@testable import TallyStore

@Suite struct WriterTests {
  @Test func severalCommitsShareATransaction() throws {
    let scratch = try Scratch()
    var feed = TestFeed(seed: 1)
    var store = try OpenStore(scratch.data)
    var commits = [Commit(number: 1, operations: [.feed(feed.row)], guardMark: nil)]
    for number in 2...40 {
      commits.append(Commit(number: UInt64(number), operations: [feed.grow(100, bodyCount: 500)], guardMark: feed.mark))
    }
    let (through, fault) = store.writer.apply(commits)
    #expect(through == 40 && fault == nil)
    let bytes = commits.reduce(0) { $0 + $1.estimatedBytes }
    #expect(bytes > StoreLimits.transactionBytes, "more than one transaction")
    #expect(store.writer.apply([]).through == 0)
    try store.close()
    #expect(try OpenStore(scratch.data).recovered.guardState == .settled(feed.mark))
  }

  @Test func theCacheOfFeedsIsBounded() throws {
    let scratch = try Scratch()
    var store = try OpenStore(scratch.data)
    let count = StoreLimits.cachedFeeds + 10
    var operations: [StoreOperation] = []
    for number in 0..<count {
      let feed = FeedID(raw: Bytes32(word0: UInt64(number), word1: 1, word2: 0, word3: 0))
      operations.append(.feed(FeedRow(feed: feed, author: .zero, incarnation: .max, reason: .named)))
      operations.append(.acknowledged(feed: feed, by: .zero, size: UInt64(number)))
    }
    #expect(store.commit(operations) == nil)
    #expect(store.writer.feeds.count <= StoreLimits.cachedFeeds)
    try store.close()
    let again = try OpenStore(scratch.data)
    #expect(again.recovered.feeds.count == count)
    #expect(again.recovered.feeds.map(\.row.feed) == again.recovered.feeds.map(\.row.feed).sorted())
    #expect(again.recovered.feeds.last?.row.incarnation == .max)
  }

  @Test func damagedRowsAreFound() throws {
    for text in [
      "UPDATE feed SET peaks = x'00'", "UPDATE feed SET root = zeroblob(32)", "UPDATE feed SET tail_from = 99",
      "UPDATE feed SET feed = x'01'",
    ] {
      let scratch = try Scratch()
      var feed = TestFeed(seed: 1)
      var store = try OpenStore(scratch.data)
      #expect(store.commit([.feed(feed.row), feed.grow(3)], mark: feed.mark) == nil)
      try store.writer.database.execute(text)
      do throws(StoreError) {
        _ = try store.writer.recover()
        Issue.record("\(text) was not noticed")
      } catch {
        guard case .store(.broken) = error else {
          Issue.record("\(error)")
          continue
        }
      }
    }
    for text in [
      "DELETE FROM tail WHERE id & 549755813887 = 301", "UPDATE chunk SET packed = x'0102'",
      "UPDATE tail SET preimage = x'00'", "DELETE FROM chunk", "DELETE FROM node",
    ] {
      let scratch = try Scratch()
      var feed = TestFeed(seed: 1)
      var store = try OpenStore(scratch.data)
      #expect(store.commit([.feed(feed.row), feed.grow(200)], mark: feed.mark) == nil)
      #expect(store.commit([feed.grow(100)], mark: feed.mark) == nil)
      #expect(store.commit([feed.grow(5)], mark: feed.mark) == nil)
      try store.writer.database.execute(text)
      let answers = [0, 304].map { store.ask(.inclusion(feed: feed.row.feed, index: $0, size: 305)) }
      let isNoticed = answers.contains { if case .failed(.broken) = $0 { true } else { false } }
      #expect(isNoticed, "\(text): \(answers)")
    }
  }

  /// A second connection that holds the database is a fault that passes.
  @Test func aForeignLockIsFullNotBroken() throws {
    let scratch = try Scratch()
    var store = try OpenStore(scratch.data)
    var foreign = try SQLiteDatabase(path: scratch.data + "/ledger.db", role: .reader)
    try store.writer.database.execute("PRAGMA busy_timeout = 1")
    try foreign.execute("BEGIN IMMEDIATE")
    guard case .full = store.commit([.feed(TestFeed(seed: 1).row)]) else {
      Issue.record("not refused as full")
      return
    }
    try foreign.execute("ROLLBACK")
    store.writer.resume()
    #expect(store.commit([.feed(TestFeed(seed: 1).row)]) == nil)
  }

  @Test func ourOwnMistakesTrap() async throws {
    // The parent's directory: a child that traps cleans nothing up.
    let scratch = try Scratch()
    let path = scratch.path
    // Not contiguous; an unknown feed; a head over other entries; no entries; a value above its limit.
    await #expect(processExitsWith: .failure) {
      [path = path as String] in
      try Mistake.run(path) { feed, _ in
        .entries(feed: feed.row.feed, from: 1, entries: feed.entries, head: feed.head)
      }
    }
    await #expect(processExitsWith: .failure) {
      [path = path as String] in
      try Mistake.run(path) { feed, _ in .acknowledged(feed: .zero, by: .zero, size: feed.size) }
    }
    await #expect(processExitsWith: .failure) {
      [path = path as String] in
      try Mistake.run(path) { feed, other in
        .entries(feed: feed.row.feed, from: 0, entries: other.entries, head: feed.head)
      }
    }
    await #expect(processExitsWith: .failure) {
      [path = path as String] in
      try Mistake.run(path) { feed, _ in .entries(feed: feed.row.feed, from: 0, entries: [], head: feed.head) }
    }
    await #expect(processExitsWith: .failure) {
      [path = path as String] in
      let value = [UInt8](repeating: 0, count: StoreLimits.valueBytes + 1)
      try Mistake.run(path) { _, _ in .put(table: .words, key: [], value: value) }
    }
    await #expect(processExitsWith: .success) {
      [path = path as String] in
      try Mistake.run(path) { feed, _ in
        .entries(feed: feed.row.feed, from: 0, entries: feed.entries, head: feed.head)
      }
    }
  }
}

enum Mistake {
  static func run(_ path: String, _ make: (TestFeed, TestFeed) -> StoreOperation) throws {
    var feed = TestFeed(seed: 1)
    var other = TestFeed(seed: 2)
    _ = (feed.grow(3), other.grow(3))
    var store = try OpenStore(path + "/data-\(ProcessInfo.processInfo.processIdentifier)")
    _ = store.commit([.feed(feed.row), make(feed, other)])
  }
}
