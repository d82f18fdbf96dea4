// Owns: a real store in a scratch directory, opened as the daemon opens it. Refuses to know: what is stored.
import TallyBase
import TallyLog
import TallyStore

struct BenchStore: ~Copyable {
  let directory: DataDirectory
  var writer: StoreWriter
  let recovered: Recovered
  private var number: UInt64 = 0

  init(_ path: String) throws {
    let directory = try DataDirectory(path)
    var writer = try StoreWriter(directory)
    recovered = try writer.recover()
    self.writer = writer
    self.directory = directory
  }

  /// Makes one commit of each list durable, together; returns the last one's number.
  @discardableResult
  mutating func commit(_ lists: [[StoreOperation]], mark: GuardMark? = nil) -> UInt64 {
    let commits = lists.map { operations in
      number += 1
      return Commit(number: number, operations: operations, guardMark: mark)
    }
    let (through, fault) = writer.apply(commits)
    precondition(through == number && fault == nil, "the store failed: \(String(describing: fault))")
    return through
  }

  consuming func close() throws {
    try writer.close()
    try directory.close()
  }
}
