// Owns: the fold's answers. Every list is sorted by content, so that equal sets of entries are shown alike.

import TallyBase
import TallyCrypto
import TallyWire

extension Fold {
  /// The newest `last` jobs by their shown time, newest last. O(last).
  public func jobs(last: Int) -> [JobSummary] { jobOrder.suffix(max(0, last)).map { summary(ofJob: $0) } }

  public func summary(_ id: EntryID) -> JobSummary? { jobByID[id].map { summary(ofJob: $0) } }

  /// Everything about one job. O(its entries).
  public func job(_ id: EntryID) -> JobDetail? {
    guard let number = jobByID[id] else { return nil }
    let job = jobs[Int(number)]
    let tasks = job.touched.sorted().compactMap { taskView(TaskKey(job: number, index: $0)) }
    return JobDetail(summary: summary(ofJob: number), tasks: tasks, timeline: timeline(number))
  }

  /// One task; nil when the job is not here, its rules are unknown, or it has no such task.
  public func task(_ id: TaskID) -> TaskView? {
    guard let number = jobByID[id.post],
      case .post(.known(let terms, _)) = statements[Int(jobs[Int(number)].statement)].what, id.index < terms.tasks
    else { return nil }
    return taskView(TaskKey(job: number, index: id.index))
  }

  /// The claim at this place, when it counts.
  public func claim(_ link: EntryLink) -> ClaimView? {
    guard let number = places[Place(feed: link.feed, index: link.index)],
      statements[Int(number)].leaf == link.leaf, progress[Int(number)].counts
    else { return nil }
    return claimView(number)
  }

  /// IDs of jobs and records whose hexadecimal text begins with `prefix`, sorted; at most `limit`. O(n).
  public func find(prefix: String, limit: Int = 16) -> [EntryID] {
    var found: [EntryID] = []
    for id in jobByID.keys where id.hex.hasPrefix(prefix) { found.append(id) }
    for id in recordByID.keys where id.hex.hasPrefix(prefix) { found.append(id) }
    return Array(found.sorted().prefix(max(0, limit)))
  }

  /// All balances above 0, sorted by debtor, creditor, unit. O(n log n) in their count.
  public var balances: [Balance] {
    let keys = accounts.keys.sorted { left, right in
      (left.debtor, left.creditor, left.unit) < (right.debtor, right.creditor, right.unit)
    }
    return keys.compactMap { key in
      accounts[key].map {
        Balance(debtor: key.debtor, creditor: key.creditor, unit: key.unit, amount: $0.shown)
      }
    }
  }

  /// The newest `last` records by their shown time, newest last. O(last).
  public func records(last: Int) -> [RecordView] { recordOrder.suffix(max(0, last)).compactMap { recordView($0) } }

  public func record(_ id: EntryID) -> RecordView? { recordByID[id].flatMap { recordView($0) } }

  // MARK: Making views

  func id(_ number: Int32) -> EntryID {
    let statement = statements[Int(number)]
    return Names.entryID(feed: statement.place.feed, index: statement.place.index, leaf: statement.leaf)
  }

  private func summary(ofJob number: Int32) -> JobSummary {
    let job = jobs[Int(number)]
    let statement = statements[Int(job.statement)]
    var terms: Terms?
    var work: WorkReference?
    var rules = JobPostBody.rules
    if case .post(let body) = statement.what {
      switch body {
      case .known(let known, let reference):
        terms = known
        work = reference
      case .unknownRules(let number): rules = number
      }
    }
    let state = jobState(job)
    return JobSummary(
      id: job.id, link: statement.link, requester: statement.author, timeMs: statement.timeMs, rules: rules,
      terms: terms, work: work, state: state, isCancelled: !job.cancels.isEmpty, counts: job.counts,
      nextMove: nextMove(number, state, requester: statement.author))
  }

  private func nextMove(_ number: Int32, _ state: TaskState, requester: PublicKey) -> NextMove {
    switch state {
    case .accepted, .cancelled, .unknownRules: return .nobody
    case .claimed, .failed, .posted: return .requester(requester)
    case .leased:
      var workers: [PublicKey] = []
      for index in jobs[Int(number)].touched {
        guard let cell = cells[TaskKey(job: number, index: index)], cell.openGrants > 0 else { continue }
        workers.append(contentsOf: openWorkers(cell))
      }
      return .workers(Self.distinct(workers))
    }
  }

  private func openWorkers(_ cell: Cell) -> [PublicKey] {
    cell.grants.compactMap { number in
      guard !progress[Int(number)].isEnded, case .grant(let lease) = statements[Int(number)].what else { return nil }
      return lease.worker
    }
  }

  private static func distinct(_ keys: [PublicKey]) -> [PublicKey] {
    var result: [PublicKey] = []
    for key in keys.sorted() where result.last != key { result.append(key) }
    return result
  }

  private func byPlace(_ numbers: [Int32]) -> [Int32] {
    numbers.sorted { statements[Int($0)].place < statements[Int($1)].place }
  }

  private func taskView(_ key: TaskKey) -> TaskView? {
    let job = jobs[Int(key.job)]
    let cell = cells[key] ?? Cell()
    var state = cell.derivedState
    if !job.cancels.isEmpty && (state == .leased || state == .failed || state == .posted) { state = .cancelled }
    return TaskView(
      index: key.index, state: state, leases: byPlace(cell.grants).compactMap { leaseView($0) },
      claims: byPlace(cell.claims).compactMap { claimView($0) },
      fails: byPlace(cell.fails).compactMap { failView($0) },
      waitingFor: Self.distinct(openWorkers(cell)))
  }

  private func leaseView(_ number: Int32) -> LeaseView? {
    let statement = statements[Int(number)]
    guard case .grant(let body) = statement.what else { return nil }
    return LeaseView(
      id: id(number), link: statement.link, timeMs: statement.timeMs, body: body,
      isOpen: !progress[Int(number)].isEnded)
  }

  private func claimView(_ number: Int32) -> ClaimView? {
    let statement = statements[Int(number)]
    let state = progress[Int(number)]
    guard case .claim(let body) = statement.what, state.grant >= 0,
      case .grant(let lease) = statements[Int(state.grant)].what
    else { return nil }
    return ClaimView(
      id: id(number), link: statement.link, task: TaskID(post: jobs[Int(state.job)].id, index: lease.taskIndex),
      worker: statement.author, attempt: lease.attempt, timeMs: statement.timeMs, body: body,
      evidence: evidence(state), amount: state.amount, isRefused: state.isRefused, grant: id(state.grant))
  }

  private func failView(_ number: Int32) -> FailView? {
    let statement = statements[Int(number)]
    let grant = progress[Int(number)].grant
    guard case .fail(let body) = statement.what, grant >= 0, case .grant(let lease) = statements[Int(grant)].what
    else { return nil }
    return FailView(
      id: id(number), link: statement.link, worker: statement.author, attempt: lease.attempt,
      timeMs: statement.timeMs, body: body, grant: id(grant))
  }

  private func recordView(_ number: Int32) -> RecordView? {
    let statement = statements[Int(number)]
    guard case .record(let body, let count) = statement.what else { return nil }
    return RecordView(
      id: id(number), link: statement.link, author: statement.author, timeMs: statement.timeMs, body: body,
      bodyCount: count)
  }
}
