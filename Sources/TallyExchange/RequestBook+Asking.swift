// Owns: finding a worker for a task: rounds of asking, the choice among bids, the grant. DESIGN section 10.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import TallyWork

extension RequestBook {
  // Asking.

  mutating func ask(_ task: TaskID, now: Instant, into effects: inout [ExchangeEffect]) {
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

  mutating func askLater(_ task: TaskID, now: Instant) {
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
  mutating func choose(_ task: TaskID, now: Instant, into effects: inout [ExchangeEffect]) {
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
}
