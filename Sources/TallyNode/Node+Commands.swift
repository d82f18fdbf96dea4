// Owns: what an order of the operator or the worker process sets in motion, and how it is answered.
import TallyBase
import TallyCrypto
import TallyExchange
import TallyGossip
import TallyLog
import TallySession
import TallyTable
import TallyWire

extension Node {
  mutating func carryOut(_ command: Command, _ request: RequestID, now: Instant, into outbox: inout Outbox) {
    guard hasStarted, !desk.isFull else {
      let fault = CommandFault(
        .limit, "too many questions wait for an answer (\(NodeLimits.waitingRequestsMax))", fix: "ask again later")
      outbox.append(.reply(request, .failed(fault)))
      return
    }
    switch command {
    case .record(let words, let isPublic, let waitReleased):
      record(words, isPublic: isPublic, waitReleased: waitReleased, request, now: now, into: &outbox)
    case .postJob(let job):
      if let number = exchange.post(job, into: &effects.exchange) {
        desk.postings[number] = request
      } else {
        let fault = CommandFault(
          .limit, "\(ExchangeLimits.requestsMax) tasks are open", fix: "wait for some, or cancel them: tally jobs")
        outbox.append(.reply(request, .failed(fault)))
      }
    case .cancelJob(let post):
      answer(request, exchange.cancel(post, into: &effects.exchange), "no open job of this host has that ID", &outbox)
    case .decide(let task, let yes):
      answer(
        request, exchange.decide(task, accept: yes, into: &effects.exchange), "that task does not wait for a decision",
        &outbox)
    case .ping(let peer): ping(peer, request, now: now, into: &outbox)
    case .lookup(let target):
      if let lookup = table.lookup(target, now: now, into: &effects.table) {
        desk.waitFor(lookup, request)
      } else {
        let fault = CommandFault(.limit, "too many lookups are under way", fix: "ask again in a moment")
        outbox.append(.reply(request, .failed(fault)))
      }
    case .addSeeds(let seeds):
      membership.setSeeds(config.seeds + seeds, now: now, into: &effects.mesh)
      outbox.append(.reply(request, .done))
    case .setPolicy(let policy):
      exchange.setPolicy(policy)
      outbox.append(.reply(request, .done))
    case .setAttributes(let attributes):
      config.attributes = attributes
      membership.update(
        endpoints: config.endpoints, attributes: attributes, identity: identity, now: now, into: &effects.mesh)
      outbox.append(.reply(request, .done))
    case .leave:
      membership.leave(identity: identity, now: now, into: &effects.mesh)
      outbox.append(.reply(request, .done))
    case .beginIncarnation:
      answer(
        request, ledger.beginNewIncarnation(now: now, into: &effects.ledger),
        "the store is broken: nothing may be signed until the daemon is restarted", &outbox)
    default: carryOutForWorker(command, request, now: now, into: &outbox)
    }
  }

  private mutating func carryOutForWorker(
    _ command: Command, _ request: RequestID, now: Instant, into outbox: inout Outbox
  ) {
    switch command {
    case .workerHello(let facts):
      exchange.onWorker(facts)
      outbox.append(.reply(request, .done))
    case .workerNext:
      desk.waitForTask(request)
      exchange.onWorkerHungry(into: &effects.exchange)
    case .workerBeat(let task, let attempt, let stage, let cpuMs):
      let goOn = exchange.onWorkerBeat(task, attempt: attempt, stage: stage, cpuMs: cpuMs, into: &effects.exchange)
      outbox.append(.reply(request, .goOn(goOn)))
    case .workerOutput(let task, let attempt, let stream, let offset, let bytes):
      exchange.onWorkerOutput(
        task, attempt: attempt, stream: stream, offset: offset, bytes: bytes, into: &effects.exchange)
      outbox.append(.reply(request, .done))
    case .workerResult(let result):
      exchange.onWorkerResult(result, into: &effects.exchange)
      outbox.append(.reply(request, .done))
    case .workerGone:
      desk.forgetWorkers()
      exchange.onWorkerGone(into: &effects.exchange)
      outbox.append(.reply(request, .done))
    case .fetchLeaf(let id, let leaf, let task):
      desk.waitForLeaf(id, leaf, request)
      if !exchange.fetch(id, leaf: leaf, for: task, now: now, into: &effects.exchange) {
        _ = desk.leafReady(id, leaf)
        let fault = CommandFault(
          .notFound, "no lease names that task, or too many leaves wait", fix: "the task was taken back: stop it")
        outbox.append(.reply(request, .failed(fault)))
      }
    default: preconditionFailure("not a worker's order: \(command)")
    }
  }

  private func answer(_ request: RequestID, _ isDone: Bool, _ why: String, _ outbox: inout Outbox) {
    let fault = CommandFault(.notFound, why, fix: "see `tally jobs` and `tally status`")
    outbox.append(.reply(request, isDone ? .done : .failed(fault)))
  }

  private mutating func record(
    _ words: [UInt8], isPublic: Bool, waitReleased: Bool, _ request: RequestID, now: Instant,
    into outbox: inout Outbox
  ) {
    guard words.count <= NodeLimits.recordWordsMax else {
      let fault = CommandFault(
        .limit, "a record's words are \(words.count) bytes, the limit is \(NodeLimits.recordWordsMax)",
        fix: "put the bytes with `tally put` and record the content ID")
      outbox.append(.reply(request, .failed(fault)))
      return
    }
    let salt = generator.bytes32()
    let body = isPublic ? RecordBody.plain(words) : RecordBody.salted(words, salt: salt)
    var writer = ByteWriter(capacity: 33)
    body.write(into: &writer)
    switch ledger.append(EntryDraft(kind: .record, links: [], body: writer.bytes), now: now) {
    case .success(let ref):
      turn.add(.put(table: .words, key: ref.id.bytes, value: (isPublic ? Bytes32.zero : salt).bytes + words))
      desk.waitFor(ref, .record(waitReleased: waitReleased), request)
    case .failure(let refusal): outbox.append(.reply(request, .failed(Self.fault(refusal))))
    }
  }

  /// An entry of the exchange has its place, or not: whoever posted the job waits for it.
  mutating func onAppended(_ tag: AppendTag, _ place: Result<OwnRef, AppendRefusal>, into outbox: inout Outbox) {
    guard case .post(let number) = tag, let request = desk.postings.removeValue(forKey: number) else { return }
    switch place {
    case .success(let ref): desk.waitFor(ref, .post, request)
    case .failure(let refusal): outbox.append(.reply(request, .failed(Self.fault(refusal))))
    }
  }

  static func fault(_ refusal: AppendRefusal) -> CommandFault {
    switch refusal {
    case .signingOff(.storeFull(let detail)):
      CommandFault(.storeFull, "this host does not sign: the store is full (\(detail))", fix: "free space; it resumes")
    case .signingOff(.storeBroken(let detail)):
      CommandFault(
        .signingOff, "this host does not sign: a write to the store failed (\(detail))",
        fix: "check the disk, then restart the daemon")
    case .signingOff(.clone(let evidence)):
      CommandFault(
        .signingOff, "this host does not sign: another instance signs with its key (\(evidence))",
        fix: "stop the copy, then `tally api ledger.incarnate` here")
    case .tooManyWaiting:
      CommandFault(.limit, "too many entries wait to be stored", fix: "send slower; try again")
    case .tooLarge(let bytes):
      CommandFault(.limit, "the entry is \(bytes) bytes, the limit is 4096", fix: "make it smaller")
    }
  }

  private mutating func ping(_ peer: PublicKey, _ request: RequestID, now: Instant, into outbox: inout Outbox) {
    guard let record = membership.record(of: peer) ?? table.record(of: peer) else {
      let fault = CommandFault(
        .notFound, "no record of \(KeyText.encode(peer)) is known here", fix: "see `tally peers`, or `tally lookup`")
      outbox.append(.reply(request, .failed(fault)))
      return
    }
    if sessions.ping(peer, over: .datagram, now: now, into: &effects.session) {
      desk.waitForPing(peer, request, until: now + NodeLimits.pingWait)
      return
    }
    guard let endpoint = record.endpoints.first else {
      let fault = CommandFault(
        .unreachable, "\(KeyText.encode(peer)) gives no address", fix: "it must dial this host, or be reachable")
      outbox.append(.reply(request, .failed(fault)))
      return
    }
    desk.pingWhenUp(peer)
    desk.waitForPing(peer, request, until: now + NodeLimits.pingWait)
    sessions.connect(to: peer, at: endpoint, identity: identity, now: now, into: &effects.session)
  }
}
