// Owns: why a data directory cannot be opened, each as what happened, why, and the fix.
import TallyLog

public enum StoreError: Error, Hashable, Sendable {
  /// Another process holds the directory's lock.
  case locked(path: String)
  /// A file or directory that others may read.
  case exposed(path: String, mode: UInt32, isDirectory: Bool)
  /// A file whose content is not what its name says.
  case malformed(path: String, why: String)
  /// The database was written by a newer Tally.
  case newerSchema(path: String, found: Int64, known: Int64)
  /// The file is an SQLite database, but not a ledger.
  case notOurs(path: String)
  case file(FileError)
  case store(StoreFault)
}

extension StoreError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .locked(let path):
      """
      \(path) is in use: another tallyd has locked it. Stop that one (`tally down`) or choose another --data \
      directory.
      """
    case .exposed(let path, let mode, let isDirectory):
      """
      \(path) may be read by others (mode \(String(mode, radix: 8))): it would give away this host's key. \
      Fix: chmod \(isDirectory ? "700" : "600") \(path)
      """
    case .malformed(let path, let why):
      "\(path) is damaged: \(why). Restore it from a backup, or move it away to begin anew."
    case .newerSchema(let path, let found, let known):
      """
      \(path) has schema \(found), this tallyd knows up to \(known): it was written by a newer version. \
      Install that version again; going back is not supported.
      """
    case .notOurs(let path):
      "\(path) is a database, but not Tally's. Move it away, or choose another --data directory."
    case .file(let error): "\(error). Check that the disk is mounted, writable and not full."
    case .store(.full(let detail)): "No space for the ledger: \(detail). Free some space and start again."
    case .store(.broken(let detail)): "The ledger cannot be used: \(detail). Check the disk; restore from a backup."
    }
  }
}

extension StoreError {
  /// Runs file calls; what they throw becomes `.file`.
  static func filed<Result: ~Copyable>(
    _ body: () throws(FileError) -> Result
  ) throws(StoreError) -> Result {
    do throws(FileError) { return try body() } catch { throw .file(error) }
  }
}
