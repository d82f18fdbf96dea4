// Owns: the rules of PROTOCOL.md, chapter "Work", written a second time and naively: everything from scratch, over the
// whole set, in quadratic time. It shares no code with the fold but the decoders of bodies.

import TallyBase
import TallyWire
import TallyWork

struct Oracle {
  struct JobAnswer: Hashable {
    var state: TaskState
    var cancelled: Bool
    var taskStates: [TaskState]
    var move: NextMove
  }
  struct ClaimAnswer: Hashable {
    var worker: PublicKey
    var job: EntryID
    var index: UInt32
    var evidence: Evidence
    var amount: UInt64
    var refused: Bool
  }

  let set: [Placed]
  var jobs: [EntryID: JobAnswer] = [:]
  var claims: [EntryID: ClaimAnswer] = [:]
  var balances: [Balance] = []

  init(_ entries: [Placed]) {
    set = Array(Set(entries))
    let posts = set.filter { post($0) != nil }
    for post in posts { jobs[post.id] = answer(job: post) }
    for claim in set { if let answer = answer(claim: claim) { claims[claim.id] = answer } }
    balances = sumBalances()
  }

  // MARK: What counts

  private func find(_ link: EntryLink) -> Placed? { set.first { $0.link == link } }

  private func body<Body>(
    _ kind: EntryKind, _ links: Int, _ placed: Placed, _ decode: ([UInt8]) throws -> Body
  ) -> Body? {
    guard placed.entry.kind == kind, placed.entry.links.count == links else { return nil }
    return try? decode(placed.entry.body)
  }

  private func post(_ placed: Placed) -> JobPostBody? { body(.jobPost, 0, placed, JobPostBody.decode) }

  private func terms(_ placed: Placed) -> Terms? {
    if case .known(let terms, _)? = post(placed) { return terms }
    return nil
  }

  /// The grant's body and its post, when it counts.
  private func grant(_ placed: Placed) -> (LeaseGrantBody, Placed)? {
    guard let lease = body(.leaseGrant, 1, placed, LeaseGrantBody.decode), let post = find(placed.entry.links[0]),
      let terms = terms(post), post.author == placed.author, lease.taskIndex < terms.tasks
    else { return nil }
    return (lease, post)
  }

  private func claim(_ placed: Placed) -> (WorkClaimBody, LeaseGrantBody, Placed)? {
    guard let claim = body(.workClaim, 1, placed, WorkClaimBody.decode), let target = find(placed.entry.links[0]),
      let (lease, post) = grant(target), lease.worker == placed.author
    else { return nil }
    return (claim, lease, post)
  }

  private func failed(_ placed: Placed) -> Bool {
    guard body(.workFail, 1, placed, WorkFailBody.decode) != nil, let target = find(placed.entry.links[0]),
      let (lease, _) = grant(target)
    else { return false }
    return lease.worker == placed.author
  }

  /// Amounts that counted acceptances give to this claim.
  private func amounts(_ placed: Placed) -> [UInt64] {
    guard let (claim, _, post) = claim(placed), let terms = terms(post) else { return [] }
    var amounts: [UInt64] = []
    for entry in set where entry.entry.kind == .accept && entry.author == post.author {
      guard let accept = try? AcceptBody.decode(entry.entry.body, links: entry.entry.links.count),
        entry.entry.links.count <= 12
      else { continue }
      for item in accept.items where entry.entry.links[Int(item.link)] == placed.link {
        if item.amount <= claim.units && item.amount <= terms.mostUnits { amounts.append(item.amount) }
      }
    }
    return amounts
  }

  private func refused(_ placed: Placed) -> Bool {
    guard let (_, _, post) = claim(placed) else { return false }
    return set.contains {
      body(.refuse, 1, $0, RefuseBody.decode) != nil && $0.author == post.author && $0.entry.links[0] == placed.link
    }
  }

  // MARK: What follows

  private func answer(claim placed: Placed) -> ClaimAnswer? {
    guard let (_, lease, post) = claim(placed) else { return nil }
    let amounts = amounts(placed)
    return ClaimAnswer(
      worker: placed.author, job: post.id, index: lease.taskIndex, evidence: amounts.isEmpty ? .claimed : .accepted,
      amount: amounts.max() ?? 0, refused: refused(placed))
  }

  private func answer(job post: Placed) -> JobAnswer {
    guard let terms = terms(post) else {
      return JobAnswer(state: .unknownRules, cancelled: false, taskStates: [], move: .nobody)
    }
    let cancelled = set.contains {
      body(.jobCancel, 1, $0, JobCancelBody.decode) != nil && $0.author == post.author
        && $0.entry.links[0] == post.link
    }
    var states: [TaskState] = []
    var holders: Set<PublicKey> = []
    for index in 0..<terms.tasks {
      let grants = set.filter { placed in grant(placed).map { $0.1 == post && $0.0.taskIndex == index } ?? false }
      let claims = set.filter { placed in claim(placed).map { $0.2 == post && $0.1.taskIndex == index } ?? false }
      let open = grants.filter { grant in
        !set.contains { $0.entry.links == [grant.link] && (claim($0) != nil || failed($0)) }
      }
      for grant in open { if let (lease, _) = self.grant(grant) { holders.insert(lease.worker) } }
      if claims.contains(where: { !amounts($0).isEmpty }) {
        states.append(.accepted)
      } else if claims.contains(where: { !refused($0) }) {
        states.append(.claimed)
      } else if cancelled {
        states.append(.cancelled)
      } else if !open.isEmpty {
        states.append(.leased)
      } else {
        states.append(grants.isEmpty ? .posted : .failed)
      }
    }
    let order: [TaskState] = [.claimed, .cancelled, .leased, .failed, .posted]
    var state = TaskState.accepted
    if !states.allSatisfy({ $0 == .accepted }) {
      state = order.first { states.contains($0) } ?? .posted
    }
    return JobAnswer(
      state: state, cancelled: cancelled, taskStates: states,
      move: move(state, requester: post.author, holders: holders))
  }

  private func move(_ state: TaskState, requester: PublicKey, holders: Set<PublicKey>) -> NextMove {
    switch state {
    case .claimed, .failed, .posted: .requester(requester)
    case .leased: .workers(holders.sorted())
    default: .nobody
    }
  }

  private func sumBalances() -> [Balance] {
    struct Paid: Hashable {
      let job: EntryID
      let index: UInt32
      let worker: PublicKey
    }
    struct Account: Hashable {
      let debtor: PublicKey
      let creditor: PublicKey
      let unit: UnitName
    }
    var largest: [Paid: (Account, UInt64)] = [:]
    for placed in set {
      guard let (_, lease, post) = claim(placed), let terms = terms(post), let amount = amounts(placed).max() else {
        continue
      }
      let paid = Paid(job: post.id, index: lease.taskIndex, worker: placed.author)
      let account = Account(debtor: post.author, creditor: placed.author, unit: terms.unit)
      if amount > largest[paid]?.1 ?? 0 { largest[paid] = (account, amount) }
    }
    var sums: [Account: UInt64] = [:]
    for (account, amount) in largest.values { sums[account, default: 0] += amount }
    let balances = sums.map {
      Balance(debtor: $0.key.debtor, creditor: $0.key.creditor, unit: $0.key.unit, amount: $0.value)
    }
    return balances.sorted { ($0.debtor, $0.creditor, $0.unit) < ($1.debtor, $1.creditor, $1.unit) }
  }
}
