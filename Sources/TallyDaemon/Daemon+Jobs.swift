// Owns: how jobs, their tasks and their news look to a client.
import TallyAdmin
import TallyBase
import TallyCrypto
import TallyExchange
import TallyLog
import TallyNode
import TallyWire
import TallyWork

extension Daemon {
  func jobRow(_ job: JobSummary, names: HostNames) -> JobRow {
    let move =
      switch job.nextMove {
      case .nobody: "nobody's"
      case .requester(let key): names.name(key) + "'s (requester)"
      case .workers(let keys): keys.map { names.name($0) }.joined(separator: ", ") + " (worker)"
      }
    return JobRow(
      id: job.id.hex, state: job.state.word, words: job.words(name: { names.name($0) }),
      requester: names.name(job.requester), requesterKey: KeyText.encode(job.requester), timeMs: job.timeMs,
      tasks: job.terms?.tasks ?? 0, move: move)
  }

  func jobResult(_ id: EntryID) throws(RPCError) -> JobResult {
    guard let detail = node.job(id) else {
      throw .notFound(
        "no job \(id.hex.prefix(8)) is in the ledger here", hint: "see `tally jobs`; it may be on its way")
    }
    let names = names
    let progress = node.progress(of: TaskID(post: id, index: 0))
    var claims: [ClaimRow] = []
    var grants: [EntryID: UInt64] = [:]
    for task in detail.tasks {
      for lease in task.leases { grants[lease.id] = lease.link.index }
      claims += task.claims.map { claimRow($0, grantIndex: grants[$0.grant] ?? 0, names) }
    }
    return JobResult(
      job: jobRow(detail.summary, names: names), feed: detail.summary.link.feed.hex,
      feedIndex: detail.summary.link.index, claims: claims, acceptances: acceptances(detail),
      timeline: detail.timeline.map { timelineRow($0, names) }, stage: progress.map { Self.text($0.stage) },
      refusals: progress?.refusals.map { RefusalRow(host: names.name($0.host), reason: $0.reason.text) } ?? [])
  }

  private func claimRow(_ claim: ClaimView, grantIndex: UInt64, _ names: HostNames) -> ClaimRow {
    ClaimRow(
      id: claim.id.hex, index: claim.task.index, worker: names.name(claim.worker),
      workerKey: KeyText.encode(claim.worker), feed: claim.link.feed.hex, feedIndex: claim.link.index,
      grantIndex: grantIndex, exit: claim.body.exit, units: claim.body.units, cpuMs: claim.body.cpuMs,
      wallMs: claim.body.wallMs, evidence: claim.evidence.word, amount: claim.amount, refused: claim.isRefused)
  }

  private func acceptances(_ detail: JobDetail) -> [AcceptanceRow] {
    detail.timeline.compactMap { event -> AcceptanceRow? in
      guard case .accepted(let amount, let claim) = event.what else { return nil }
      return AcceptanceRow(
        id: event.id.hex, feed: event.link.feed.hex, feedIndex: event.link.index, claim: claim.hex, amount: amount)
    }
  }

  private func timelineRow(_ event: TimelineEvent, _ names: HostNames) -> TimelineRow {
    let text =
      switch event.what {
      case .posted: "posted"
      case .cancelled: "cancelled"
      case .leased(let body): "leased to \(names.name(body.worker)), attempt \(body.attempt)"
      case .claimed(let body): "claimed: exit \(body.exit), \(body.units) units, \(body.wallMs) ms"
      case .failed(let body): "failed: \(body.reason.words)"
      case .accepted(let amount, _): "accepted: \(amount) units"
      case .refused(let reason, _): "refused: \(reason.words)"
      }
    return TimelineRow(
      id: event.id.hex, author: names.name(event.author), timeMs: event.timeMs, index: event.taskIndex, text: text)
  }

  func wordsResult(_ task: TaskID) throws(RPCError) -> WordsResult {
    guard let words = node.words(of: task) else {
      throw .notFound(
        "this host has no words of that task", hint: "only its requester has them, and only once it is accepted")
    }
    let outcome = words.outcome
    return WordsResult(
      work: String(decoding: words.work, as: UTF8.self), postSalt: Hex.encode(words.postSalt.bytes),
      taskSalt: Hex.encode(words.taskSalt.bytes), isPublic: words.isPublic, worker: names.name(outcome.worker),
      workerKey: KeyText.encode(outcome.worker), exit: outcome.exit, units: outcome.units,
      stdout: BlobRow(cid: outcome.stdout.id.hex, size: outcome.stdout.size),
      stderr: BlobRow(cid: outcome.stderr.id.hex, size: outcome.stderr.size), manifest: Base64Bytes(outcome.manifest),
      tree: Base64Bytes(outcome.tree))
  }

  func taskResult(_ task: WorkerTask) -> WorkerTaskResult {
    let limits = task.terms.resources
    var result = WorkerTaskResult(
      task: TaskName(post: task.task.post.hex, index: task.task.index, attempt: task.attempt),
      requester: names.name(task.requester), work: String(decoding: task.work, as: UTF8.self),
      cpuS: limits.cpuSeconds, wallS: limits.wallSeconds, memMb: limits.memoryMebibytes,
      diskMb: limits.diskMebibytes, outMb: limits.outputMebibytes, procs: limits.processes,
      mostUnits: task.terms.mostUnits)
    if task.terms.agreeOn == .outputsAndStdout { result.agreeStdout = true }
    return result
  }

  static func text(_ stage: RequestStage) -> String {
    switch stage {
    case .posting: "posting"
    case .waiting: "waiting: nobody can take it now"
    case .asking: "asking"
    case .granting: "granting"
    case .leased: "leased"
    case .running: "running"
    case .fetching: "fetching results"
    case .held: "held: a person decides (tally accept, tally refuse)"
    case .accepting: "accepting"
    case .accepted: "accepted"
    case .refused: "refused"
    case .failed(let reason): "failed: \(reason.words)"
    case .cancelled: "cancelled"
    }
  }

  // News.

  /// Tells every subscription that an event concerns. Nobody's slow reading holds anybody up.
  mutating func publish(_ event: NodeEvent) {
    switch event {
    case .job(let job): publish(job)
    case .member(let key, let change):
      var notice = EventNotice(subscription: 0, type: "member", text: "\(names.name(key)) \(change)")
      notice.host = KeyText.encode(key)
      publish(notice, to: "member")
    case .ledger(let event):
      Log.info("ledger: \(event)")
      publish(EventNotice(subscription: 0, type: "ledger", text: "\(event)"), to: "ledger")
    case .entry(_, let author, let index, let kind, let id):
      guard hasSubscribers("entry") else { return }
      var notice = EventNotice(
        subscription: 0, type: "entry", text: "\(names.name(author)) \(index) \(kind.name ?? "unknown kind")")
      notice.id = id.hex
      publish(notice, to: "entry")
    case .refused(let endpoint, let reason):
      // At most once a second for each reason; the counters have them all.
      Log.info("refused: \(reason) from \(endpoint)")
      publish(EventNotice(subscription: 0, type: "refused", text: "\(reason) from \(endpoint)"), to: "refused")
    case .fault(let key, let reason):
      publish(EventNotice(subscription: 0, type: "fault", text: "\(names.name(key)): \(reason)"), to: "fault")
    case .stopTask, .released: break  // A worker process learns it from its next beat.
    }
  }

  private mutating func publish(_ event: JobEvent) {
    switch event {
    case .stage(let task, let stage, let worker):
      var notice = notice(task, sentence(task, stage, worker))
      notice.stage = Self.name(stage)
      notice.host = worker.map { KeyText.encode($0) }
      publish(notice, to: "job", "job:\(task.post.hex)")
    case .output(let task, let stream, let offset, let bytes):
      var notice = notice(task, "output")
      notice.stream = stream
      notice.offset = offset
      notice.data = Base64Bytes(bytes)
      publish(notice, to: "job:\(task.post.hex)")
    case .finished(let task, let outcome):
      var notice = notice(task, "finished with exit code \(outcome.exit)")
      notice.stage = "finished"
      notice.exit = outcome.exit
      notice.host = KeyText.encode(outcome.worker)
      publish(notice, to: "job", "job:\(task.post.hex)")
    case .leaseTaken(let task, let requester):
      publish(notice(task, "leased from \(names.name(requester))"), to: "job")
    case .leaseCancelled(let task): publish(notice(task, "lease cancelled"), to: "job")
    }
  }

  /// A stage in words; a task that waits says who was asked and why not.
  private func sentence(_ task: TaskID, _ stage: RequestStage, _ worker: PublicKey?) -> String {
    let names = names
    guard stage == .waiting else { return Self.text(stage) + (worker.map { " on " + names.name($0) } ?? "") }
    let refusals = node.progress(of: task)?.refusals ?? []
    if refusals.isEmpty { return "waiting: no other host of the mesh answers" }
    return "waiting: " + refusals.map { "\(names.name($0.host)) \($0.reason.text)" }.joined(separator: "; ")
  }

  private func notice(_ task: TaskID, _ text: String) -> EventNotice {
    var notice = EventNotice(subscription: 0, type: "job", text: text)
    notice.id = task.post.hex
    notice.index = task.index
    return notice
  }

  /// One word for programs.
  private static func name(_ stage: RequestStage) -> String {
    switch stage {
    case .failed(let reason): "failed:\(reason)"
    default: "\(stage)"
    }
  }

  private func hasSubscribers(_ topic: String) -> Bool {
    desk.connections.values.contains { !$0.session.subscribers(of: topic).isEmpty }
  }

  private mutating func publish(_ notice: EventNotice, to topics: String...) {
    for token in desk.tokens {
      guard var connection = desk.connections[token] else { continue }
      var lines: [UInt8] = []
      for topic in topics {
        for number in connection.session.subscribers(of: topic) {
          var mine = notice
          mine.subscription = number
          lines += connection.session.notify(mine, hasRoom: !connection.isCongested)
        }
      }
      desk.connections[token] = connection
      send(lines, to: token)
    }
  }
}
