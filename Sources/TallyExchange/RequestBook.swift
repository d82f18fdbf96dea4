// Owns: the requester's side of the exchange: asking, choosing, leasing again when a worker is lost, checking what came
// back, paying it. Refuses to know: how entries are stored and how leaves travel. DESIGN section 10.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import TallyWork

struct RequestBook: Sendable {
  private enum Timer: Hashable, Sendable {
    case bids(TaskID)
    case ask(TaskID)
    case silence(TaskID)
    case decide(TaskID)
  }

  private let me: PublicKey
  private var requests: [TaskID: Request] = [:]
  private var byAsk: [UInt64: TaskID] = [:]
  /// Posts whose entry has been appended in this turn, until their place is known.
  private var posting: [UInt64: (request: JobRequest, postSalt: Bytes32)] = [:]
  private var nextNumber: UInt64 = 1
  private var linked: [PublicKey] = []
  private var timers = TimerTable<Timer>()
  private var generator: Generator

  init(me: PublicKey, generator: Generator) {
    self.me = me
    self.generator = generator
  }

  var nextDeadline: Instant? { timers.next }
  var openCount: Int { requests.count }
  func request(_ task: TaskID) -> Request? { requests[task] }
  func isWorker(_ peer: PublicKey) -> Bool { requests.values.contains { $0.worker == peer } }

  /// Open tasks, sorted.
  var progress: [JobProgress] {
    requests.keys.sorted().compactMap { task in
      requests[task].map {
        JobProgress(task: task, stage: $0.stage, worker: $0.worker, attempt: $0.attempt, refusals: $0.refusals)
      }
    }
  }

  func progress(of task: TaskID) -> JobProgress? {
    requests[task].map {
      JobProgress(task: task, stage: $0.stage, worker: $0.worker, attempt: $0.attempt, refusals: $0.refusals)
    }
  }

  mutating func recover(_ request: Request) { requests[request.task] = request }

  // Posting.

  /// Draws the salts and writes the post; `onPosted` follows at once with its place. nil when too many are open.
  mutating func post(_ job: JobRequest, into effects: inout [ExchangeEffect]) -> UInt64? {
    guard requests.count + posting.count < ExchangeLimits.requestsMax else { return nil }
    let number = nextNumber
    nextNumber += 1
    let salt = generator.bytes32()
    posting[number] = (job, salt)
    let body = Request.postBody(work: job.work, terms: job.terms, isPublic: job.isPublic, salt: salt)
    effects.append(.append(.post(number), kind: .jobPost, links: [], body: body))
    return number
  }

  /// The post has its place. Work, salts and terms go into the store with it, in one commit.
  mutating func onPosted(_ number: UInt64, id: EntryID, link: EntryLink, into effects: inout [ExchangeEffect]) {
    guard let (job, salt) = posting.removeValue(forKey: number) else { return }
    for index in 0..<job.terms.tasks {
      let task = TaskID(post: id, index: index)
      let request = Request(task: task, post: link, request: job, postSalt: salt, taskSalt: generator.bytes32())
      requests[task] = request
      effects.append(.store(.put(table: .requests, key: task.bytes, value: request.row)))
    }
  }

  mutating func onPostRefused(_ number: UInt64) { posting[number] = nil }

  /// Own entries up to `size` may be known to others now.
  mutating func onReleased(_ feed: FeedID, size: UInt64, now: Instant, into effects: inout [ExchangeEffect]) {
    for task in requests.keys.sorted() {
      guard var request = requests[task], request.post.feed == feed || request.grant?.feed == feed else { continue }
      if let decision = request.decision {
        if decision.place.feed == feed && decision.place.index < size { conclude(task, into: &effects) }
      } else if request.stage == .posting && request.post.index < size {
        ask(task, now: now, into: &effects)
      } else if request.stage == .granting, let grant = request.grant, grant.index < size, let worker = request.worker {
        request.stage = .leased
        requests[task] = request
        effects.append(.send(to: worker, request.leaseMessage(grant: grant).message))
        effects.append(.event(.stage(task, .leased, worker: worker)))
        timers.arm(.silence(task), at: now + ExchangeLimits.leaseSilenceMax)
      }
    }
  }

  // Asking.

  private mutating func ask(_ task: TaskID, now: Instant, into effects: inout [ExchangeEffect]) {
    guard var request = requests[task] else { return }
    var candidates = linked.filter { !request.lost.contains($0) }
    if candidates.isEmpty { candidates = linked }
    generator.permute(&candidates)
    candidates = Array(candidates.prefix(ExchangeLimits.askCountMax))
    if request.local { candidates = [me] }
    byAsk[request.ask] = nil
    request.ask = nextNumber
    nextNumber += 1
    byAsk[request.ask] = task
    request.asked = candidates
    request.bids = []
    request.refusals = []
    request.stage = candidates.isEmpty ? .waiting : .asking
    requests[task] = request
    effects.append(.event(.stage(task, request.stage, worker: nil)))
    guard !candidates.isEmpty else {
      askLater(task, now: now)
      return
    }
    let message = AskMessage(
      ask: request.ask, task: task, architecture: request.needs.architecture, sandbox: request.needs.sandbox,
      cores: request.needs.cores, memoryMiB: request.terms.resources.memoryMebibytes,
      diskMiB: request.terms.resources.diskMebibytes, wallSeconds: request.terms.resources.wallSeconds
    ).message
    for peer in candidates { effects.append(.send(to: peer, message)) }
    timers.arm(.bids(task), at: now + ExchangeLimits.bidWait)
  }

  private mutating func askLater(_ task: TaskID, now: Instant) {
    guard var request = requests[task] else { return }
    timers.arm(.ask(task), at: now + generator.jittered(request.pause, percent: 20))
    request.pause = min(request.pause * 2, ExchangeLimits.askPauseMax)
    requests[task] = request
  }

  mutating func onBid(_ bid: BidMessage, from peer: PublicKey, now: Instant, into effects: inout [ExchangeEffect]) {
    guard let task = byAsk[bid.ask], var request = requests[task], request.stage == .asking,
      request.asked.contains(peer), !request.bids.contains(where: { $0.worker == peer })
    else { return }
    if let refusal = bid.refusal {
      request.refusals.removeAll { $0.host == peer }
      request.refusals.append(JobProgress.Refusal(host: peer, reason: refusal))
      request.refusals.sort { $0.host < $1.host }
    } else {
      request.bids.append(Request.Bid(worker: peer, startMs: bid.startMs))
    }
    requests[task] = request
    if request.bids.count + request.refusals.count >= request.asked.count { choose(task, now: now, into: &effects) }
  }

  /// The bid that can start first wins; equal ones are ranked by a hash of task and worker, so that load spreads.
  private mutating func choose(_ task: TaskID, now: Instant, into effects: inout [ExchangeEffect]) {
    timers.cancel(.bids(task))
    guard var request = requests[task], request.stage == .asking else { return }
    byAsk[request.ask] = nil
    let rank = { (bid: Request.Bid) in (bid.startMs, Blake2b.hash256(task.bytes, bid.worker.bytes)) }
    guard let best = request.bids.min(by: { rank($0) < rank($1) }) else {
      // Nobody else can: whoever lost an attempt may be back and is asked with the others.
      request.lost = []
      request.stage = .waiting
      requests[task] = request
      effects.append(.event(.stage(task, .waiting, worker: nil)))
      askLater(task, now: now)
      return
    }
    request.attempt += 1
    request.worker = best.worker
    request.stage = .granting
    request.claim = nil
    request.result = nil
    request.pending = [:]
    request.outputSeen = [0, 0]
    requests[task] = request
    let body = LeaseGrantBody(
      taskIndex: task.index, attempt: request.attempt, worker: best.worker,
      ttlSeconds: ExchangeLimits.leaseTtlSeconds, saltCommitment: WorkHash.saltCommitment(request.taskSalt))
    effects.append(.append(.grant(task), kind: .leaseGrant, links: [request.post], body: body.encode()))
    effects.append(.event(.stage(task, .granting, worker: best.worker)))
  }

  mutating func onGranted(_ task: TaskID, link: EntryLink, into effects: inout [ExchangeEffect]) {
    guard var request = requests[task] else { return }
    request.grant = link
    requests[task] = request
    effects.append(.store(.put(table: .requests, key: task.bytes, value: request.row)))
  }

  /// An entry could not be written (the disk is full, signing is off): the step is tried again later.
  mutating func onAppendRefused(_ task: TaskID, now: Instant) {
    guard var request = requests[task] else { return }
    if request.stage == .granting {
      request.attempt -= 1
      request.worker = nil
      request.stage = .waiting
    }
    requests[task] = request
    askLater(task, now: now)
  }

  // The running task.

  mutating func onBeat(_ beat: BeatMessage, from peer: PublicKey, now: Instant, into effects: inout [ExchangeEffect]) {
    guard var request = requests[beat.task], request.worker == peer, request.attempt == beat.attempt else { return }
    switch request.stage {
    case .leased, .running:
      timers.arm(.silence(beat.task), at: now + ExchangeLimits.leaseSilenceMax)
      if beat.stage == .unknown {
        lose(beat.task, now: now, into: &effects)
      } else if beat.stage != .waiting && request.stage == .leased {
        request.stage = .running
        requests[beat.task] = request
        effects.append(.event(.stage(beat.task, .running, worker: peer)))
      }
    case .fetching:
      timers.arm(.silence(beat.task), at: now + ExchangeLimits.leaseSilenceMax)
    default: break
    }
  }

  mutating func onOutput(_ output: OutputMessage, from peer: PublicKey, into effects: inout [ExchangeEffect]) {
    guard var request = requests[output.task], request.worker == peer, request.attempt == output.attempt else { return }
    let index = Int(output.stream) - 1
    let (end, overflow) = output.offset.addingReportingOverflow(UInt64(output.bytes.count))
    guard !overflow, end <= ExchangeLimits.outputForwardedMax, end > request.outputSeen[index] else { return }
    let skip = request.outputSeen[index] > output.offset ? Int(request.outputSeen[index] - output.offset) : 0
    request.outputSeen[index] = end
    requests[output.task] = request
    effects.append(
      .event(
        .output(
          output.task, stream: output.stream, offset: output.offset + UInt64(skip),
          bytes: Array(output.bytes.dropFirst(skip)))))
  }

  /// The worker is lost or gave up for a reason of its own: lease the task again, to somebody else if there is one.
  private mutating func lose(_ task: TaskID, now: Instant, into effects: inout [ExchangeEffect]) {
    timers.cancel(.silence(task))
    guard var request = requests[task], !request.stage.isFinal else { return }
    if let worker = request.worker {
      request.lost.append(worker)
      effects.append(.send(to: worker, TaskNotice(task: task, attempt: request.attempt).message(.cancel)))
    }
    request.worker = nil
    request.grant = nil
    request.claim = nil
    request.result = nil
    request.pending = [:]
    requests[task] = request
    effects.append(.store(.put(table: .requests, key: task.bytes, value: request.row)))
    if request.attempt >= ExchangeLimits.attemptsMax {
      end(task, .failed(request.lastReason), into: &effects)
    } else if request.local || !linked.contains(where: { !request.lost.contains($0) }) {
      // Only hosts that failed before are left: not at once again.
      requests[task]?.stage = .waiting
      effects.append(.event(.stage(task, .waiting, worker: nil)))
      askLater(task, now: now)
    } else {
      ask(task, now: now, into: &effects)
    }
  }

  /// A `work.fail` naming our grant is durable. What the job did itself is final; what befell the worker is not.
  mutating func onFail(
    _ body: WorkFailBody, grant: EntryLink, by author: PublicKey, now: Instant, into effects: inout [ExchangeEffect]
  ) {
    guard let task = task(of: grant), let request = requests[task], request.worker == author else { return }
    switch body.reason {
    case .timeout, .memory, .disk, .processes, .output:
      effects.append(.send(to: author, TaskNotice(task: task, attempt: request.attempt).message(.settled)))
      end(task, .failed(body.reason), into: &effects)
    case .refused, .sandbox, .lost, .cancelled, .rootUnavailable, .blobUnavailable, .internal:
      effects.append(.send(to: author, TaskNotice(task: task, attempt: request.attempt).message(.settled)))
      requests[task]?.lastReason = body.reason
      lose(task, now: now, into: &effects)
    }
  }

  private func task(of grant: EntryLink) -> TaskID? {
    requests.keys.sorted().first { requests[$0]?.grant == grant }
  }

  /// A `work.claim` naming our grant is durable.
  mutating func onClaim(
    _ link: EntryLink, grant: EntryLink, body: WorkClaimBody, by author: PublicKey, now: Instant,
    into effects: inout [ExchangeEffect]
  ) {
    guard let task = task(of: grant), var request = requests[task], request.worker == author, request.claim == nil
    else { return }
    request.claim = Request.Claim(link: link, author: author, body: body)
    if request.stage == .leased || request.stage == .running { request.stage = .fetching }
    requests[task] = request
    timers.arm(.silence(task), at: now + ExchangeLimits.leaseSilenceMax)
    effects.append(.event(.stage(task, .fetching, worker: author)))
    compare(task, now: now, into: &effects)
  }

  mutating func onResult(
    _ result: ResultMessage, from peer: PublicKey, now: Instant, into effects: inout [ExchangeEffect]
  ) {
    guard var request = requests[result.task] else {
      // Settled before: the worker may let go.
      effects.append(
        .send(to: peer, TaskNotice(task: result.task, attempt: result.attempt).message(.settled)))
      return
    }
    guard request.worker == peer, request.attempt == result.attempt, request.result == nil else { return }
    request.result = result
    requests[result.task] = request
    compare(result.task, now: now, into: &effects)
  }

  /// Claim and words are both here: do they fit? Then every listed file is fetched and checked.
  private mutating func compare(_ task: TaskID, now: Instant, into effects: inout [ExchangeEffect]) {
    guard var request = requests[task], let claim = request.claim, let result = request.result,
      request.pending.isEmpty, request.stage == .fetching
    else { return }
    guard claim.link.index == result.claimIndex,
      Manifest.digest(salt: request.taskSalt, text: result.manifest) == claim.body.digest,
      let files = ResultFiles.check(result: result, work: request.work, index: task.index, exit: claim.body.exit)
    else {
      effects.append(.fault(claim.author, .manifestDoesNotMatch))
      refuse(task, .manifestDiffers, into: &effects)
      return
    }
    for file in files {
      request.pending[file.blob.id] = Request.PendingFile(
        blob: file.blob, sha256: file.sha256, leavesLeft: BlobLimits.leafCount(size: file.blob.size))
    }
    requests[task] = request
    for file in files { effects.append(.checkFile(file.blob)) }
    if files.isEmpty { complete(task, into: &effects) }
  }

  /// The shell looked at a file: nil means that leaves are missing, which are then fetched.
  mutating func onFileChecked(
    _ id: ContentID, sha256: Digest?, leaves: inout Leaves, now: Instant, into effects: inout [ExchangeEffect]
  ) {
    for task in requests.keys.sorted() {
      guard var request = requests[task], var file = request.pending[id], let worker = request.worker else { continue }
      guard let sha256 else {
        requestLeaves(&file, from: worker, leaves: &leaves, now: now, into: &effects)
        request.pending[id] = file
        requests[task] = request
        continue
      }
      if let wanted = file.sha256, wanted != sha256 {
        effects.append(.fault(worker, .fileDoesNotMatch))
        refuse(task, .manifestDiffers, into: &effects)
        continue
      }
      request.pending[id] = nil
      requests[task] = request
      timers.arm(.silence(task), at: now + ExchangeLimits.leaseSilenceMax)
      if request.pending.isEmpty { complete(task, into: &effects) }
    }
  }

  private mutating func requestLeaves(
    _ file: inout Request.PendingFile, from worker: PublicKey, leaves: inout Leaves, now: Instant,
    into effects: inout [ExchangeEffect]
  ) {
    let count = BlobLimits.leafCount(size: file.blob.size)
    file.leavesLeft = count
    for leaf in 0..<count {
      _ = leaves.fetch(file.blob.id, leaf: UInt32(clamping: leaf), from: worker, now: now, into: &effects)
    }
  }

  mutating func onLeafReady(_ id: ContentID, blob: BlobReference?, now: Instant, into effects: inout [ExchangeEffect]) {
    for task in requests.keys.sorted() {
      guard var request = requests[task], var file = request.pending[id] else { continue }
      guard blob != nil else { continue }  // The silence timer decides about a worker that gives nothing.
      file.leavesLeft = file.leavesLeft > 0 ? file.leavesLeft - 1 : 0
      request.pending[id] = file
      requests[task] = request
      timers.arm(.silence(task), at: now + ExchangeLimits.leaseSilenceMax)
      if file.leavesLeft == 0 { effects.append(.checkFile(file.blob)) }
    }
  }

  private mutating func complete(_ task: TaskID, into effects: inout [ExchangeEffect]) {
    guard var request = requests[task], let claim = request.claim else { return }
    timers.cancel(.silence(task))
    if request.hold {
      request.stage = .held
      requests[task] = request
      effects.append(.event(.stage(task, .held, worker: claim.author)))
    } else {
      accept(task, into: &effects)
    }
  }

  /// Pays the claim: what it says, at most what the post allows.
  private mutating func accept(_ task: TaskID, into effects: inout [ExchangeEffect]) {
    guard var request = requests[task], let claim = request.claim else { return }
    request.stage = .accepting
    requests[task] = request
    let amount = min(claim.body.units, request.terms.mostUnits)
    effects.append(
      .append(
        .accept(task), kind: .accept, links: [claim.link], body: AcceptBody(amounts: [amount]).encode()))
  }

  private mutating func refuse(_ task: TaskID, _ reason: RefuseBody.Reason, into effects: inout [ExchangeEffect]) {
    guard var request = requests[task], let claim = request.claim else { return }
    request.stage = .refused
    requests[task] = request
    effects.append(
      .append(.refuse(task), kind: .refuse, links: [claim.link], body: RefuseBody(reason: reason).encode()))
  }

  /// A person's decision about a held task. False when there is nothing to decide.
  mutating func decide(_ task: TaskID, accept yes: Bool, into effects: inout [ExchangeEffect]) -> Bool {
    guard requests[task]?.stage == .held else { return false }
    if yes { accept(task, into: &effects) } else { refuse(task, .byAPerson, into: &effects) }
    return true
  }

  /// Acceptance or refusal has its place: the row goes in the same commit, the words stay. Nobody is told before it is
  /// durable and public.
  mutating func onDecided(_ task: TaskID, _ ref: OwnRef, accepted: Bool, into effects: inout [ExchangeEffect]) {
    guard var request = requests[task] else { return }
    request.decision = Request.Decision(place: ref.link, isAcceptance: accepted)
    requests[task] = request
    if accepted, let outcome = request.outcome {
      let words = TaskWords(
        work: request.work, postSalt: request.postSalt, taskSalt: request.taskSalt, isPublic: request.isPublic,
        outcome: outcome)
      effects.append(.store(.put(table: .words, key: task.bytes, value: words.row)))
    }
    effects.append(.store(.delete(table: .requests, key: task.bytes)))
  }

  /// The decision is public: whoever waits is told, and the worker may let go.
  private mutating func conclude(_ task: TaskID, into effects: inout [ExchangeEffect]) {
    guard let request = requests[task], let decision = request.decision, let claim = request.claim else { return }
    if decision.isAcceptance, let outcome = request.outcome { effects.append(.event(.finished(task, outcome))) }
    effects.append(
      .send(to: claim.author, TaskNotice(task: task, attempt: request.attempt).message(.settled)))
    end(task, decision.isAcceptance ? .accepted : .refused, into: &effects)
  }

  private mutating func end(_ task: TaskID, _ stage: RequestStage, into effects: inout [ExchangeEffect]) {
    guard let request = requests.removeValue(forKey: task) else { return }
    byAsk[request.ask] = nil
    timers.cancel(.silence(task))
    timers.cancel(.bids(task))
    timers.cancel(.ask(task))
    effects.append(.store(.delete(table: .requests, key: task.bytes)))
    effects.append(.event(.stage(task, stage, worker: request.worker)))
  }

  /// Takes a job back: whatever runs is told to stop. False when nothing of it is open.
  mutating func cancel(_ post: EntryID, into effects: inout [ExchangeEffect]) -> Bool {
    let tasks = requests.keys.sorted().filter { $0.post == post }
    guard let first = tasks.first, let link = requests[first]?.post else { return false }
    for task in tasks {
      if let request = requests[task], let worker = request.worker {
        effects.append(.send(to: worker, TaskNotice(task: task, attempt: request.attempt).message(.cancel)))
      }
      end(task, .cancelled, into: &effects)
    }
    effects.append(
      .append(.cancel(post), kind: .jobCancel, links: [link], body: JobCancelBody(reason: .askedFor).encode()))
    return true
  }

  /// Acceptance or refusal could not be written: back to before the decision, and again later.
  mutating func onDecisionRefused(_ task: TaskID, now: Instant) {
    guard var request = requests[task] else { return }
    request.stage = .fetching
    requests[task] = request
    timers.arm(.decide(task), at: now + ExchangeLimits.askPauseMin)
  }

  /// Posts that were taken back are gone, and their asker has been told; grants are made again.
  mutating func onRolledBack(_ feed: FeedID, from: UInt64, now: Instant, into effects: inout [ExchangeEffect]) {
    for task in requests.keys.sorted() {
      guard let request = requests[task] else { continue }
      if request.post.feed == feed && request.post.index >= from {
        end(task, .failed(.internal), into: &effects)
      } else if request.stage == .granting, let grant = request.grant, grant.feed == feed, grant.index >= from {
        requests[task]?.grant = nil
        onAppendRefused(task, now: now)
      } else if let decision = request.decision, decision.place.feed == feed, decision.place.index >= from {
        requests[task]?.decision = nil
        effects.append(.store(.put(table: .requests, key: task.bytes, value: request.row)))
        onDecisionRefused(task, now: now)
      }
    }
  }

  /// A task is named by its post: one whose post moved cannot keep its name, so it ends and its asker is told.
  mutating func onReissued(_ moves: [LedgerEffect.Reissue], now: Instant, into effects: inout [ExchangeEffect]) {
    for task in requests.keys.sorted() {
      guard let request = requests[task] else { continue }
      if moves.contains(where: { $0.old.link == request.post }) {
        end(task, .failed(.internal), into: &effects)
      } else if let grant = request.grant, let move = moves.first(where: { $0.old.link == grant }) {
        requests[task]?.grant = move.new.link
      }
      if let decision = request.decision, let move = moves.first(where: { $0.old.link == decision.place }) {
        requests[task]?.decision?.place = move.new.link
      }
    }
  }

  // Links and time.

  mutating func onLinkUp(_ peer: PublicKey, now: Instant, into effects: inout [ExchangeEffect]) {
    if let place = linked.firstIndex(where: { $0 >= peer }) {
      if linked[place] != peer { linked.insert(peer, at: place) }
    } else {
      linked.append(peer)
    }
    for task in requests.keys.sorted() {
      guard let request = requests[task] else { continue }
      if request.worker == peer, let grant = request.grant, request.stage != .granting, request.stage != .posting {
        effects.append(.send(to: peer, request.leaseMessage(grant: grant).message))
      } else if request.stage == .waiting {
        timers.arm(.ask(task), at: now + .milliseconds(50))
      }
    }
  }

  mutating func onLinkDown(_ peer: PublicKey) { linked.removeAll { $0 == peer } }

  /// After the replay: open tasks go on.
  mutating func onStart(now: Instant, into effects: inout [ExchangeEffect]) {
    for task in requests.keys.sorted() {
      guard let request = requests[task] else { continue }
      if request.grant != nil {
        timers.arm(.silence(task), at: now + ExchangeLimits.leaseSilenceMax)
      } else {
        requests[task]?.stage = .waiting
        timers.arm(.ask(task), at: now + ExchangeLimits.askPauseMin)
      }
    }
  }

  mutating func wake(now: Instant, into effects: inout [ExchangeEffect]) {
    while let timer = timers.popDue(now) {
      switch timer {
      case .bids(let task): choose(task, now: now, into: &effects)
      case .ask(let task): if requests[task]?.stage == .waiting { ask(task, now: now, into: &effects) }
      case .silence(let task): lose(task, now: now, into: &effects)
      case .decide(let task): compare(task, now: now, into: &effects)
      }
    }
  }
}
