// Owns: what every method of the admin socket does. The table of methods is in the admin module; a method that is there
// and not here fails a test.
import TallyAdmin
import TallyBase
import TallyCrypto
import TallyExchange
import TallyGossip
import TallyLog
import TallyNode
import TallyStore
import TallyWire
import TallyWork

extension Daemon {
  mutating func carryOut(_ call: AdminCall, _ tag: AdminTag, now: Instant) {
    do throws(RPCError) {
      // What was asked before is still answered; a client that goes on asking would keep the end waiting.
      guard stopDeadline == nil else { throw .stopping }
      if try look(call, tag) { return }
      if try order(call, tag, now: now) { return }
      if try moveBlob(call, tag) { return }
      if try work(call, tag, now: now) { return }
      if try own(call, tag, now: now) { return }
      preconditionFailure("the method \(call.method.name) is in the table and not carried out")
    } catch {
      refuse(tag, error)
    }
  }

  // Looking.

  private mutating func look(_ call: AdminCall, _ tag: AdminTag) throws(RPCError) -> Bool {
    let request = call.request
    switch call.method.name {
    case "hello": try hello(request.decode(HelloParams.self), tag)
    case "api.discover": finish(tag, with: Discovery(methods: MethodTable.all.map(Discovery.Row.init)))
    case "status": finish(tag, with: statusResult)
    case "id": finish(tag, with: idResult)
    case "peers": finish(tag, with: PeersResult(members: peerRows))
    case "ledger": finish(tag, with: ledgerResult)
    case "clock": finish(tag, with: clockResult)
    case "balance": finish(tag, with: balanceResult)
    case "jobs":
      let last = try limited(request.decode(LastParams.self).last)
      finish(tag, with: JobsResult(jobs: node.jobs(last: last).map { jobRow($0, names: names) }))
    case "job.show":
      let id = try job(request.decode(JobParams.self).id)
      finish(tag, with: try jobResult(id))
    case "records":
      let last = try limited(request.decode(LastParams.self).last)
      finish(tag, with: RecordsResult(records: recordRows(last: last)))
    case "checkpoint": finish(tag, with: try checkpointResult(feed(request.decode(FeedParams.self).feed)))
    case "ledger.entries":
      let params = try request.decode(EntriesParams.self)
      let status = try feed(params.feed)
      let from = params.from ?? 0
      let to = min(params.to ?? status.size, status.size)
      guard from < to else {
        finish(tag, with: EntriesResult(feed: status.row.feed.hex, size: status.size, entries: []))
        return true
      }
      desk.reads[tag] = .entries(status.row.feed)
      give(.admin(tag, .entries(feed: status.row.feed, from: from, to: to)), to: threads.reads)
    case "ledger.proof":
      let params = try request.decode(ProofParams.self)
      let status = try feed(params.feed)
      guard params.index < status.size else {
        throw .notFound(
          "feed \(status.row.feed.hex.prefix(8)) has \(status.size) entries here, not one at index \(params.index)",
          hint: "see `tally ledger`; an entry that was just written may be on its way")
      }
      desk.reads[tag] = .proof(status.row.feed, params.index)
      give(.admin(tag, .proof(feed: status.row.feed, index: params.index, size: status.size)), to: threads.reads)
    case "events.subscribe": try subscribe(request.decode(SubscribeParams.self), tag)
    default: return false
    }
    return true
  }

  private struct Discovery: Encodable {
    struct Row: Encodable {
      let name: String
      let role: String
      let summary: String
      let params: String
      let result: String
      init(_ method: Method) {
        name = method.name
        role = method.role.rawValue
        summary = method.summary
        params = method.params
        result = method.result
      }
    }
    let api = "1.0"
    let methods: [Row]
  }

  private mutating func hello(_ params: HelloParams, _ tag: AdminTag) throws(RPCError) {
    guard var connection = desk.connections[tag.connection] else { return }
    if let wanted = params.role, !connection.session.lower(to: wanted) {
      throw .denied(need: wanted, have: connection.session.role)
    }
    desk.connections[tag.connection] = connection
    finish(
      tag,
      with: HelloResult(server: "tallyd \(TallyVersion.text)", role: connection.session.role, mesh: mesh.name))
  }

  private mutating func subscribe(_ params: SubscribeParams, _ tag: AdminTag) throws(RPCError) {
    let known: Set<String> = ["job", "member", "entry", "ledger", "refused", "fault"]
    let wanted = Set(params.types ?? known.sorted())
    if let unknown = wanted.subtracting(known).sorted().first {
      throw .invalidParams(
        "there are no events of type \"\(unknown)\"; there are \(known.sorted().joined(separator: ", "))")
    }
    try subscribe(to: wanted, tag)
  }

  private mutating func subscribe(to topics: Set<String>, _ tag: AdminTag) throws(RPCError) {
    guard let number = desk.connections[tag.connection]?.session.subscribe(to: topics) else {
      throw RPCError(
        code: RPCError.limitCode, message: "this connection has \(AdminLimits.subscriptionsMax) subscriptions",
        hint: "open another connection")
    }
    finish(tag, with: SubscribeResult(subscription: number))
  }

  private func limited(_ last: Int?) throws(RPCError) -> Int {
    let count = last ?? 100
    guard (1...10_000).contains(count) else { throw .invalidParams("last must be 1 to 10000") }
    return count
  }

  // Orders.

  private mutating func order(_ call: AdminCall, _ tag: AdminTag, now: Instant) throws(RPCError) -> Bool {
    let request = call.request
    switch call.method.name {
    case "ping":
      let params = try request.decode(HostParams.self)
      let key = try host(params.host)
      command(.ping(key), tag, .ping(host: names.name(key)), now: now)
    case "lookup":
      let params = try request.decode(LookupParams.self)
      let target: NodeID
      if let id = NodeID(hex: params.target) {
        target = id
      } else {
        target = Names.nodeID(mesh: meshID, key: try host(params.target))
      }
      command(.lookup(target), tag, .lookup(target: target.hex), now: now)
    case "record.put":
      let params = try request.decode(RecordParams.self)
      let wait = params.wait ?? "durable"
      guard wait == "durable" || wait == "released" else { throw .invalidParams("wait must be durable or released") }
      command(
        .record(
          words: params.words.bytes, isPublic: params.isPublic ?? false, waitReleased: wait == "released"),
        tag, .record, now: now)
    case "job.post": command(.postJob(try jobRequest(request.decode(PostParams.self))), tag, .post, now: now)
    case "job.cancel": command(.cancelJob(try job(request.decode(JobParams.self).id)), tag, .plain, now: now)
    case "job.decide":
      let params = try request.decode(DecideParams.self)
      let task = TaskID(post: try job(params.id), index: params.index ?? 0)
      command(.decide(task, accept: params.accept), tag, .plain, now: now)
    case "job.watch":
      let id = try job(request.decode(JobParams.self).id)
      try subscribe(to: ["job:\(id.hex)"], tag)
    case "job.words":
      let params = try request.decode(JobParams.self)
      finish(tag, with: try wordsResult(TaskID(post: job(params.id), index: params.index ?? 0)))
    case "join":
      let params = try request.decode(JoinParams.self)
      command(.addSeeds([try seed(params.url)]), tag, .plain, now: now)
    case "leave": command(.leave, tag, .plain, now: now)
    case "ledger.incarnate": command(.beginIncarnation, tag, .plain, now: now)
    default: return false
    }
    return true
  }

  mutating func command(_ command: Command, _ tag: AdminTag, _ reply: PendingReply, now: Instant) {
    let request = desk.ask(tag, reply)
    node.handle(.command(command, request), now: now, into: &outbox)
  }

  private func jobRequest(_ params: PostParams) throws(RPCError) -> JobRequest {
    let work = Array(params.work.utf8)
    do throws(WorkSpecError) {
      _ = try WorkSpec.parse(work)
    } catch {
      throw .invalidParams("work: \(error)")
    }
    let unit = try unitName(params.unit)
    let resources = JobResources(
      cpuSeconds: params.cpuS ?? 3600, wallSeconds: params.wallS ?? 3600, memoryMebibytes: params.memMb ?? 1024,
      diskMebibytes: params.diskMb ?? 1024, outputMebibytes: params.outMb ?? 256, processes: params.procs ?? 128)
    let terms = Terms(
      unit: unit, mostUnits: params.mostUnits ?? UInt64(resources.cpuSeconds), tasks: params.tasks ?? 1,
      resources: resources)
    guard terms.isWithinLimits else {
      throw .invalidParams("a limit of the job is 0 or larger than this version allows; see PROTOCOL.md, job.post")
    }
    return JobRequest(
      work: work, terms: terms, isPublic: params.isPublic ?? false, hold: params.hold ?? false,
      local: params.local ?? false)
  }

  private func unitName(_ text: String?) throws(RPCError) -> UnitName {
    guard let text else { return .cpuSeconds }
    guard let unit = UnitName(text) else { throw .invalidParams("unit must be 1 to 8 of a-z 0-9 - . _") }
    return unit
  }

  private func seed(_ url: String) throws(RPCError) -> Seed {
    let invite: Invite
    do throws(InviteError) {
      invite = try Invite(parsing: url)
    } catch {
      throw .invalidParams("url: \(error)")
    }
    guard invite.mesh == mesh.name, invite.nonce == mesh.nonce else {
      throw RPCError(
        code: RPCError.conflictCode, message: "that invite is for another mesh (\(invite.mesh))",
        hint: "a daemon belongs to one mesh: tally up --data DIR --join URL starts another")
    }
    guard let seed = config.seed(of: invite) else {
      throw RPCError(
        code: RPCError.unreachableCode, message: "the host name \(invite.host) has no address",
        hint: "check the name, or use an IP address")
    }
    return seed
  }

  // Blobs.

  private mutating func moveBlob(_ call: AdminCall, _ tag: AdminTag) throws(RPCError) -> Bool {
    let request = call.request
    switch call.method.name {
    case "blob.begin", "worker.blob.begin":
      guard (desk.connections[tag.connection]?.stagings.count ?? 0) < AdminLimits.stagingsMax else {
        throw RPCError(
          code: RPCError.limitCode, message: "this connection has \(AdminLimits.stagingsMax) uploads open",
          hint: "finish one first")
      }
      give(.begin(tag), to: threads.blobs)
    case "blob.put", "worker.blob.put":
      let params = try request.decode(BlobPutParams.self)
      try requireOwn(params.staging, tag)
      give(.put(tag, StagingID(number: params.staging), params.data.bytes), to: threads.blobs)
    case "blob.finish", "worker.blob.finish":
      let params = try request.decode(StagingParams.self)
      try requireOwn(params.staging, tag)
      desk.connections[tag.connection]?.stagings.removeAll { $0.number == params.staging }
      give(.finish(tag, StagingID(number: params.staging)), to: threads.blobs)
    case "blob.get", "worker.blob.get":
      let params = try request.decode(BlobGetParams.self)
      let id = try content(params.cid)
      if let name = params.task {
        desk.fetches[tag] = PendingFetch(id: id, leaf: params.leaf, task: try task(name).0)
      }
      give(.get(tag, id, leaf: params.leaf), to: threads.blobs)
    case "blob.stat":
      give(.stat(tag, try content(request.decode(BlobParams.self).cid)), to: threads.blobs)
    default: return false
    }
    return true
  }

  private func requireOwn(_ staging: UInt64, _ tag: AdminTag) throws(RPCError) {
    guard desk.connections[tag.connection]?.stagings.contains(where: { $0.number == staging }) == true else {
      throw .notFound("this connection has no upload \(staging)", hint: "blob.begin opens one")
    }
  }

  private func content(_ text: String) throws(RPCError) -> ContentID {
    guard let id = ContentID(hex: text) else { throw .invalidParams("cid must be 64 hexadecimal digits") }
    return id
  }

  // The worker process.

  private mutating func work(_ call: AdminCall, _ tag: AdminTag, now: Instant) throws(RPCError) -> Bool {
    let request = call.request
    switch call.method.name {
    case "worker.hello":
      let params = try request.decode(WorkerHelloParams.self)
      let facts = WorkerFacts(
        architecture: params.arch == "x86_64" ? 1 : params.arch == "aarch64" ? 2 : 0, nativeSandbox: params.native,
        wasmSandbox: params.wasm, limitsBy: params.limitsBy, cause: params.cause)
      desk.connections[tag.connection]?.isWorker = true
      command(.workerHello(facts), tag, .plain, now: now)
      tellAttributes(now: now)
    case "worker.next": command(.workerNext, tag, .task, now: now)
    case "worker.beat":
      let params = try request.decode(WorkerBeatParams.self)
      let stages: [String: BeatMessage.Stage] = ["fetching": .fetching, "running": .running, "collecting": .collecting]
      guard let stage = stages[params.stage] else {
        throw .invalidParams("stage must be fetching, running or collecting")
      }
      let (task, attempt) = try task(params.task)
      command(.workerBeat(task, attempt: attempt, stage: stage, cpuMs: params.cpuMs), tag, .goOn, now: now)
    case "worker.output":
      let params = try request.decode(WorkerOutputParams.self)
      let bytes = params.data.bytes
      guard (1...2).contains(params.stream), (1...ExchangeWireLimits.outputSizeMax).contains(bytes.count) else {
        throw .invalidParams("stream is 1 or 2; data is 1 to \(ExchangeWireLimits.outputSizeMax) bytes")
      }
      let (task, attempt) = try task(params.task)
      command(
        .workerOutput(task, attempt: attempt, stream: params.stream, offset: params.offset, bytes: bytes), tag, .plain,
        now: now)
    case "worker.done":
      let name = try request.decode(WorkerDoneParams.self).task
      for token in desk.tokens { desk.connections[token]?.tasks.removeAll { $0 == name } }
      command(.workerResult(try workerResult(request.decode(WorkerDoneParams.self))), tag, .plain, now: now)
    default: return false
    }
    return true
  }

  func task(_ name: TaskName) throws(RPCError) -> (TaskID, UInt16) {
    guard let post = EntryID(hex: name.post) else { throw .invalidParams("task.post must be 64 hexadecimal digits") }
    return (TaskID(post: post, index: name.index), name.attempt)
  }

  private func workerResult(_ params: WorkerDoneParams) throws(RPCError) -> WorkerResult {
    let (task, attempt) = try task(params.task)
    let ending: WorkerResult.Ending
    if let failed = params.failed {
      guard let reason = FailReason.allCases.first(where: { "\($0)" == failed }) else {
        throw .invalidParams("failed must be one of \(FailReason.allCases.map { "\($0)" }.joined(separator: ", "))")
      }
      ending = .failed(reason)
    } else {
      guard let exit = params.exit, let stdout = params.stdout, let stderr = params.stderr,
        let manifest = params.manifest?.bytes, let tree = params.tree?.bytes,
        WorkLimits.exitCodes.contains(exit), manifest.count <= ExchangeWireLimits.manifestSizeMax,
        tree.count <= ExchangeWireLimits.treeSizeMax
      else {
        throw .invalidParams("a finished task has exit, stdout, stderr, a manifest of ≤ 24 KiB and a tree of ≤ 32 KiB")
      }
      ending = .finished(
        exit: exit, units: min(params.units ?? 0, WorkLimits.amountEnd - 1), rootMade: params.rootMade ?? false,
        stdout: BlobReference(id: try content(stdout.cid), size: stdout.size),
        stderr: BlobReference(id: try content(stderr.cid), size: stderr.size), manifest: manifest, tree: tree)
    }
    return WorkerResult(task: task, attempt: attempt, ending: ending, cpuMs: params.cpuMs, wallMs: params.wallMs)
  }
}
