// One set of entries, any order, any duplication, any cut: one state, the oracle's, under one digest.

import TallyBase
import TallyWire
import TallyWork
import Testing

extension Fold {
  mutating func apply(_ placed: Placed) {
    apply(
      feed: placed.feed, author: placed.author, index: placed.index, leaf: placed.leaf, entry: placed.entry)
  }

  init(_ entries: [Placed]) {
    self.init()
    for entry in entries { apply(entry) }
  }
}

struct FoldPropertyTests {
  /// The fold's whole answer against the oracle's.
  static func expectEqual(_ fold: Fold, _ oracle: Oracle, _ comment: Comment) {
    let jobs = fold.jobs(last: .max)
    #expect(Set(jobs.map(\.id)) == Set(oracle.jobs.keys), comment)
    #expect(jobs.count == oracle.jobs.count, comment)
    #expect(
      zip(jobs, jobs.dropFirst()).allSatisfy { ($0.timeMs, $0.id) < ($1.timeMs, $1.id) }, "newest last: \(comment)")
    var claims = 0
    for job in jobs {
      guard let expected = oracle.jobs[job.id], let detail = fold.job(job.id) else {
        Issue.record("a job that the oracle lacks: \(comment)")
        continue
      }
      #expect(job.state == expected.state, comment)
      #expect(job.isCancelled == expected.cancelled, comment)
      #expect(job.nextMove == expected.move, comment)
      #expect(detail.summary == job, comment)
      for (index, state) in expected.taskStates.enumerated() {
        #expect(fold.task(TaskID(post: job.id, index: UInt32(index)))?.state == state, comment)
      }
      let sum = job.counts.accepted + job.counts.claimed + job.counts.leased + job.counts.failed + job.counts.posted
      #expect(Int(sum) == expected.taskStates.count, comment)
      for claim in detail.tasks.flatMap(\.claims) {
        claims += 1
        let answer = Oracle.ClaimAnswer(
          worker: claim.worker, job: claim.task.post, index: claim.task.index, evidence: claim.evidence,
          amount: claim.amount, refused: claim.isRefused)
        #expect(oracle.claims[claim.id] == answer, comment)
        #expect(fold.claim(claim.link) == claim, comment)
      }
    }
    #expect(claims == oracle.claims.count, comment)
    #expect(fold.balances == oracle.balances, comment)
  }

  /// Every answer of the fold, for comparing two folds in full.
  struct Everything: Equatable, CustomStringConvertible {
    var description: String { "\(counts) \(digest)" }
    let jobs: [JobSummary]
    let details: [JobDetail?]
    let balances: [Balance]
    let records: [RecordView]
    let digest: Digest
    let counts: FoldCounts

    init(_ fold: Fold) {
      jobs = fold.jobs(last: .max)
      details = jobs.map { fold.job($0.id) }
      balances = fold.balances
      records = fold.records(last: .max)
      digest = fold.digest
      counts = fold.counts
    }
  }

  @Test(arguments: 0..<40) func any_order_and_any_duplication_give_the_oracles_state(seed: UInt64) {
    var history = History(seed: seed, length: 60)
    let oracle = Oracle(history.entries)
    let reference = Everything(Fold(history.entries))
    Self.expectEqual(Fold(history.entries), oracle, "seed \(seed), in order")
    for round in 0..<6 {
      var order = history.entries
      for _ in 0..<history.generator.below(30) { order.append(order[history.generator.below(order.count)]) }
      history.generator.permute(&order)
      let fold = Fold(order)
      #expect(Everything(fold) == reference, "seed \(seed), round \(round)")
    }
    Self.expectEqual(Fold(history.entries.reversed()), oracle, "seed \(seed), reversed")
  }

  @Test(arguments: 100..<120) func partial_delivery_is_the_state_of_what_arrived(seed: UInt64) {
    var history = History(seed: seed, length: 60)
    var order = history.entries
    history.generator.permute(&order)
    let arrived = Array(order.prefix(history.generator.below(order.count)))
    var fold = Fold(arrived)
    Self.expectEqual(fold, Oracle(arrived), "seed \(seed), \(arrived.count) entries")
    #expect(Everything(fold) == Everything(Fold(arrived.reversed())), "seed \(seed)")
    for entry in order.dropFirst(arrived.count) { fold.apply(entry) }
    #expect(Everything(fold) == Everything(Fold(history.entries)), "seed \(seed), the rest")
  }

  @Test(arguments: 200..<220) func a_fork_takes_out_what_stands_at_or_above_it(seed: UInt64) {
    var history = History(seed: seed, length: 60)
    var order = history.entries
    history.generator.permute(&order)
    let feed = history.feeds[history.generator.below(history.feeds.count)]
    let index = history.generator.below(max(1, feed.size))
    let remaining = history.entries.filter { $0.feed != feed.id || $0.index < index }
    let cut = history.generator.below(order.count)
    var fold = Fold(Array(order.prefix(cut)))
    fold.dropFrom(feed: feed.id, index: index)
    Self.expectEqual(
      fold, Oracle(order.prefix(cut).filter { $0.feed != feed.id || $0.index < index }), "seed \(seed), cut \(cut)")
    for entry in order.dropFirst(cut) { fold.apply(entry) }
    // A higher fork index says nothing new; the least holds.
    fold.dropFrom(feed: feed.id, index: index + 1)
    for entry in order { fold.apply(entry) }
    #expect(Everything(fold) == Everything(Fold(remaining)), "seed \(seed)")
    Self.expectEqual(fold, Oracle(remaining), "seed \(seed), all")
  }

  @Test func different_states_have_different_digests() {
    let history = History(seed: 77, length: 80)
    var fold = Fold()
    var seen: Set<Digest> = [fold.digest]
    var last = Everything(fold)
    for entry in history.entries {
      fold.apply(entry)
      let now = Everything(fold)
      let isSame =
        now.jobs == last.jobs && now.balances == last.balances
        && now.details.map { $0?.tasks.map(\.claims) } == last.details.map { $0?.tasks.map(\.claims) }
      #expect(seen.insert(now.digest).inserted == !isSame)
      last = now
    }
    #expect(seen.count > 20)
  }

  @Test func the_generated_histories_hold_every_state() {
    var states: Set<TaskState> = []
    var refused = 0
    var unknown = 0
    for seed in 0..<40 as Range<UInt64> {
      let history = History(seed: seed, length: 60)
      let oracle = Oracle(history.entries)
      for job in oracle.jobs.values {
        states.formUnion(job.taskStates)
        if job.state == .unknownRules { unknown += 1 }
      }
      refused += oracle.claims.values.filter(\.refused).count
    }
    #expect(states == [.accepted, .claimed, .cancelled, .leased, .failed, .posted])
    #expect(refused > 0 && unknown > 0)
  }
}
