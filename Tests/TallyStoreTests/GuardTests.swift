import Foundation
import TallyBase
import TallyLog
import Testing

@testable import TallyStore

@Suite struct GuardTests {
  /// A store closed at three entries, kept aside, and the same one at five.
  private struct Past {
    let scratch: Scratch
    let feed: TestFeed
    let old: GuardMark
    var data: String { scratch.data }

    init() throws {
      scratch = try Scratch()
      var feed = TestFeed(seed: 1)
      var store = try OpenStore(scratch.data)
      #expect(store.recovered.guardState == .firstStart && store.recovered.isNew && store.recovered.wasClean)
      #expect(store.commit([.feed(feed.row), feed.grow(3)], mark: feed.mark) == nil)
      old = feed.mark
      try store.close()
      try FileManager.default.copyItem(atPath: scratch.data, toPath: scratch.path + "/old")
      var again = try OpenStore(scratch.data)
      #expect(again.recovered.guardState == .settled(old))
      #expect(again.commit([feed.grow(2)], mark: feed.mark) == nil)
      try again.close()
      self.feed = feed
    }

    /// Puts back one file as it was at three entries.
    func restore(_ name: String) throws {
      try FileManager.default.removeItem(atPath: data + "/" + name)
      try FileManager.default.copyItem(atPath: scratch.path + "/old/" + name, toPath: data + "/" + name)
    }

    func state() throws -> GuardState {
      let store = try OpenStore(data)
      let state = store.recovered.guardState
      try store.close()
      return state
    }
  }

  @Test func equalIsSettled() throws {
    let past = try Past()
    #expect(try past.state() == .settled(past.feed.mark))
  }

  @Test func anOldDatabaseIsARollbackUntilANewIncarnation() throws {
    let past = try Past()
    try past.restore("ledger.db")
    #expect(try past.state() == .rollback(file: past.feed.mark))
    // It stays one at every start until the host begins anew.
    #expect(try past.state() == .rollback(file: past.feed.mark))
    var store = try OpenStore(past.data)
    var next = TestFeed(seed: 2)
    #expect(store.commit([.feed(next.row), next.grow(1)], mark: next.mark) == nil)
    try store.close()
    #expect(try past.state() == .settled(next.mark))
  }

  @Test func anOldGuardIsRewritten() throws {
    let past = try Past()
    try past.restore("guard")
    #expect(try past.state() == .settled(past.feed.mark))
    let text = try String(contentsOfFile: past.data + "/guard", encoding: .utf8)
    #expect(GuardFile.parse(Array(text.utf8)) == past.feed.mark)
  }

  @Test func aMissingGuardIsARollback() throws {
    let past = try Past()
    try FileManager.default.removeItem(atPath: past.data + "/guard")
    #expect(try past.state() == .rollback(file: nil))
    #expect(try past.state() == .rollback(file: nil))
  }

  @Test func aMissingDatabaseIsARollback() throws {
    let past = try Past()
    try FileManager.default.removeItem(atPath: past.data + "/ledger.db")
    #expect(try past.state() == .rollback(file: past.feed.mark))
  }

  @Test func bothOldCannotBeSeenHere() throws {
    let past = try Past()
    try past.restore("ledger.db")
    try past.restore("guard")
    #expect(try past.state() == .settled(past.old))
  }

  @Test func anotherRootAtThatSizeIsARollback() throws {
    let past = try Past()
    let other = GuardMark(incarnation: past.old.incarnation, size: past.old.size, root: past.feed.mark.root)
    try Data(GuardFile.format(other)).write(to: URL(fileURLWithPath: past.data + "/guard"))
    #expect(try past.state() == .rollback(file: other))
    let stranger = GuardMark(incarnation: 5, size: 1, root: past.old.root)
    try Data(GuardFile.format(stranger)).write(to: URL(fileURLWithPath: past.data + "/guard"))
    #expect(try past.state() == .rollback(file: stranger))
  }

  @Test func everyDamagedGuardIsARollback() throws {
    let past = try Past()
    let good = GuardFile.format(past.feed.mark)
    for index in stride(from: 0, to: good.count, by: 7) {
      var bad = good
      bad[index] ^= 0x20
      try Data(bad).write(to: URL(fileURLWithPath: past.data + "/guard"))
      let state = try past.state()
      if case .rollback = state { continue }
      Issue.record("byte \(index) flipped: \(state)")
    }
    try Data(good.dropLast()).write(to: URL(fileURLWithPath: past.data + "/guard"))
    #expect(try past.state() == .rollback(file: nil))
  }

  /// A crash between the first commit and its guard: the feed was begun, nothing was released, nothing is lost.
  @Test func theFirstCommitWithoutItsGuardIsSettled() throws {
    let scratch = try Scratch()
    let store = try OpenStore(scratch.data)
    try store.close()
    let none = try Data(contentsOf: URL(fileURLWithPath: scratch.data + "/guard"))
    #expect(GuardFile.parse(Array(none)) == GuardFile.none)
    var again = try OpenStore(scratch.data)
    #expect(again.recovered.guardState == .firstStart && !again.recovered.isNew)
    var feed = TestFeed(seed: 1)
    #expect(again.commit([.feed(feed.row), feed.grow(1)], mark: feed.mark) == nil)
    try again.close()
    try none.write(to: URL(fileURLWithPath: scratch.data + "/guard"))
    let third = try OpenStore(scratch.data)
    #expect(third.recovered.guardState == .settled(feed.mark))
  }
}
