// Owns: the one connection that writes: commits in, durability out. Used on the writer's thread.
// Durability order: guard text written and synced beside its file → COMMIT (write-ahead log synced) → guard renamed
// into place, directory synced → success reported. DESIGN sections 9 and 11.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

public struct StoreWriter: ~Copyable, Sendable {
  var database: SQLiteDatabase
  let guardFile: GuardFile
  /// Of feeds written lately. Emptied when it is full, and after any fault.
  var feeds: [FeedID: FeedState] = [:]
  /// Set by the first fault: every commit is refused with it, until `resume` when it was "full".
  var refusal: StoreFault?
  /// Pages in the log at which a checkpoint is due; tests lower it.
  var walPagesDue = StoreLimits.walPages
  let wasClean: Bool
  let isNew: Bool

  /// Opens the database of a locked directory, or makes it.
  public init(_ directory: borrowing DataDirectory) throws(StoreError) {
    let path = directory.databasePath
    var opened = try SQLiteDatabase(path: path, role: .writer)
    // The log and the shared index beside it take their mode from the database.
    try StoreError.filed { () throws(FileError) in try FileStorage.setPermissions(path, 0o600) }
    try Schema.prepare(&opened, path: directory.databasePath)
    database = opened
    guardFile = GuardFile(path: directory.guardPath, directory: directory.path)
    wasClean = directory.wasClean
    isNew = directory.isNew
  }

  /// Makes commits durable, several in one transaction of at most `StoreLimits.transactionBytes`. `through` is the
  /// number of the last durable commit (the one before the first when none is). After a fault nothing more is stored:
  /// `.full` is lifted by `resume`, `.broken` never.
  /// A commit that is not contiguous with what is stored is the node's own mistake and traps.
  public mutating func apply(_ commits: [Commit]) -> (through: UInt64, fault: StoreFault?) {
    guard let first = commits.first else { return (0, refusal) }
    var through = first.number - 1
    if let refusal { return (through, refusal) }
    var next = 0
    while next < commits.count {
      var bytes = commits[next].estimatedBytes
      var end = next + 1
      while end < commits.count, bytes + commits[end].estimatedBytes <= StoreLimits.transactionBytes {
        bytes += commits[end].estimatedBytes
        end += 1
      }
      do throws(StoreFault) {
        try transact(commits[next..<end])
        through = commits[end - 1].number
        try checkpointIfDue()
      } catch {
        refusal = error
        feeds = [:]
        return (through, error)
      }
      next = end
    }
    return (through, nil)
  }

  /// Accepts commits again after `.full`. The shell calls it when the node has handled the failure, so that no commit
  /// made before that is stored behind the hole.
  public mutating func resume() {
    if case .full = refusal { refusal = nil }
  }

  /// Copies the log into the database and closes it. A full disk leaves the log beside it, to be read at the next
  /// start: nothing is lost.
  public consuming func close() throws(StoreFault) {
    do throws(StoreFault) { try database.checkpoint(.truncate) } catch {
      if case .broken = error { throw error }
    }
  }

  /// One transaction and its guard. Throws `.full` only when the transaction was rolled back.
  private mutating func transact(_ commits: ArraySlice<Commit>) throws(StoreFault) {
    let mark = commits.last { $0.guardMark != nil }?.guardMark
    do throws(StoreFault) {
      try Failpoint.reach(.storeBegin)
      try database.run(.begin)
      for commit in commits { try perform(commit) }
      if let mark { try guardFile.prepare(mark) }
      try Failpoint.reach(.storeBeforeCommit)
      try database.run(.commit)
    } catch {
      let fault = error
      do throws(StoreFault) { try database.rollback() } catch { throw error.asBroken }
      throw fault
    }
    do throws(StoreFault) {
      try Failpoint.reach(.storeAfterCommit)
      if mark != nil { try guardFile.publish() }
    } catch {
      throw error.asBroken
    }
  }

  /// A full disk leaves the log as it is, to be tried again behind the next transaction; a failed sync is the end.
  private mutating func checkpointIfDue() throws(StoreFault) {
    guard database.walPages >= walPagesDue else { return }
    do throws(StoreFault) {
      try Failpoint.reach(.storeBeforeCheckpoint)
      try database.checkpoint(database.walPages >= StoreLimits.walPagesHard ? .truncate : .passive)
      try Failpoint.reach(.storeAfterCheckpoint)
    } catch {
      if case .broken = error { throw error }
    }
  }

  private mutating func perform(_ commit: Commit) throws(StoreFault) {
    for operation in commit.operations {
      try Failpoint.reach(.storeOperation)
      switch operation {
      case .feed(let row): try insert(row)
      case .entries(let feed, let from, let entries, let head): try append(entries, from: from, head: head, to: feed)
      case .forkProof(let feed, let index, let proof):
        let number = try state(of: feed).number
        try database.run(.updateFork, [.integer(number), .integer(Int64(bitPattern: index)), .blob(proof)])
      case .acknowledged(let feed, let host, let size):
        let number = try state(of: feed).number
        try database.run(.upsertAcknowledged, [.integer(number), .blob(host.bytes), .integer(Int64(bitPattern: size))])
      case .put(let table, let key, let value):
        precondition(value.count <= StoreLimits.valueBytes, "a value of \(value.count) bytes in \(table)")
        try database.run(.upsertValue, [.integer(Int64(table.rawValue)), .blob(key), .blob(value)])
      case .delete(let table, let key):
        try database.run(.deleteValue, [.integer(Int64(table.rawValue)), .blob(key)])
      }
    }
    guard let mark = commit.guardMark else { return }
    try database.run(
      .upsertGuard,
      [.integer(Int64(bitPattern: mark.incarnation)), .integer(Int64(bitPattern: mark.size)), .blob(mark.root.bytes)])
  }

  private mutating func insert(_ row: FeedRow) throws(StoreFault) {
    try database.run(
      .insertFeed,
      [
        .blob(row.feed.bytes), .blob(row.author.bytes), .integer(Int64(bitPattern: row.incarnation)),
        .integer(Int64(row.reason.rawValue)),
      ])
  }
}

extension StoreFault {
  /// The same cause where the transaction cannot be taken back any more.
  var asBroken: StoreFault {
    switch self {
    case .full(let detail), .broken(let detail): .broken(detail: detail)
    }
  }
}

extension Commit {
  /// About what it takes in a transaction, in bytes.
  var estimatedBytes: Int {
    var total = 0
    for operation in operations {
      switch operation {
      case .entries(_, _, let entries, _): for entry in entries { total += entry.preimageCount + 16 }
      case .forkProof(_, _, let proof): total += proof.count
      case .put(_, let key, let value): total += key.count + value.count + 16
      case .feed, .acknowledged, .delete: total += 128
      }
    }
    return total
  }
}
