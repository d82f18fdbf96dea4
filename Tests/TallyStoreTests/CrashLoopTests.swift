import Foundation
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import Testing

@testable import TallyStore

/// What every child process does, and what must hold behind it. A child notes what it was told is durable with
/// plain appends: they survive the end of the process, and these tests end processes, not machines.
enum CrashScenario {
  static let sizes = [1, 3, 200, 40, 120, 1, 256, 60, 30, 200, 5]

  static func identity(_ path: String) throws {
    let directory = try DataDirectory(path)
    if try directory.identitySeed() == nil { try directory.createIdentity(seed: [UInt8](repeating: 7, count: 32)) }
    try note(path, "identity")
  }

  /// Commits in groups, blobs between; goes on where an earlier child stopped.
  static func run(_ path: String) throws {
    try identity(path)
    var store = try OpenStore(path)
    store.writer.walPagesDue = 12
    var blobs = try BlobStore(store.directory, quotaBytes: 1 << 30)
    var feed = TestFeed(seed: 1)
    var number: UInt64 = 0
    let stored = store.recovered.feeds.first?.frontier.size ?? 0
    if stored == 0 && store.recovered.feeds.isEmpty {
      number += 1
      guard try apply(&store, [Commit(number: number, operations: [.feed(feed.row)], guardMark: nil)], path, nil)
      else { return }
    }
    for (index, size) in sizes.enumerated() {
      let operation = feed.grow(size)
      if feed.size <= stored { continue }
      precondition(feed.size - UInt64(size) >= stored, "the store ends inside a commit")
      number += 1
      let put = StoreOperation.put(table: .settings, key: [1], value: [UInt8(index)])
      guard try apply(&store, [Commit(number: number, operations: [operation, put], guardMark: feed.mark)], path, feed)
      else { return }
      let blob = try blobs.store([UInt8](repeating: UInt8(index), count: 70_000 + index))
      try note(path, "blob \(blob.id.hex)")
    }
    // A checkpoint, whether the log is long or not.
    try store.close()
  }

  /// True when durable. After "full" the same is tried again, once the node would have been told.
  private static func apply(
    _ store: inout OpenStore, _ commits: [Commit], _ path: String, _ feed: TestFeed?
  ) throws -> Bool {
    var (through, fault) = store.writer.apply(commits)
    if case .full = fault {
      precondition(through < commits[0].number, "full, yet durable")
      let refused = store.writer.apply(commits)
      precondition(refused.fault == fault, "not refused before resume")
      store.writer.resume()
      (through, fault) = store.writer.apply(commits)
    }
    if through == commits[commits.count - 1].number, let feed { try note(path, "size \(feed.size)") }
    if case .broken = fault {
      store.writer.resume()
      precondition(store.writer.apply(commits).fault == fault, "broken was lifted")
      return false
    }
    return true
  }

  static func note(_ path: String, _ line: String) throws {
    let file = path + "/../notes"
    if !FileManager.default.fileExists(atPath: file) { _ = FileManager.default.createFile(atPath: file, contents: nil) }
    let handle = try #require(FileHandle(forWritingAtPath: file))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data((line + "\n").utf8))
    try handle.close()
  }

  static func notes(_ path: String) throws -> [String] {
    guard FileManager.default.fileExists(atPath: path + "/../notes") else { return [] }
    return try String(contentsOfFile: path + "/../notes", encoding: .utf8).split(separator: "\n").map(String.init)
  }

  /// Opens what the child left: acknowledged things are there, the rest is a prefix, the guard agrees.
  static func check(_ path: String, _ what: String) throws {
    let notes = try notes(path)
    let acknowledged = notes.compactMap { $0.hasPrefix("size ") ? UInt64($0.dropFirst(5)) : nil }.max() ?? 0
    var store = try OpenStore(path)
    var feed = TestFeed(seed: 1)
    let found = store.recovered.feeds.first
    let size = found?.frontier.size ?? 0
    #expect(size >= acknowledged, "\(what): acknowledged \(acknowledged), found \(size)")
    for count in sizes where feed.size < size { _ = feed.grow(count) }
    #expect(feed.size == size, "\(what): ends inside a commit")
    if size > 0 {
      #expect(found?.head == feed.head, "\(what)")
      #expect(store.recovered.guardState == .settled(feed.mark), "\(what): \(store.recovered.guardState)")
      #expect(try store.replayed()[feed.row.feed] == feed.entries, "\(what)")
    } else {
      #expect(store.recovered.guardState == .firstStart, "\(what): \(store.recovered.guardState)")
    }
    let damage = "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check != 'ok'"
    #expect(try store.writer.database.number(damage) == 0, "\(what)")
    if notes.contains("identity") { #expect(try store.directory.identitySeed()?.count == 32, "\(what)") }
    var blobs = try BlobStore(store.directory, quotaBytes: 1 << 30)
    for note in notes where note.hasPrefix("blob ") {
      let id = try #require(ContentID(hex: note.dropFirst(5)))
      let isWhole = blobs.isWhole(id)
      #expect(isWhole, "\(what): \(note) is gone")
      let bytes = try blobs.read(id)
      #expect(BlobStore.reference(of: bytes).id == id, "\(what)")
    }
  }
}

#if TALLY_FAILPOINTS
  @Suite struct CrashLoopTests {
    /// Each place, the 1st, 2nd, 3rd … time it is reached, in each way, until the scenario ends without it; then the
    /// scenario is finished by a second process over what was left.
    @Test(arguments: Failpoint.allCases) func nothingAcknowledgedIsLost(point: Failpoint) async throws {
      for action in [Failpoint.Action.exit, .error, .full] {
        var count = 1
        var fired = true
        while fired {
          fired = try await once(point.rawValue, count, action.rawValue)
          count = count < 3 ? count + 1 : count * 2
        }
        #expect(count > 2, "\(point.rawValue) is never reached")
      }
    }

    /// One child. False when the place was not reached that often.
    private func once(_ point: String, _ count: Int, _ action: String) async throws -> Bool {
      let scratch = try Scratch()
      let path = scratch.data
      await #expect(processExitsWith: .exitCode(Failpoint.exitCode)) {
        [path = path as String, point = point as String, count = count as Int, action = action as String] in
        let armed = try #require(Failpoint(rawValue: point))
        Failpoint.arm(armed, count: count, action: try #require(Failpoint.Action(rawValue: action)))
        do { try CrashScenario.run(path) } catch { try CrashScenario.note(path, "threw \(error)") }
        if !Failpoint.hasFired { try CrashScenario.note(path, "unfired") }
        exit(Failpoint.exitCode)
      }
      let what = "\(point):\(count):\(action)"
      let fired = try !CrashScenario.notes(path).contains("unfired")
      try CrashScenario.check(path, what)
      if fired && count == 1 {
        await #expect(processExitsWith: .success) { [path = path as String] in try CrashScenario.run(path) }
        try CrashScenario.check(path, what + ", finished")
        #expect(try CrashScenario.notes(path).contains("size \(CrashScenario.sizes.reduce(0, +))"), "\(what)")
      }
      return fired
    }

    @Test func everyPlaceHasAName() {
      #expect(Set(Failpoint.allCases.map(\.rawValue)).count == Failpoint.allCases.count)
      #expect(Failpoint.allCases.allSatisfy { $0.rawValue.contains(".") })
    }

    @Test func theEnvironmentArms() async throws {
      let scratch = try Scratch()
      let path = scratch.path
      await #expect(processExitsWith: .exitCode(Failpoint.exitCode)) {
        [path = path as String] in
        unsafe setenv("TALLY_FAILPOINT", "store.begin:1:exit", 1)
        var store = try OpenStore(path + "/one")
        _ = store.commit([.feed(TestFeed(seed: 1).row)])
      }
      await #expect(processExitsWith: .failure) {
        [path = path as String] in
        unsafe setenv("TALLY_FAILPOINT", "no.such:1:exit", 1)
        _ = try OpenStore(path + "/two")
      }
    }
  }
#endif
