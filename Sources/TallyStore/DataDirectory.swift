// Owns: the data directory of one host: its lock, the identity's seed, the mark of a clean end. DESIGN section 11.
// Refuses to know: what is in the database, and how a seed becomes a key.
import Glibc
import TallyLog

/// Holds the lock on a data directory for as long as it lives. One process per directory.
public struct DataDirectory: ~Copyable, Sendable {
  public let path: String
  /// False after a crash. True for a directory that was never opened before.
  public let wasClean: Bool
  /// True when this directory has never been opened before.
  public let isNew: Bool
  private let lock: FileHandle

  /// Bytes of an identity's seed.
  public static let seedBytes = 32

  var databasePath: String { path + "/ledger.db" }
  var guardPath: String { path + "/guard" }
  var blobsPath: String { path + "/blobs" }
  private var identityPath: String { path + "/identity.key" }
  private var cleanPath: String { path + "/clean" }

  /// Makes the directory (0700; its parent must be there) or opens it, takes the lock, and removes the mark of the
  /// last clean end. Throws `.locked` when another process has it, `.exposed` when others may read it.
  public init(_ path: String) throws(StoreError) {
    try Self.prepare(path)
    let lockStatus = try StoreError.filed { () throws(FileError) in try FileStorage.statusIfAny(path + "/lock") }
    let opened = try StoreError.filed { () throws(FileError) in
      try FileHandle(path + "/lock", O_RDWR | O_CREAT)
    }
    let isOurs = try StoreError.filed { () throws(FileError) in try Self.lockSoon(opened) }
    guard isOurs else { throw .locked(path: path) }
    let (hasDatabase, hasMark) = try StoreError.filed { () throws(FileError) in
      let database = try FileStorage.statusIfAny(path + "/ledger.db")
      let mark = try FileStorage.statusIfAny(path + "/clean")
      try FileStorage.remove(path + "/clean")
      try FileStorage.syncDirectory(path)
      return (database != nil, mark != nil)
    }
    // A local: an autoclosure (`||`) over the half-made noncopyable self makes Swift 6.3.1 destroy it once too often.
    let isFirst = lockStatus == nil && !hasDatabase
    self.path = path
    isNew = isFirst
    wasClean = hasMark || isFirst
    lock = opened
  }

  /// A daemon that is just ending, or a child of ours between fork and exec, may hold the lock for a moment longer.
  private static func lockSoon(_ file: borrowing FileHandle) throws(FileError) -> Bool {
    for _ in 0..<StoreLimits.lockTries {
      if try file.tryLock() { return true }
      usleep(10_000)
    }
    return false
  }

  /// An empty directory of looser permissions is tightened; one that holds something is refused.
  private static func prepare(_ path: String) throws(StoreError) {
    let mode = try StoreError.filed { () throws(FileError) -> mode_t? in
      guard let status = try FileStorage.statusIfAny(path) else {
        try FileStorage.makeDirectory(path)
        return nil
      }
      if !status.isDirectory { throw FileError(call: "open directory", path: path, code: ENOTDIR) }
      if status.permissions & 0o077 == 0 { return nil }
      if try !FileStorage.list(path).isEmpty { return status.permissions }
      try FileStorage.setPermissions(path, 0o700)
      return nil
    }
    if let mode { throw .exposed(path: path, mode: mode, isDirectory: true) }
  }

  /// The 32-byte seed of this host's identity; nil when there is none yet. Throws `.exposed` when group or world may
  /// read the file, `.malformed` when it does not hold exactly 32 bytes.
  public borrowing func identitySeed() throws(StoreError) -> [UInt8]? {
    let path = identityPath
    let status = try StoreError.filed { () throws(FileError) in try FileStorage.statusIfAny(path) }
    guard let status else { return nil }
    if status.permissions & 0o077 != 0 {
      throw .exposed(path: path, mode: status.permissions, isDirectory: false)
    }
    let seed = try StoreError.filed { () throws(FileError) in
      try FileStorage.readIfAny(path, limit: Self.seedBytes + 1) ?? []
    }
    guard seed.count == Self.seedBytes else {
      throw .malformed(path: path, why: "an identity is exactly \(Self.seedBytes) bytes, this has \(seed.count)")
    }
    return seed
  }

  /// Writes the seed of a new identity, 0600, synced with its name. There must be none yet.
  public borrowing func createIdentity(seed: [UInt8]) throws(StoreError) {
    precondition(seed.count == Self.seedBytes, "a seed of \(seed.count) bytes")
    if try identitySeed() != nil { throw .malformed(path: identityPath, why: "there is an identity already") }
    do throws(FileError) {
      let temporary = identityPath + ".new"
      let file = try FileHandle(temporary, O_WRONLY | O_CREAT | O_TRUNC)
      try FileStorage.setPermissions(temporary, 0o600)
      try file.write(seed, at: 0)
      try file.sync()
      try Failpoint.reach(file: .identityAfterSync)
      try FileStorage.rename(temporary, to: identityPath)
      try Failpoint.reach(file: .identityAfterRename)
      try FileStorage.syncDirectory(path)
    } catch { throw .file(error) }
  }

  /// Marks this end as clean, last of all: behind the close of the writer, the reader and the blobs.
  public consuming func close() throws(StoreError) {
    do throws(FileError) {
      try Failpoint.reach(file: .cleanBeforeMark)
      try FileHandle(cleanPath, O_WRONLY | O_CREAT).sync()
      try FileStorage.syncDirectory(path)
      try Failpoint.reach(file: .cleanAfterMark)
    } catch { throw .file(error) }
  }
}
