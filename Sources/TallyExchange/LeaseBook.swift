// Owns: the worker's side of the exchange: which tasks this host was leased, what the worker process does with them,
// and that every one ends in a claim or a failure in the own feed.
// Refuses to know: how a task is run. DESIGN section 10.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import TallyWork

struct LeaseBook: Sendable {
  /// A grant that names this host, as its requester's feed says.
  private struct Grant: Sendable {
    let link: EntryLink
    let post: EntryLink
    let body: LeaseGrantBody
  }
  private struct Reservation: Sendable {
    let peer: PublicKey
    let until: Instant
  }
  private enum Timer: Hashable, Sendable {
    case beat
    case reservation(TaskID)
  }

  private let me: PublicKey
  private(set) var policy: LendPolicy
  private var facts: WorkerFacts?
  private var leases: [TaskID: Lease] = [:]
  private var grants: [TaskID: Grant] = [:]
  private var reservations: [TaskID: Reservation] = [:]
  /// Tasks whose words and grant are both here, oldest first.
  private var ready: [TaskID] = []
  /// How many tasks the worker process has asked for and not been given.
  private var hungry = 0
  /// Tasks whose claim or failure could not be written yet.
  private var unwritten: [TaskID] = []
  private var timers = TimerTable<Timer>()

  init(me: PublicKey, policy: LendPolicy) {
    self.me = me
    self.policy = policy
  }

  var nextDeadline: Instant? { timers.next }
  var isWorkerThere: Bool { facts != nil }
  var workerFacts: WorkerFacts? { facts }
  /// Sorted by task.
  var held: [Lease] { leases.keys.sorted().compactMap { leases[$0] } }
  func lease(_ task: TaskID) -> Lease? { leases[task] }
  func isRequester(_ peer: PublicKey) -> Bool { leases.values.contains { $0.requester == peer } }

  mutating func setPolicy(_ new: LendPolicy) { policy = new }

  /// A row from the store, before the history is replayed. Its task ran in a process that is gone.
  mutating func recover(_ lease: Lease) { leases[lease.task] = lease }

  // Asking.

  mutating func onAsk(_ ask: AskMessage, from peer: PublicKey, now: Instant, into effects: inout [ExchangeEffect]) {
    let refusal = refusal(of: ask, from: peer)
    if refusal == nil {
      reservations[ask.task] = Reservation(peer: peer, until: now + ExchangeLimits.reservationHeld)
      timers.arm(.reservation(ask.task), at: now + ExchangeLimits.reservationHeld)
    }
    let queue = UInt32(clamping: ready.count) * 1000
    effects.append(.send(to: peer, BidMessage(ask: ask.ask, refusal: refusal, startMs: queue).message))
  }

  private func refusal(of ask: AskMessage, from peer: PublicKey) -> BidRefusal? {
    let relation = peer == me ? .me : policy.relations[peer] ?? .member
    if relation == .blocked { return .blocked }
    guard let facts else { return .noWorker }
    if relation != .me {
      if !policy.lends { return .notLending }
      if ask.sandbox == 1 && relation != .trusted { return .notTrusted }
    }
    if ask.architecture != facts.architecture { return .architecture }
    if ask.sandbox == 1 ? !facts.nativeSandbox : !facts.wasmSandbox { return .sandbox }
    if ask.cores > policy.cores && relation != .me { return .cores }
    if ask.memoryMiB > policy.memoryMiB && relation != .me { return .memory }
    if ask.diskMiB > policy.diskMiB && relation != .me { return .disk }
    let mine = reservations.values.count { $0.peer == peer }
    if mine >= ExchangeLimits.reservationsPerPeerMax { return .busy }
    if reservations[ask.task] == nil && activeCount >= max(1, Int(policy.slots)) { return .busy }
    return nil
  }

  /// Slots in use: leases that still need the worker process, and promises.
  private var activeCount: Int {
    let open = leases.values.count { $0.phase != .done && $0.phase != .writing }
    return open + reservations.keys.count { leases[$0] == nil }
  }

  // Leases.

  mutating func onLease(
    _ message: LeaseMessage, from peer: PublicKey, now: Instant, jobs: Fold, into effects: inout [ExchangeEffect]
  ) {
    if let known = leases[message.task], known.attempt >= message.attempt {
      guard known.requester == peer else {
        effects.append(.fault(peer, .unexpected(.lease)))
        return
      }
      answer(known, into: &effects)
      return
    }
    guard leases.count < ExchangeLimits.leasesMax, mayLease(message, from: peer) else {
      effects.append(
        .send(to: peer, BeatMessage(task: message.task, attempt: message.attempt, stage: .unknown, cpuMs: 0).message))
      return
    }
    if let old = leases[message.task], case .running = old.phase {
      effects.append(.stopTask(old.task, attempt: old.attempt))
    }
    ready.removeAll { $0 == message.task }
    let lease = Lease(requester: peer, message: message)
    leases[message.task] = lease
    reservations[message.task] = nil
    timers.cancel(.reservation(message.task))
    effects.append(.store(.put(table: .leases, key: message.task.bytes, value: lease.row)))
    effects.append(.event(.leaseTaken(message.task, requester: peer)))
    if !timers.isArmed(.beat) { timers.arm(.beat, at: now + ExchangeLimits.beatInterval) }
    match(message.task, jobs: jobs, into: &effects)
  }

  private func mayLease(_ message: LeaseMessage, from peer: PublicKey) -> Bool {
    guard facts != nil else { return false }
    if peer == me { return true }
    let relation = policy.relations[peer] ?? .member
    if relation == .blocked || !policy.lends { return false }
    // Only native jobs exist in this version; a promise was made when the task was asked about.
    return relation == .trusted && (reservations[message.task]?.peer == peer || activeCount < max(1, Int(policy.slots)))
  }

  /// Tells the requester where its task stands.
  private func answer(_ lease: Lease, into effects: inout [ExchangeEffect]) {
    if lease.phase == .done, let result = lease.result {
      effects.append(.send(to: lease.requester, result.message))
    }
    effects.append(.send(to: lease.requester, beat(lease).message))
  }

  private func beat(_ lease: Lease) -> BeatMessage {
    let stage: BeatMessage.Stage =
      switch lease.phase {
      case .waitingForGrant, .ready: .waiting
      case .running(let stage): stage
      case .writing: .collecting
      case .done: .done
      }
    return BeatMessage(task: lease.task, attempt: lease.attempt, stage: stage, cpuMs: lease.cpuMs)
  }

  /// A grant that names this host became durable here.
  mutating func onGrant(
    _ link: EntryLink, post: EntryLink, postID: EntryID, body: LeaseGrantBody, jobs: Fold,
    into effects: inout [ExchangeEffect]
  ) {
    let task = TaskID(post: postID, index: body.taskIndex)
    if let known = grants[task], known.body.attempt >= body.attempt { return }
    grants[task] = Grant(link: link, post: post, body: body)
    match(task, jobs: jobs, into: &effects)
  }

  /// Words and grant are both here: they must fit each other before anything runs.
  private mutating func match(_ task: TaskID, jobs: Fold, into effects: inout [ExchangeEffect]) {
    guard var lease = leases[task], lease.phase == .waitingForGrant, let grant = grants[task],
      grant.body.attempt == lease.attempt, let post = jobs.summary(task.post), let terms = post.terms,
      let reference = post.work
    else { return }
    let message = lease.message
    let workHash = WorkHash.work(message.work)
    let workFits: Bool =
      switch reference {
      case .hidden(let commitment): WorkHash.postCommitment(salt: message.postSalt, workHash: workHash) == commitment
      case .open(_, let hash): hash == workHash
      }
    guard post.requester == lease.requester, workFits else {
      drop(task, fault: .workDoesNotMatch, into: &effects)
      return
    }
    guard WorkHash.saltCommitment(message.taskSalt) == grant.body.saltCommitment else {
      drop(task, fault: .saltDoesNotMatch, into: &effects)
      return
    }
    lease.grant = grant.link
    lease.terms = terms
    if lease.claimIndex == nil && lease.failed == nil {
      lease.phase = .ready
      ready.append(task)
    }
    leases[task] = lease
    feed(into: &effects)
  }

  private mutating func drop(_ task: TaskID, fault: ExchangeFault, into effects: inout [ExchangeEffect]) {
    guard let lease = leases.removeValue(forKey: task) else { return }
    effects.append(.store(.delete(table: .leases, key: task.bytes)))
    effects.append(.fault(lease.requester, fault))
    effects.append(
      .send(to: lease.requester, BeatMessage(task: task, attempt: lease.attempt, stage: .unknown, cpuMs: 0).message))
  }

  // The worker process.

  /// One more worker process; several may serve one host, each with what it measured.
  mutating func onWorker(_ facts: WorkerFacts) { self.facts = facts }

  mutating func onWorkerNoLongerHungry() { hungry = max(0, hungry - 1) }

  mutating func onWorkerHungry(into effects: inout [ExchangeEffect]) {
    hungry += 1
    feed(into: &effects)
  }

  private mutating func feed(into effects: inout [ExchangeEffect]) {
    while hungry > 0, !ready.isEmpty {
      let task = ready.removeFirst()
      guard var lease = leases[task], lease.phase == .ready, let terms = lease.terms else { continue }
      hungry -= 1
      lease.phase = .running(.fetching)
      leases[task] = lease
      effects.append(
        .give(
          WorkerTask(
            task: task, attempt: lease.attempt, requester: lease.requester, work: lease.message.work, terms: terms)))
      effects.append(.send(to: lease.requester, beat(lease).message))
    }
  }

  /// False when the worker process works on something that was taken from it: it must stop.
  mutating func onWorkerBeat(
    _ task: TaskID, attempt: UInt16, stage: BeatMessage.Stage, cpuMs: UInt64, into effects: inout [ExchangeEffect]
  ) -> Bool {
    guard var lease = leases[task], lease.attempt == attempt, case .running = lease.phase else { return false }
    lease.phase = .running(stage)
    lease.cpuMs = cpuMs
    leases[task] = lease
    if lease.isCancelled { return false }
    effects.append(.send(to: lease.requester, beat(lease).message))
    return true
  }

  mutating func onWorkerOutput(
    _ task: TaskID, attempt: UInt16, stream: UInt8, offset: UInt64, bytes: [UInt8],
    into effects: inout [ExchangeEffect]
  ) {
    guard let lease = leases[task], lease.attempt == attempt, offset < ExchangeLimits.outputForwardedMax else { return }
    let message = OutputMessage(task: task, attempt: attempt, stream: stream, offset: offset, bytes: bytes)
    effects.append(.send(to: lease.requester, message.message))
  }

  /// The worker process is done with a task: write the claim or the failure.
  mutating func onWorkerResult(_ result: WorkerResult, into effects: inout [ExchangeEffect]) {
    guard var lease = leases[result.task], lease.attempt == result.attempt, case .running = lease.phase,
      let grant = lease.grant, let terms = lease.terms
    else { return }
    lease.cpuMs = result.cpuMs
    switch result.ending {
    case .failed(let reason):
      leases[result.task] = lease
      fail(result.task, reason, cpuMs: result.cpuMs, wallMs: result.wallMs, into: &effects)
    case .finished(let exit, let units, let rootMade, let stdout, let stderr, let manifest, let tree):
      lease.phase = .writing
      lease.result = ResultMessage(
        task: result.task, attempt: result.attempt, claimIndex: 0, stdout: stdout, stderr: stderr, manifest: manifest,
        tree: tree)
      let mark = WorkLimits.amountEnd - 1
      let body = WorkClaimBody(
        digest: Manifest.digest(salt: lease.message.taskSalt, text: manifest), exit: exit,
        units: min(units, terms.mostUnits), sandbox: .bubblewrap, root: rootMade ? .made : .fetched,
        cpuMs: min(result.cpuMs, mark), wallMs: min(result.wallMs, mark)
      ).encode()
      lease.body = body
      leases[result.task] = lease
      effects.append(.append(.claim(result.task), kind: .workClaim, links: [grant], body: body))
    }
  }

  private mutating func fail(
    _ task: TaskID, _ reason: FailReason, cpuMs: UInt64, wallMs: UInt64, into effects: inout [ExchangeEffect]
  ) {
    guard var lease = leases[task], let grant = lease.grant else { return }
    lease.phase = .writing
    lease.failed = reason
    let mark = WorkLimits.amountEnd - 1
    let body = WorkFailBody(reason: reason, cpuMs: min(cpuMs, mark), wallMs: min(wallMs, mark)).encode()
    lease.body = body
    leases[task] = lease
    effects.append(.append(.fail(task), kind: .workFail, links: [grant], body: body))
    effects.append(.store(.put(table: .leases, key: task.bytes, value: lease.row)))
  }

  /// The claim has its place: keep the words with it in the same commit.
  mutating func onClaimAppended(_ task: TaskID, _ ref: OwnRef, into effects: inout [ExchangeEffect]) {
    guard var lease = leases[task], var result = lease.result else { return }
    result.claimIndex = ref.index
    lease.result = result
    lease.claimIndex = ref.index
    lease.place = ref.link
    leases[task] = lease
    effects.append(.store(.put(table: .leases, key: task.bytes, value: lease.row)))
  }

  mutating func onFailAppended(_ task: TaskID, _ ref: OwnRef) { leases[task]?.place = ref.link }

  /// The entry could not be written (the disk is full, signing is off): tried again with the next beat.
  mutating func onAppendRefused(_ task: TaskID, now: Instant) {
    unwritten.append(task)
    timers.arm(.beat, at: now + .seconds(1))
  }

  private mutating func writeAgain(into effects: inout [ExchangeEffect]) {
    let tasks = unwritten
    unwritten = []
    for task in tasks {
      guard let lease = leases[task], lease.phase == .writing, let body = lease.body else { continue }
      let tag: AppendTag = lease.failed == nil ? .claim(task) : .fail(task)
      effects.append(
        .append(tag, kind: lease.failed == nil ? .workClaim : .workFail, links: lease.grantLinks, body: body))
    }
  }

  /// Claims and failures that were taken back are written again.
  mutating func onRolledBack(_ feed: FeedID, from: UInt64, now: Instant) {
    for task in leases.keys.sorted() {
      guard let lease = leases[task], lease.phase == .writing, let place = lease.place, place.feed == feed,
        place.index >= from
      else { continue }
      leases[task]?.claimIndex = nil
      leases[task]?.place = nil
      onAppendRefused(task, now: now)
    }
  }

  mutating func onReissued(_ moves: [LedgerEffect.Reissue]) {
    for task in leases.keys.sorted() {
      guard let place = leases[task]?.place, let move = moves.first(where: { $0.old.link == place }) else { continue }
      leases[task]?.place = move.new.link
      leases[task]?.claimIndex = move.new.index
      leases[task]?.result?.claimIndex = move.new.index
    }
  }

  /// Own entries up to `size` may be known to others now.
  mutating func onReleased(_ feed: FeedID, size: UInt64, into effects: inout [ExchangeEffect]) {
    for task in leases.keys.sorted() {
      guard var lease = leases[task], lease.phase == .writing, let place = lease.place, place.feed == feed,
        place.index < size
      else {
        continue
      }
      lease.phase = .done
      leases[task] = lease
      answer(lease, into: &effects)
    }
  }

  /// The worker process is gone; what it ran is lost.
  mutating func onWorkerGone(into effects: inout [ExchangeEffect]) {
    facts = nil
    hungry = 0
    for task in leases.keys.sorted() {
      if case .running = leases[task]?.phase { fail(task, .lost, cpuMs: 0, wallMs: 0, into: &effects) }
    }
  }

  // The requester again.

  mutating func onCancel(_ notice: TaskNotice, from peer: PublicKey, into effects: inout [ExchangeEffect]) {
    guard let lease = leases[notice.task], lease.requester == peer, lease.attempt == notice.attempt else { return }
    effects.append(.event(.leaseCancelled(notice.task)))
    switch lease.phase {
    case .running:
      leases[notice.task]?.isCancelled = true
      effects.append(.stopTask(notice.task, attempt: notice.attempt))
    case .waitingForGrant, .ready:
      ready.removeAll { $0 == notice.task }
      if lease.grant == nil {
        leases[notice.task] = nil
        effects.append(.store(.delete(table: .leases, key: notice.task.bytes)))
      } else {
        fail(notice.task, .cancelled, cpuMs: 0, wallMs: 0, into: &effects)
      }
    case .writing, .done:
      break
    }
  }

  /// The requester has what it needs: the words and outputs may go.
  mutating func onSettled(_ notice: TaskNotice, from peer: PublicKey, into effects: inout [ExchangeEffect]) {
    guard let lease = leases[notice.task], lease.requester == peer, lease.phase == .done else { return }
    leases[notice.task] = nil
    grants[notice.task] = nil
    effects.append(.store(.delete(table: .leases, key: notice.task.bytes)))
  }

  /// A link to a requester stands: say where its tasks are.
  mutating func onLinkUp(_ peer: PublicKey, into effects: inout [ExchangeEffect]) {
    for lease in held where lease.requester == peer { answer(lease, into: &effects) }
  }

  /// After the replay: what a process before this one ran is lost, what it finished is not.
  mutating func onStart(jobs: Fold, now: Instant, into effects: inout [ExchangeEffect]) {
    for task in leases.keys.sorted() {
      match(task, jobs: jobs, into: &effects)
      guard let lease = leases[task] else { continue }
      if lease.phase == .ready {
        ready.removeAll { $0 == task }
        fail(task, .lost, cpuMs: 0, wallMs: 0, into: &effects)
      }
    }
    if !leases.isEmpty { timers.arm(.beat, at: now + ExchangeLimits.beatInterval) }
  }

  mutating func wake(now: Instant, into effects: inout [ExchangeEffect]) {
    while let timer = timers.popDue(now) {
      switch timer {
      case .reservation(let task): reservations[task] = nil
      case .beat:
        writeAgain(into: &effects)
        for lease in held where lease.phase != .done {
          effects.append(.send(to: lease.requester, beat(lease).message))
        }
        if !leases.isEmpty { timers.arm(.beat, at: now + ExchangeLimits.beatInterval) }
      }
    }
  }
}
