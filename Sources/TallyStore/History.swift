// Owns: reading entries, heads and hashes back out of tail, chunks and nodes; used by writer and reader alike.
// Refuses to know: who asks, and transactions: the caller holds one when several reads must agree.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

enum History {
  /// One chunk, or the tail seen as one.
  struct Run {
    let from: UInt64
    let entries: [Entry]
    let head: Head
  }

  static func feed(_ database: inout SQLiteDatabase, _ feed: FeedID) throws(StoreFault) -> FeedState? {
    var found: FeedState?
    try database.rows(.selectFeed, [.blob(feed.bytes)]) { row throws(StoreFault) in
      found = try FeedState(row)
      return false
    }
    return found
  }

  /// Entries of the tail, exactly this range of indexes.
  static func tail(
    _ database: inout SQLiteDatabase, _ number: Int64, _ range: Range<UInt64>
  ) throws(StoreFault) -> [Entry] {
    var entries: [Entry] = []
    let low = Schema.key(number, range.lowerBound)
    try database.rows(
      .selectTail, [.integer(low), .integer(Schema.key(number, range.upperBound))]
    ) { row throws(StoreFault) in
      guard row.integer(0) == low + Int64(entries.count) else {
        throw .broken(detail: "tail of feed \(number): entry \(range.lowerBound) + \(entries.count) is missing")
      }
      do throws(DecodeError) { entries.append(try Entry(preimage: row.blob(1))) } catch {
        throw .broken(detail: "tail of feed \(number), key \(row.integer(0)): \(error)")
      }
      return true
    }
    guard entries.count == range.count else { throw .broken(detail: "tail of feed \(number) is short") }
    return entries
  }

  /// The run that holds `index`; nil beyond the end.
  static func run(
    _ database: inout SQLiteDatabase, _ state: FeedState, holding index: UInt64
  ) throws(StoreFault) -> Run? {
    guard index < state.size, let head = state.head else { return nil }
    if index >= state.tailFrom {
      let entries = try tail(&database, state.number, state.tailFrom..<state.size)
      return Run(from: state.tailFrom, entries: entries, head: head)
    }
    var found: Run?
    let keys: [SQLiteValue] = [
      .integer(Schema.key(state.number, index)), .integer(Schema.key(state.number, 0)),
    ]
    try database.rows(.selectChunkAt, keys) { row throws(StoreFault) in
      found = try chunk(row, of: state.row.feed)
      return false
    }
    guard let run = found, index < run.head.size else {
      throw .broken(detail: "feed \(state.row.feed): no chunk holds entry \(index)")
    }
    return run
  }

  private static func chunk(_ row: borrowing SQLiteRow, of feed: FeedID) throws(StoreFault) -> Run {
    let from = Schema.place(of: row.integer(0))
    let size = UInt64(bitPattern: row.integer(1))
    let entries: [Entry]
    do throws(DecodeError) { entries = try PackedChunk.decode(row.blob(4)) } catch {
      throw .broken(detail: "chunk of feed \(feed) at \(from): \(error)")
    }
    guard let root = Digest(row.blob(2)), let signature = Signature(row.blob(3)),
      from + UInt64(entries.count) == size
    else { throw .broken(detail: "chunk of feed \(feed) at \(from) is damaged") }
    return Run(from: from, entries: entries, head: Head(feed: feed, size: size, root: root, signature: signature))
  }

  /// Hashes of the leaves in `range`, which lies within the feed.
  static func leaves(
    _ database: inout SQLiteDatabase, _ state: FeedState, _ range: Range<UInt64>
  ) throws(StoreFault) -> [Digest] {
    var leaves: [Digest] = []
    var next = range.lowerBound
    while next < range.upperBound {
      guard let run = try run(&database, state, holding: next) else {
        throw .broken(detail: "feed \(state.row.feed): entry \(next) of \(state.size) is missing")
      }
      let end = min(run.head.size, range.upperBound)
      for entry in run.entries[Int(next - run.from)..<Int(end - run.from)] {
        leaves.append(SHA256Hash.leaf(entry.preimage))
      }
      next = end
    }
    return leaves
  }
}
