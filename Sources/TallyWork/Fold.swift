// Owns: the state of jobs, evidence and balances as a pure function of a grow-only set of entries: same set, same
// state, in any order (a state-based CRDT whose merge is set union; Shapiro et al. 2011).
// Refuses to know: signatures, storage, time. Whoever calls has checked that the entries stand in their feeds.
// DESIGN section 10.

import TallyBase
import TallyCrypto
import TallyWire

/// Incremental: one entry costs O(log n) and a few hashes, whatever came before. Entries whose link targets are not
/// here wait for them. Everything that is shown is sorted by content, so no order of arrival can be seen.
public struct Fold: Sendable {
  /// The set: every entry that parsed, whether it counts yet or not.
  var statements: [Statement] = []
  /// What is derived of each statement; as long as `statements`.
  var progress: [Progress] = []
  var places: [Place: Int32] = [:]
  var waiting: [Place: [Waiter]] = [:]
  /// Forked feeds: only entries below the index enter.
  var cuts: [FeedID: UInt64] = [:]
  /// One more than the highest index that entered, by feed.
  var tops: [FeedID: UInt64] = [:]

  var jobs: [Job] = []
  var jobByID: [EntryID: Int32] = [:]
  /// Indexes of `jobs` and of record statements, by (shown time, ID).
  var jobOrder: [Int32] = []
  var recordOrder: [Int32] = []
  var recordByID: [EntryID: Int32] = [:]
  var cells: [TaskKey: Cell] = [:]
  var paid: [PaidKey: UInt64] = [:]
  var accounts: [AccountKey: Account] = [:]
  var tally = FoldCounts()
  var sum = SetSum()

  public init() {}

  /// Takes one entry that stands at `index` of `feed` under the leaf hash `leaf`. Repeating it, in any order, changes
  /// nothing; kinds that are not folded and bodies that do not parse change nothing either.
  public mutating func apply(feed: FeedID, author: PublicKey, index: UInt64, leaf: Digest, entry: Entry) {
    if let cut = cuts[feed], index >= cut { return }
    guard let what = Self.parse(entry) else { return }
    add(Statement(
      place: Place(feed: feed, index: index), leaf: leaf, author: author, timeMs: entry.timeMs,
      targets: entry.links, what: what))
  }

  /// The feed forked at `index`: entries at or above it leave the set, and none will enter. The least index holds.
  /// O(n) when such an entry was here, else O(1).
  public mutating func dropFrom(feed: FeedID, index: UInt64) {
    if let cut = cuts[feed], cut <= index { return }
    cuts[feed] = index
    guard let top = tops[feed], top > index else { return }
    var rebuilt = Fold()
    rebuilt.cuts = cuts
    for statement in statements where statement.place.feed != feed || statement.place.index < index {
      rebuilt.add(statement)
    }
    self = rebuilt
  }

  /// What counts of each kind; `waiting` is links whose target is not here or does not count yet. O(waiting).
  public var counts: FoldCounts {
    var counts = tally
    counts.waiting = 0
    for (place, waiters) in waiting {
      // A link to another leaf than the one that came waits for nothing, whichever came first.
      let leaf = places[place].map { statements[Int($0)].leaf }
      for waiter in waiters where leaf == nil || leaf == target(of: waiter).leaf { counts.waiting += 1 }
    }
    return counts
  }

  private func target(of waiter: Waiter) -> EntryLink {
    let statement = statements[Int(waiter.statement)]
    guard case .accept(let body) = statement.what else { return statement.targets[0] }
    return statement.targets[Int(body.items[Int(waiter.part)].link)]
  }

  private mutating func add(_ statement: Statement) {
    // One entry a place: the first wins. Two with different leaves are a fork, and `dropFrom` removes both.
    guard places[statement.place] == nil else { return }
    precondition(statements.count < Int(Int32.max), "more than 2^31 statements")
    let number = Int32(statements.count)
    statements.append(statement)
    progress.append(Progress())
    places[statement.place] = number
    tops[statement.place.feed] = max(tops[statement.place.feed] ?? 0, statement.place.index + 1)
    settle(number)
  }

  /// Counts the new statement if its targets do, then everything that waited for it, and so on. No recursion.
  private mutating func settle(_ number: Int32) {
    var queue: [Waiter] = []
    if case .accept(let body) = statements[Int(number)].what {
      for part in body.items.indices { queue.append(Waiter(statement: number, part: UInt8(part))) }
    } else {
      queue.append(Waiter(statement: number, part: 0))
    }
    while let waiter = queue.popLast() {
      guard consider(waiter) else { continue }
      progress[Int(waiter.statement)].counts = true
      let place = statements[Int(waiter.statement)].place
      if let woken = waiting.removeValue(forKey: place) { queue.append(contentsOf: woken) }
    }
  }

  /// nil for kinds that are not folded, bodies that do not parse and entries with the wrong count of links.
  private static func parse(_ entry: Entry) -> What? {
    let links = entry.links.count
    do {
      switch (entry.kind, links) {
      case (.jobPost, 0): return .post(try JobPostBody.decode(entry.body))
      case (.jobCancel, 1): return .cancel(try JobCancelBody.decode(entry.body))
      case (.leaseGrant, 1): return .grant(try LeaseGrantBody.decode(entry.body))
      case (.workClaim, 1): return .claim(try WorkClaimBody.decode(entry.body))
      case (.workFail, 1): return .fail(try WorkFailBody.decode(entry.body))
      case (.accept, 1...WorkLimits.acceptItemsMax): return .accept(try AcceptBody.decode(entry.body, links: links))
      case (.refuse, 1): return .refuse(try RefuseBody.decode(entry.body))
      case (.record, _):
        let isKept = entry.body.count <= FoldLimits.recordBodyBytes
        return .record(body: isKept ? entry.body : [], count: entry.body.count)
      default: return nil
      }
    } catch {
      // A peer's mistake, the same for everyone: a no-op by the rules.
      return nil
    }
  }
}
