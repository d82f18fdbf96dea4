// Owns: the way of one admin request: bytes, session, method, answer. What each method does is in the files beside it.
import Glibc
import TallyAdmin
import TallyBase
import TallyExchange
import TallyLog
import TallyNet
import TallyNode
import TallyStore
import TallyWire

extension Daemon {
  mutating func adminAccepted(_ token: NetToken, label: Int, _ peer: PeerCredentials) {
    let isWorkerSocket = label == UnixLabel.worker
    desk.connections[token] = AdminConnection(
      session: AdminSession(role: isWorkerSocket ? .worker : role(of: peer)), isWorkerSocket: isWorkerSocket)
  }

  /// Root and the daemon's own user may everything; the operators' groups may operate; others may look.
  private func role(of peer: PeerCredentials) -> Role {
    if peer.uid == 0 || peer.uid == geteuid() { return .admin }
    let mayOperate =
      config.operatorUsers.contains(peer.uid) || config.operatorGroups.contains { peer.isIn(group: $0) }
    return mayOperate ? .operate : .read
  }

  mutating func adminReceived(_ token: NetToken, _ bytes: [UInt8], now: Instant) {
    guard var connection = desk.connections[token] else { return }
    var calls: [AdminCall] = []
    var answers: [UInt8] = []
    connection.session.receive(bytes, calls: &calls, answers: &answers)
    if !connection.session.wantsBytes { net.pauseReading(token) }
    desk.connections[token] = connection
    send(answers, to: token)
    for call in calls { carryOut(call, AdminTag(connection: token, call: call.number), now: now) }
  }

  mutating func adminClosed(_ token: NetToken, now: Instant) {
    guard let (connection, requests) = desk.close(token) else { return }
    for request in requests { node.handle(.requestGone(request), now: now, into: &outbox) }
    if !connection.stagings.isEmpty { give(.abandon(connection.stagings), to: threads.blobs) }
    for name in connection.tasks { loseTask(name, now: now) }
    if connection.isWorker && !desk.connections.values.contains(where: { $0.isWorker }) {
      node.handle(.command(.workerGone, RequestID(number: 0)), now: now, into: &outbox)
      tellAttributes(now: now)
    }
  }

  /// A worker went with a task in its hands: the requester learns it at once, not by silence.
  private mutating func loseTask(_ name: TaskName, now: Instant) {
    guard let post = EntryID(hex: name.post) else { return }
    let result = WorkerResult(
      task: TaskID(post: post, index: name.index), attempt: name.attempt, ending: .failed(.lost), cpuMs: 0, wallMs: 0)
    node.handle(.command(.workerResult(result), RequestID(number: 0)), now: now, into: &outbox)
  }

  mutating func send(_ bytes: [UInt8], to token: NetToken) {
    guard !bytes.isEmpty else { return }
    switch net.write(token, bytes) {
    case .queued: break
    case .congested: desk.connections[token]?.isCongested = true
    case .full, .gone:
      // A client that asks and never reads: it is cut off, nobody else waits for it.
      net.close(token)
      adminClosed(token, now: SystemClock.now())
    }
  }

  /// A client that said it is done (`nc -N`) is closed once everything is answered.
  mutating func closeIfDone(_ token: NetToken) {
    guard let connection = desk.connections[token], connection.hasEnded, connection.session.isIdle else { return }
    net.close(token, afterFlush: true)
    adminClosed(token, now: SystemClock.now())
  }

  /// Writes one answer, and goes on with requests that were held back meanwhile.
  mutating func finish(_ tag: AdminTag, _ result: Result<[UInt8], RPCError>) {
    guard var connection = desk.connections[tag.connection] else { return }
    let wasFull = !connection.session.wantsBytes
    let bytes = connection.session.finish(tag.call, result)
    desk.connections[tag.connection] = connection
    send(bytes, to: tag.connection)
    if wasFull && desk.connections[tag.connection] != nil {
      net.resumeReading(tag.connection)
      adminReceived(tag.connection, [], now: SystemClock.now())
    }
    closeIfDone(tag.connection)
  }

  mutating func finish(_ tag: AdminTag, with value: some Encodable) { finish(tag, .success(AdminJSON.encode(value))) }
  mutating func refuse(_ tag: AdminTag, _ error: RPCError) { finish(tag, .failure(error)) }

  // Threads' answers.

  mutating func finish(_ tag: AdminTag, _ answer: Result<AdminReadAnswer, ReadFailure>) {
    guard let open = desk.reads.removeValue(forKey: tag) else { return }
    switch (answer, open) {
    case (.success(.entries(let from, let entries)), .entries(let feed)):
      finish(tag, with: entriesResult(feed, from: from, entries))
    case (.success(.proof(let entry, let head, let path)), .proof(let feed, let index)):
      if let status = node.feed(feed) {
        finish(tag, with: proofResult(status, index: index, entry, head, path))
      } else {
        refuse(tag, .notFound("that feed is no longer carried", hint: "see `tally ledger`"))
      }
    case (.failure(.failed(let fault)), _):
      refuse(
        tag, RPCError(code: RPCError.internalErrorCode, message: "the store: \(fault)", hint: "see `tally status`"))
    default:
      refuse(tag, .notFound("no such entry is stored here", hint: "see `tally ledger` for what is"))
    }
  }

  mutating func finish(_ tag: AdminTag, _ answer: Result<BlobAnswer, BlobFault>, now: Instant) {
    switch answer {
    case .success(.staging(let staging)):
      desk.connections[tag.connection]?.stagings.append(staging)
      finish(tag, with: StagingResult(staging: staging.number))
    case .success(.done): finish(tag, with: Done())
    case .success(.reference(let blob)): finish(tag, with: BlobRow(cid: blob.id.hex, size: blob.size))
    case .success(.leaf(let blob, let leaf, let bytes)):
      desk.fetches[tag] = nil
      finish(tag, with: LeafResult(cid: blob.id.hex, size: blob.size, leaf: leaf, data: bytes))
    case .success(.status(let id, let status)): finish(tag, with: statusResult(id, status))
    case .failure(.unknown):
      if let fetch = desk.fetches.removeValue(forKey: tag) {
        let request = desk.ask(tag, .leaf(fetch.id, fetch.leaf))
        node.handle(
          .command(.fetchLeaf(fetch.id, leaf: fetch.leaf, for: fetch.task), request), now: now, into: &outbox)
      } else {
        refuse(tag, .notFound("that blob, or that upload, is not here", hint: "see `tally put` and `tally get`"))
      }
    case .failure(let fault):
      refuse(
        tag,
        RPCError(code: RPCError.refusedCode, message: "\(fault)", hint: "see `tally status` for room and quota"))
    }
  }

  private func statusResult(_ id: ContentID, _ status: BlobStatus?) -> BlobStatResult {
    switch status {
    case .whole(let size): BlobStatResult(cid: id.hex, size: size, complete: true)
    case .partial(let size, _, _): BlobStatResult(cid: id.hex, size: size, complete: false)
    case nil: BlobStatResult(cid: id.hex, size: 0, complete: id == BlobStore.emptyID)
    }
  }

  // The node's answers.

  mutating func finish(_ request: RequestID, _ reply: Reply) {
    guard let (tag, kind) = desk.answered(request) else { return }
    switch (reply, kind) {
    case (.failed(let fault), _): refuse(tag, Self.error(fault))
    case (.done, _): finish(tag, with: Done())
    case (.pong(let roundTrip, let observed), .ping(let host)):
      finish(tag, with: PongResult(host: host, rttUs: roundTrip.micros, observed: observed.description))
    case (.found(let records, let asked), .lookup(let target)):
      finish(tag, with: lookupResult(target, records, asked: asked))
    case (.recorded(let ref, let released), _):
      finish(
        tag,
        with: RecordResult(
          id: ref.id.hex, feed: ref.feed.hex, index: ref.index, durable: true, released: released))
    case (.posted(let id, let ref), _):
      finish(tag, with: PostResult(id: id.hex, feed: ref.feed.hex, index: ref.index))
    case (.task(let task), _):
      let result = taskResult(task)
      desk.connections[tag.connection]?.tasks.append(result.task)
      finish(tag, with: result)
    case (.goOn(let goOn), _): finish(tag, with: GoOnResult(goOn: goOn))
    case (.leafStored, .leaf(let id, let leaf)): give(.get(tag, id, leaf: leaf), to: threads.blobs)
    default: preconditionFailure("an answer \(reply) to the question \(kind)")
    }
  }

  static func error(_ fault: CommandFault) -> RPCError {
    let code =
      switch fault.code {
      case .notFound: RPCError.notFoundCode
      case .unreachable: RPCError.unreachableCode
      case .timeout: RPCError.timeoutCode
      case .conflict: RPCError.conflictCode
      case .limit: RPCError.limitCode
      case .signingOff: RPCError.signingOffCode
      case .storeFull: RPCError.storeFullCode
      case .refused: RPCError.refusedCode
      }
    return RPCError(code: code, message: fault.message, hint: fault.fix)
  }
}
