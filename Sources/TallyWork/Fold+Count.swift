// Owns: when a statement counts and what follows. Validity is a function of an entry and its ancestors, never of the
// order in which they came. PROTOCOL.md, chapter "Work", first table.

import TallyBase
import TallyCrypto
import TallyWire

extension Fold {
  /// True when the statement counts from now on, so that what waited for it must be looked at.
  mutating func consider(_ waiter: Waiter) -> Bool {
    switch statements[Int(waiter.statement)].what {
    case .post(let body): return countPost(waiter.statement, body)
    case .record: return countRecord(waiter.statement)
    case .cancel: return countCancel(waiter)
    case .grant(let body): return countGrant(waiter, body)
    case .claim: return countEnd(waiter, isClaim: true)
    case .fail: return countEnd(waiter, isClaim: false)
    case .accept(let body): return countAccept(waiter, body.items[Int(waiter.part)])
    case .refuse: return countRefuse(waiter)
    }
  }

  /// The counted statement that `link` names; nil when it is not here or does not count yet (then `waiter` waits), or
  /// when another entry stands at its place (then nothing can come of it).
  private mutating func target(_ link: EntryLink, for waiter: Waiter) -> Int32? {
    let place = Place(feed: link.feed, index: link.index)
    if let number = places[place] {
      guard statements[Int(number)].leaf == link.leaf else { return nil }
      if progress[Int(number)].counts { return number }
    }
    waiting[place, default: []].append(waiter)
    return nil
  }

  private mutating func countPost(_ number: Int32, _ body: JobPostBody) -> Bool {
    let statement = statements[Int(number)]
    let id = Names.entryID(feed: statement.place.feed, index: statement.place.index, leaf: statement.leaf)
    let job = Int32(jobs.count)
    var made = Job(statement: number, id: id)
    if case .known(let terms, _) = body { made.counts.posted = terms.tasks }
    jobs.append(made)
    jobByID[id] = job
    progress[Int(number)].job = job
    let position = Self.position(jobOrder.count) { at in
      let other = jobs[Int(jobOrder[at])]
      return (statements[Int(other.statement)].timeMs, other.id) < (statement.timeMs, id)
    }
    jobOrder.insert(job, at: position)
    tally.jobs += 1
    refreshJob(job)
    return true
  }

  private mutating func countRecord(_ number: Int32) -> Bool {
    let statement = statements[Int(number)]
    let id = Names.entryID(feed: statement.place.feed, index: statement.place.index, leaf: statement.leaf)
    recordByID[id] = number
    let position = Self.position(recordOrder.count) { at in
      let other = statements[Int(recordOrder[at])]
      return (other.timeMs, other.place) < (statement.timeMs, statement.place)
    }
    recordOrder.insert(number, at: position)
    tally.records += 1
    return true
  }

  private mutating func countCancel(_ waiter: Waiter) -> Bool {
    let statement = statements[Int(waiter.statement)]
    guard let post = target(statement.targets[0], for: waiter), knownPost(post, by: statement.author) != nil else {
      return false
    }
    let job = progress[Int(post)].job
    jobs[Int(job)].cancels.append(waiter.statement)
    refreshJob(job)
    return true
  }

  private mutating func countGrant(_ waiter: Waiter, _ body: LeaseGrantBody) -> Bool {
    let statement = statements[Int(waiter.statement)]
    guard let post = target(statement.targets[0], for: waiter),
      let terms = knownPost(post, by: statement.author), body.taskIndex < terms.tasks
    else { return false }
    let job = progress[Int(post)].job
    progress[Int(waiter.statement)].job = job
    let key = TaskKey(job: job, index: body.taskIndex)
    if cells[key] == nil { jobs[Int(job)].touched.append(body.taskIndex) }
    changeCell(key) { cell in
      cell.grants.append(waiter.statement)
      cell.openGrants += 1
    }
    tally.grants += 1
    return true
  }

  /// A claim or a failure: by the worker that the grant names.
  private mutating func countEnd(_ waiter: Waiter, isClaim: Bool) -> Bool {
    let statement = statements[Int(waiter.statement)]
    guard let grant = target(statement.targets[0], for: waiter),
      case .grant(let lease) = statements[Int(grant)].what, lease.worker == statement.author
    else { return false }
    let number = Int(waiter.statement)
    progress[number].job = progress[Int(grant)].job
    progress[number].grant = grant
    let wasOpen = !progress[Int(grant)].isEnded
    progress[Int(grant)].isEnded = true
    changeCell(TaskKey(job: progress[number].job, index: lease.taskIndex)) { cell in
      if wasOpen { cell.openGrants -= 1 }
      if isClaim {
        cell.claims.append(waiter.statement)
        cell.pendingClaims += 1
      } else {
        cell.fails.append(waiter.statement)
      }
    }
    if isClaim {
      tally.claims += 1
      refreshClaim(waiter.statement)
    } else {
      tally.fails += 1
    }
    return true
  }

  private mutating func countAccept(_ waiter: Waiter, _ item: AcceptItem) -> Bool {
    let statement = statements[Int(waiter.statement)]
    guard let claim = target(statement.targets[Int(item.link)], for: waiter),
      case .claim(let body) = statements[Int(claim)].what,
      let terms = knownPost(jobs[Int(progress[Int(claim)].job)].statement, by: statement.author),
      item.amount <= body.units, item.amount <= terms.mostUnits, let key = taskKey(ofClaim: claim)
    else { return false }
    let before = progress[Int(claim)]
    progress[Int(claim)].isAccepted = true
    progress[Int(claim)].amount = max(before.amount, item.amount)
    jobs[Int(key.job)].decisions.append(
      Decision(statement: waiter.statement, claim: claim, amount: item.amount))
    if !before.isAccepted {
      changeCell(key) { cell in
        cell.acceptedClaims += 1
        if !before.isRefused { cell.pendingClaims -= 1 }
      }
    }
    tally.accepts += 1
    refreshClaim(claim)
    let worker = statements[Int(claim)].author
    pay(PaidKey(task: key, worker: worker), item.amount, debtor: statement.author, unit: terms.unit)
    return false
  }

  private mutating func countRefuse(_ waiter: Waiter) -> Bool {
    let statement = statements[Int(waiter.statement)]
    guard let claim = target(statement.targets[0], for: waiter),
      case .claim = statements[Int(claim)].what, let key = taskKey(ofClaim: claim),
      knownPost(jobs[Int(key.job)].statement, by: statement.author) != nil
    else { return false }
    let before = progress[Int(claim)]
    progress[Int(claim)].isRefused = true
    jobs[Int(key.job)].decisions.append(Decision(statement: waiter.statement, claim: claim, amount: 0))
    if !before.isRefused && !before.isAccepted { changeCell(key) { $0.pendingClaims -= 1 } }
    refreshClaim(claim)
    return true
  }

  /// (task, worker) is paid once, whatever its attempts: the largest amount.
  private mutating func pay(_ key: PaidKey, _ amount: UInt64, debtor: PublicKey, unit: UnitName) {
    let before = paid[key] ?? 0
    guard amount > before else { return }
    paid[key] = amount
    let account = AccountKey(debtor: debtor, creditor: key.worker, unit: unit)
    accounts[account, default: Account()].sum += UInt128(amount - before)
    refreshAccount(account)
  }

  /// The terms of a post with known rules by `author`; nil for anything else.
  private func knownPost(_ number: Int32, by author: PublicKey) -> Terms? {
    let statement = statements[Int(number)]
    guard statement.author == author, case .post(.known(let terms, _)) = statement.what else { return nil }
    return terms
  }

  func taskKey(ofClaim claim: Int32) -> TaskKey? {
    let state = progress[Int(claim)]
    guard state.grant >= 0, case .grant(let lease) = statements[Int(state.grant)].what else { return nil }
    return TaskKey(job: state.job, index: lease.taskIndex)
  }

  /// Changes a task and moves it to its new state in the job's counts.
  private mutating func changeCell(_ key: TaskKey, _ change: (inout Cell) -> Void) {
    change(&cells[key, default: Cell()])
    guard let cell = cells[key] else { return }
    let state = cell.derivedState
    if state != cell.state {
      cells[key, default: Cell()].state = state
      Self.move(&jobs[Int(key.job)].counts, cell.state, by: -1)
      Self.move(&jobs[Int(key.job)].counts, state, by: 1)
    }
    refreshJob(key.job)
  }

  private static func move(_ counts: inout TaskCounts, _ state: TaskState, by step: Int32) {
    let wide = UInt32(bitPattern: step)
    switch state {
    case .accepted: counts.accepted &+= wide
    case .claimed: counts.claimed &+= wide
    case .leased: counts.leased &+= wide
    case .failed: counts.failed &+= wide
    case .posted: counts.posted &+= wide
    case .cancelled, .unknownRules: preconditionFailure("no task is counted as \(state)")
    }
  }

  /// Where to insert into `count` sorted elements: behind all for which `isBefore` holds.
  private static func position(_ count: Int, _ isBefore: (Int) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isBefore(middle) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
