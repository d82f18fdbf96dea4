import Foundation
import TallyBase
import TallyLog
import Testing

@testable import TallyStore

@Suite struct DirectoryTests {
  private func mode(_ path: String) throws -> Int {
    try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
  }

  /// What opening `path` throws; nil when it opens.
  private func refusal(_ path: String) -> StoreError? {
    do throws(StoreError) {
      let store = try OpenStore(path)
      _ = store.recovered.isNew
      return nil
    } catch { return error }
  }

  @Test func aSecondOpenerIsRefused() throws {
    let scratch = try Scratch()
    let first = try DataDirectory(scratch.data)
    let error = refusal(scratch.data)
    #expect(error == .locked(path: scratch.data))
    let text = error?.description ?? ""
    #expect(text.contains(scratch.data) && text.contains("tally down"), "what, why and the fix: \(text)")
    try first.close()
    #expect(refusal(scratch.data) == nil)
  }

  @Test func permissions() throws {
    let scratch = try Scratch()
    try DataDirectory(scratch.data).close()
    #expect(try mode(scratch.data) == 0o700)
    try FileManager.default.setAttributes([.posixPermissions: 0o750], ofItemAtPath: scratch.data)
    #expect(refusal(scratch.data) == .exposed(path: scratch.data, mode: 0o750, isDirectory: true))
    #expect(refusal(scratch.data)?.description.contains("chmod 700") == true)
    let empty = scratch.path + "/empty"
    try FileManager.default.createDirectory(
      atPath: empty, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
    #expect(refusal(empty) == nil)
    #expect(try mode(empty) == 0o700)
    let file = scratch.path + "/file"
    try Data().write(to: URL(fileURLWithPath: file))
    #expect(refusal(file)?.description.contains("open directory") == true)
    #expect(refusal(scratch.path + "/none/below") != nil)
  }

  @Test func theIdentityIsMadeOnceAndReadBack() throws {
    let scratch = try Scratch()
    let directory = try DataDirectory(scratch.data)
    #expect(try directory.identitySeed() == nil)
    let seed = (0..<32).map { UInt8($0) }
    try directory.createIdentity(seed: seed)
    #expect(try directory.identitySeed() == seed)
    #expect(throws: StoreError.self) { try directory.createIdentity(seed: seed) }
    let path = scratch.data + "/identity.key"
    #expect(try mode(path) == 0o600)
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
    #expect(throws: StoreError.exposed(path: path, mode: 0o640, isDirectory: false)) {
      try directory.identitySeed()
    }
    for count in [0, 31, 33] {
      try Data(repeating: 1, count: count).write(to: URL(fileURLWithPath: path))
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
      do throws(StoreError) {
        _ = try directory.identitySeed()
        Issue.record("\(count) bytes taken as a seed")
      } catch {
        guard case .malformed = error else {
          Issue.record("\(error)")
          continue
        }
      }
    }
  }

  @Test func aCrashIsReported() throws {
    let scratch = try Scratch()
    do { _ = try OpenStore(scratch.data) }
    let store = try OpenStore(scratch.data)
    #expect(!store.recovered.wasClean && !store.recovered.isNew)
    try store.close()
    #expect(try OpenStore(scratch.data).recovered.wasClean)
  }

  @Test func aNewerSchemaIsRefused() throws {
    let scratch = try Scratch()
    try OpenStore(scratch.data).close()
    let path = scratch.data + "/ledger.db"
    do {
      var database = try SQLiteDatabase(path: path, role: .writer)
      try database.execute("PRAGMA user_version = 9")
    }
    #expect(refusal(scratch.data) == .newerSchema(path: path, found: 9, known: Schema.version))
    #expect(refusal(scratch.data)?.description.contains("newer version") == true)
    do {
      var database = try SQLiteDatabase(path: path, role: .writer)
      try database.execute("PRAGMA user_version = 1; PRAGMA application_id = 7")
    }
    #expect(refusal(scratch.data) == .notOurs(path: path))
    #expect(refusal(scratch.data)?.description.contains("not Tally's") == true)
  }

  @Test func aDamagedDatabaseIsBroken() throws {
    let scratch = try Scratch()
    try OpenStore(scratch.data).close()
    try Data(repeating: 0x41, count: 40_000).write(to: URL(fileURLWithPath: scratch.data + "/ledger.db"))
    guard case .store(.broken) = refusal(scratch.data) else {
      Issue.record("\(String(describing: refusal(scratch.data)))")
      return
    }
  }

  @Test func pragmasHold() throws {
    let scratch = try Scratch()
    var store = try OpenStore(scratch.data)
    #expect(try store.writer.database.number("PRAGMA page_size") == 16384)
    #expect(try store.writer.database.number("PRAGMA synchronous") == 2)
    #expect(try store.writer.database.number("PRAGMA mmap_size") == 0)
    let isLogged = "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"
    #expect(try store.writer.database.number(isLogged) == 1)
  }

  @Test func faultsAreClassified() {
    #expect(SQLiteDatabase.classify(13, systemErrno: 0) == .full)
    #expect(SQLiteDatabase.classify(5, systemErrno: 0) == .full)
    #expect(SQLiteDatabase.classify(10 | 3 << 8, systemErrno: ENOSPC) == .full)
    #expect(SQLiteDatabase.classify(10 | 3 << 8, systemErrno: EIO) == .broken)
    #expect(SQLiteDatabase.classify(10 | 4 << 8, systemErrno: ENOSPC) == .broken, "a failed fsync is never full")
    #expect(SQLiteDatabase.classify(10 | 5 << 8, systemErrno: ENOSPC) == .broken)
    #expect(SQLiteDatabase.classify(11, systemErrno: 0) == .broken)
    let full = FileError(call: "write", path: "x", code: ENOSPC).fault
    #expect(full != full.asBroken)
    let broken = FileError(call: "fsync", path: "x", code: ENOSPC).fault
    #expect(broken == broken.asBroken, "a failed fsync is never full")
  }
}
