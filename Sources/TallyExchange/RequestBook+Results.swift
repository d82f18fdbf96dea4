// Owns: a task between its lease and its settlement: signs of life, output, claim and words, files, the decision.
// DESIGN section 10.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import TallyWork

extension RequestBook {
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
  mutating func lose(_ task: TaskID, now: Instant, into effects: inout [ExchangeEffect]) {
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

  func task(of grant: EntryLink) -> TaskID? {
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
  mutating func compare(_ task: TaskID, now: Instant, into effects: inout [ExchangeEffect]) {
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

  mutating func requestLeaves(
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

  mutating func complete(_ task: TaskID, into effects: inout [ExchangeEffect]) {
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
  mutating func accept(_ task: TaskID, into effects: inout [ExchangeEffect]) {
    guard var request = requests[task], let claim = request.claim else { return }
    request.stage = .accepting
    requests[task] = request
    let amount = min(claim.body.units, request.terms.mostUnits)
    effects.append(
      .append(
        .accept(task), kind: .accept, links: [claim.link], body: AcceptBody(amounts: [amount]).encode()))
  }

  mutating func refuse(_ task: TaskID, _ reason: RefuseBody.Reason, into effects: inout [ExchangeEffect]) {
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
  mutating func conclude(_ task: TaskID, into effects: inout [ExchangeEffect]) {
    guard let request = requests[task], let decision = request.decision, let claim = request.claim else { return }
    if decision.isAcceptance, let outcome = request.outcome { effects.append(.event(.finished(task, outcome))) }
    effects.append(
      .send(to: claim.author, TaskNotice(task: task, attempt: request.attempt).message(.settled)))
    end(task, decision.isAcceptance ? .accepted : .refused, into: &effects)
  }

  mutating func end(_ task: TaskID, _ stage: RequestStage, into effects: inout [ExchangeEffect]) {
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
}
