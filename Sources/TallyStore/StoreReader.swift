// Owns: the one connection that answers slow reads, on the reader's thread, from one snapshot a question.
// DESIGN sections 2 and 11.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

public struct StoreReader: ~Copyable, Sendable {
  private var database: SQLiteDatabase

  /// Opens the database of a locked directory; a `StoreWriter` has opened it before.
  public init(_ directory: borrowing DataDirectory) throws(StoreError) {
    var opened = try SQLiteDatabase(path: directory.databasePath, role: .reader)
    do throws(StoreFault) {
      try opened.execute(Schema.pragmas + "PRAGMA query_only = ON;")
    } catch { throw .store(error) }
    database = opened
  }

  public mutating func answer(_ request: ReadRequest) -> ReadResult {
    do throws(StoreFault) {
      try database.run(.beginRead)
      let answer = try look(request.question)
      try database.run(.commit)
      return ReadResult(id: request.id, answer: answer)
    } catch {
      // What the rollback of a read says adds nothing to the fault that is answered.
      let fault = error
      do throws(StoreFault) { try database.rollback() } catch {
        return ReadResult(id: request.id, answer: .failed(fault))
      }
      return ReadResult(id: request.id, answer: .failed(error))
    }
  }

  private mutating func look(_ question: ReadRequest.Question) throws(StoreFault) -> ReadResult.Answer {
    switch question {
    case .range(let feed, let from, let to):
      guard let state = try History.feed(&database, feed), from < to, from < state.size else { return .absent }
      return try range(state, from: from, to: to)
    case .entry(let feed, let index):
      guard let state = try History.feed(&database, feed),
        let run = try History.run(&database, state, holding: index)
      else { return .absent }
      return .entry(feed: feed, index: index, entry: run.entries[Int(index - run.from)])
    case .inclusion(let feed, let index, let size):
      guard let state = try History.feed(&database, feed), index < size, size <= state.size else { return .absent }
      var tree = TreeReader(state)
      let path = try tree.path(&database, index: index, size: size)
      let leaf = try tree.leaf(&database, index)
      return .inclusion(feed: feed, index: index, size: size, leaf: leaf, path: path)
    case .root(let feed, let size):
      guard let state = try History.feed(&database, feed), size <= state.size else { return .absent }
      var tree = TreeReader(state)
      return .root(feed: feed, size: size, root: try tree.root(&database, 0..<size))
    case .headAtLeast(let feed, let size):
      guard let state = try History.feed(&database, feed), size <= state.size, let head = state.head else {
        return .absent
      }
      if size > state.tailFrom || size == state.size { return .head(head) }
      let run = try History.run(&database, state, holding: max(size, 1) - 1)
      return run.map { .head($0.head) } ?? .absent
    case .value(let table, let key):
      return try value(table, key)
    }
  }

  /// The longest run from `from` that ends at a kept head not above `to`, within a chunk's limits. When no kept head
  /// lies in `from+1 ... to`, the run ends at the first one behind: a peer that named a head which was merged away is
  /// still served.
  private mutating func range(
    _ state: FeedState, from: UInt64, to: UInt64
  ) throws(StoreFault) -> ReadResult.Answer {
    var entries: [Entry] = []
    var bytes = 2
    var end: Head?
    var next = from
    while let run = try History.run(&database, state, holding: next) {
      let part = run.entries[Int(next - run.from)...]
      let partBytes = part.reduce(0) { $0 + $1.packedBound }
      let fits = entries.count + part.count <= StoreLimits.chunkEntries && bytes + partBytes <= StoreLimits.chunkBytes
      if end != nil && (!fits || run.head.size > to) { break }
      entries.append(contentsOf: part)
      bytes += partBytes
      end = run.head
      next = run.head.size
      if next >= to { break }
    }
    guard let head = end else { return .absent }
    return .range(feed: state.row.feed, from: from, entries: entries, head: head)
  }

  private mutating func value(_ table: StoreTable, _ key: [UInt8]) throws(StoreFault) -> ReadResult.Answer {
    var found: [UInt8]?
    try database.rows(.selectValue, [.integer(Int64(table.rawValue)), .blob(key)]) { row throws(StoreFault) in
      found = row.blob(0)
      return false
    }
    return found.map { .value($0) } ?? .absent
  }
}
