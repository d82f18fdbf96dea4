// Owns: what the node is told at its start: feeds, small values, the guard's verdict; then the entries themselves.
// DESIGN section 9, restore guard.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

extension StoreWriter {
  /// Reads what is stored and holds it against the guard file, which is rewritten when it was behind. Once, before the
  /// first commit. O(feeds · log entries): the peaks are stored with each feed's newest head and checked against it.
  public mutating func recover() throws(StoreError) -> Recovered {
    do throws(StoreFault) {
      let feeds = try recoverFeeds()
      let values = try recoverValues()
      let guardState = try judgeGuard(isEmpty: feeds.isEmpty)
      return Recovered(feeds: feeds, values: values, guardState: guardState, wasClean: wasClean, isNew: isNew)
    } catch { throw .store(error) }
  }

  /// Hands over every stored entry: feed by feed in the order of their IDs, each from 0, in runs of at most 256.
  public mutating func replay(
    _ body: (_ feed: FeedID, _ from: UInt64, _ entries: [Entry]) -> Void
  ) throws(StoreError) {
    do throws(StoreFault) {
      var last: [UInt8] = []
      while true {
        let page = try feeds(after: last)
        for state in page {
          var next: UInt64 = 0
          while let run = try History.run(&database, state, holding: next) {
            body(state.row.feed, run.from, run.entries)
            next = run.head.size
          }
        }
        guard let end = page.last else { return }
        last = end.row.feed.bytes
      }
    } catch { throw .store(error) }
  }

  /// The next 256 feeds by ID.
  private mutating func feeds(after last: [UInt8]) throws(StoreFault) -> [FeedState] {
    var page: [FeedState] = []
    try database.rows(.selectFeedsFrom, [.blob(last)]) { row throws(StoreFault) in
      page.append(try FeedState(row))
      return true
    }
    return page
  }

  private mutating func recoverFeeds() throws(StoreFault) -> [RecoveredFeed] {
    var result: [RecoveredFeed] = []
    var last: [UInt8] = []
    while true {
      let page = try feeds(after: last)
      for state in page {
        result.append(
          RecoveredFeed(
            row: state.row, frontier: state.frontier, head: state.head, forkIndex: state.forkIndex,
            forkProof: state.forkProof, acknowledgements: try acknowledgements(of: state.number)))
      }
      guard let end = page.last else { return result }
      last = end.row.feed.bytes
    }
  }

  private mutating func acknowledgements(
    of number: Int64
  ) throws(StoreFault) -> [RecoveredFeed.Acknowledgement] {
    var result: [RecoveredFeed.Acknowledgement] = []
    try database.rows(.selectAcknowledged, [.integer(number)]) { row throws(StoreFault) in
      guard let host = PublicKey(row.blob(0)) else {
        throw .broken(detail: "an acknowledgement of feed \(number) is damaged")
      }
      result.append(RecoveredFeed.Acknowledgement(by: host, size: UInt64(bitPattern: row.integer(1))))
      return true
    }
    return result
  }

  private mutating func recoverValues() throws(StoreFault) -> [Recovered.Value] {
    var values: [Recovered.Value] = []
    try database.rows(.selectValues) { row throws(StoreFault) in
      // A table that a newer version added under the same schema is left alone.
      if let table = StoreTable(rawValue: UInt8(truncatingIfNeeded: row.integer(0))) {
        values.append(Recovered.Value(table: table, key: row.blob(1), value: row.blob(2)))
      }
      return true
    }
    return values
  }

  // MARK: The guard

  /// The file against the marks the database holds (one an incarnation, the newest last begun).
  private mutating func judgeGuard(isEmpty: Bool) throws(StoreFault) -> GuardState {
    let marks = try guardMarks()
    let content: GuardFile.Content
    do throws(FileError) { content = try guardFile.read() } catch { throw error.fault }
    guard let newest = marks.first else {
      switch content {
      case .none: return .firstStart
      case .missing where isEmpty:
        try rewriteGuard(GuardFile.none)
        return .firstStart
      case .missing, .damaged: return .rollback(file: nil)
      case .mark(let mark): return .rollback(file: mark)
      }
    }
    switch content {
    case .missing, .damaged: return .rollback(file: nil)
    case .none: break
    case .mark(let mark):
      if mark == newest { return .settled(newest) }
      guard try isPrefix(mark, of: newest, known: marks) else { return .rollback(file: mark) }
    }
    try rewriteGuard(newest)
    return .settled(newest)
  }

  /// Whether the database has gone on from `mark`: the same incarnation, not larger, the same root at that size; or an
  /// incarnation that this database had left before it began the newest.
  private mutating func isPrefix(
    _ mark: GuardMark, of newest: GuardMark, known: [GuardMark]
  ) throws(StoreFault) -> Bool {
    if mark.incarnation != newest.incarnation { return known.contains { $0.incarnation == mark.incarnation } }
    guard mark.size <= newest.size, let state = try ownFeed(incarnation: mark.incarnation), mark.size <= state.size
    else { return false }
    var tree = TreeReader(state)
    return try tree.root(&database, 0..<mark.size) == mark.root
  }

  private mutating func ownFeed(incarnation: UInt64) throws(StoreFault) -> FeedState? {
    var found: FeedState?
    try database.rows(.selectOwnFeed, [.integer(Int64(bitPattern: incarnation))]) { row throws(StoreFault) in
      found = try FeedState(row)
      return false
    }
    return found
  }

  private mutating func guardMarks() throws(StoreFault) -> [GuardMark] {
    var marks: [GuardMark] = []
    try database.rows(.selectGuards) { row throws(StoreFault) in
      guard let root = Digest(row.blob(2)) else { throw .broken(detail: "a guard row is damaged") }
      marks.append(
        GuardMark(
          incarnation: UInt64(bitPattern: row.integer(0)), size: UInt64(bitPattern: row.integer(1)), root: root))
      return true
    }
    return marks
  }

  private func rewriteGuard(_ mark: GuardMark) throws(StoreFault) {
    try guardFile.prepare(mark)
    try guardFile.publish()
  }
}
