import Foundation
import TallyBase
import TallyLog
import TallyWire
import Testing

@testable import TallyStore

/// What others see and do: another program reads the database, the disk is full.
@Suite(.serialized) struct OutsideTests {
  /// Reads with python's own sqlite3: heads of every feed, entries recounted from tail and chunks.
  private static let reader = """
    import sqlite3, sys
    db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
    assert db.execute("PRAGMA application_id").fetchone()[0] == 0x54414C59
    mask = (1 << 39) - 1
    for number, feed, size, root, tail_from in db.execute(
        "SELECT id, feed, size, root, tail_from FROM feed ORDER BY feed").fetchall():
      place = 0
      for key, chunk_size, packed in db.execute(
          "SELECT id, size, packed FROM chunk WHERE id >> 39 = ? ORDER BY id", (number,)):
        assert key & mask == place
        count, shift = 0, 0
        for byte in packed:
          count |= (byte & 127) << shift
          shift += 7
          if byte < 128: break
        place += count
        assert place == chunk_size
      assert place == tail_from
      for key, preimage in db.execute("SELECT id, preimage FROM tail WHERE id >> 39 = ? ORDER BY id", (number,)):
        assert key & mask == place and preimage[0] == 1
        place += 1
      heads = db.execute("SELECT max(size) FROM heads WHERE feed = ?", (feed.hex(),)).fetchone()[0]
      assert heads == size
      print(feed.hex(), size, place, root.hex())
    """

  @Test func anotherProgramReadsTheSame() throws {
    let scratch = try Scratch()
    var feeds = [TestFeed(seed: 1), TestFeed(seed: 2, reason: .member)]
    var store = try OpenStore(scratch.data)
    #expect(store.commit(feeds.map { .feed($0.row) }) == nil)
    for count in [1, 100, 256, 3, 90, 90, 90, 7] {
      #expect(store.commit([feeds[0].grow(count), feeds[1].grow(count)], mark: feeds[0].mark) == nil)
    }
    let script = scratch.path + "/reader.py"
    try Self.reader.write(toFile: script, atomically: true, encoding: .utf8)
    let expected = feeds.sorted { $0.row.feed < $1.row.feed }
      .map { "\($0.row.feed.hex) \($0.size) \($0.size) \($0.frontier.root.hex)\n" }.joined()
    // Once beside the open store, once behind its end.
    guard let beside = try runProgram("/usr/bin/python3", [script, scratch.data + "/ledger.db"]) else {
      print("SKIP anotherProgramReadsTheSame: no /usr/bin/python3")
      return
    }
    #expect(beside.status == 0 && beside.output == expected, "\(beside.output)")
    try store.close()
    let after = try runProgram("/usr/bin/python3", [script, scratch.data + "/ledger.db"])
    #expect(after?.output == expected, "\(after?.output ?? "")")
  }

  /// A real file system of 2 MiB: commits are refused with "full" and nothing of them is stored; after room was made
  /// the next one is durable.
  @Test func aFullDiskRefusesAndRecovers() throws {
    let scratch = try Scratch()
    let mount = scratch.path + "/disk"
    try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: false)
    let arguments = ["-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", mount]
    guard let mounted = try runProgram("/usr/bin/mount", arguments), mounted.status == 0 else {
      print("SKIP aFullDiskRefusesAndRecovers: cannot mount a tmpfs here (root is needed)")
      return
    }
    defer {
      do {
        let status = try runProgram("/usr/bin/umount", ["-l", mount])?.status
        #expect(status == 0)
      } catch { Issue.record("umount: \(error)") }
    }
    let data = mount + "/data"
    let ballast = mount + "/ballast"
    try Data(repeating: 1, count: 600_000).write(to: URL(fileURLWithPath: ballast))
    var feed = TestFeed(seed: 1)
    var store = try OpenStore(data)
    #expect(store.commit([.feed(feed.row)]) == nil)
    var fault: StoreFault?
    var durable = feed
    for _ in 0..<200 {
      fault = store.commit([feed.grow(64, bodyCount: 400)], mark: feed.mark)
      if fault != nil { break }
      durable = feed
    }
    guard case .full(let detail) = fault else {
      Issue.record("\(String(describing: fault))")
      return
    }
    #expect(detail.contains("full") || detail.contains("space"), "\(detail)")
    #expect(durable.size > 0)
    // What is held is still served; nothing of the refused commit is.
    #expect(store.ask(.root(feed: feed.row.feed, size: durable.size)) == .root(
      feed: feed.row.feed, size: durable.size, root: durable.frontier.root))
    #expect(store.ask(.root(feed: feed.row.feed, size: durable.size + 1)) == .absent)
    #expect(store.commit([.put(table: .settings, key: [1], value: [1])]) == fault, "refused until resume")
    var blobs = try BlobStore(store.directory, quotaBytes: 1 << 30)
    do throws(BlobFault) {
      var generator = Generator(seed: .zero, stream: 1)
      _ = try blobs.store(generator.bytes(1_500_000))
      Issue.record("1.5 MB fit into what was left")
    } catch {
      guard case .store(.full) = error else {
        Issue.record("\(error)")
        return
      }
    }
    #expect(blobs.usedBytes == 0)
    try FileManager.default.removeItem(atPath: ballast)
    store.writer.resume()
    var next = durable
    #expect(store.commit([next.grow(64, bodyCount: 400)], mark: next.mark) == nil)
    try store.close()
    let again = try OpenStore(data)
    #expect(again.recovered.guardState == .settled(next.mark))
  }

  /// Bytes on disk per entry, written out for the closing note. The payload of these entries is 48 bytes.
  @Test(arguments: [1, 4, 64, 256]) func figures(perCommit: Int) throws {
    let scratch = try Scratch()
    var feed = TestFeed(seed: 1)
    var store = try OpenStore(scratch.data)
    #expect(store.commit([.feed(feed.row)]) == nil)
    let total = perCommit == 1 ? 2000 : 20_000
    var commits: [Commit] = []
    for number in 0..<total / perCommit {
      let operation = feed.grow(perCommit)
      commits.append(Commit(number: UInt64(number + 2), operations: [operation], guardMark: feed.mark))
    }
    let start = ContinuousClock.now
    for commit in commits {
      let (_, fault) = store.writer.apply([commit])
      #expect(fault == nil)
    }
    let seconds = ContinuousClock.now - start
    try store.writer.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    let pages = try store.writer.database.number("PRAGMA page_count")
    let free = try store.writer.database.number("PRAGMA freelist_count")
    let size = (pages - free) * 16384
    let packed = try store.writer.database.number("SELECT total(length(packed)) FROM chunk")
    print(
      """
      FIGURE store: \(perCommit) entries a commit: \(Double(size) / Double(total)) bytes an entry in use, \
      \(Double(pages * 16384) / Double(total)) in the file, \(Double(packed) / Double(total)) packed; \
      \(total) entries in \(seconds)
      """)
    #expect(Double(size) / Double(total) < 260)
  }
}
