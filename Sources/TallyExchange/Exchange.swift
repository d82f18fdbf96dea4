// Owns: this host's unlogged dealings, as requester and as worker: it hands each message, entry and answer to the book
// that it concerns. Refuses to know: feeds, links, the store. DESIGN sections 2 and 10.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import TallyWork

public struct Exchange: Sendable {
  private let me: PublicKey
  private var requests: RequestBook
  private var leases: LeaseBook
  private var leaves = Leaves()
  /// Words of finished tasks of this requester, by task.
  private var words: [TaskID: TaskWords] = [:]

  public init(me: PublicKey, policy: LendPolicy, generator: Generator) {
    self.me = me
    requests = RequestBook(me: me, generator: generator)
    leases = LeaseBook(me: me, policy: policy)
  }

  /// Rows of the store's tables `requests`, `leases` and `words`; others are none of its business. A row that does not
  /// decode was written by a newer version: it is left alone, and reported by `false`.
  public mutating func recover(_ value: Recovered.Value) -> Bool {
    do throws(DecodeError) {
      var key = ByteReader(value.key)
      switch value.table {
      case .requests:
        requests.recover(try Request(task: try TaskID(from: &key), row: value.value))
      case .leases:
        leases.recover(try Lease(row: value.value))
      case .words:
        words[try TaskID(from: &key)] = try TaskWords(row: value.value)
      default: break
      }
      return true
    } catch {
      return false
    }
  }

  public mutating func start(jobs: Fold, now: Instant, into effects: inout [ExchangeEffect]) {
    leases.onStart(jobs: jobs, now: now, into: &effects)
    requests.onStart(now: now, into: &effects)
  }

  // Time.

  public var nextDeadline: Instant? {
    [requests.nextDeadline, leases.nextDeadline, leaves.nextDeadline].compactMap { $0 }.min()
  }

  public mutating func wake(now: Instant, into effects: inout [ExchangeEffect]) {
    requests.wake(now: now, into: &effects)
    leases.wake(now: now, into: &effects)
    leaves.wake(now: now, into: &effects)
  }

  // Links.

  public mutating func onLinkUp(_ peer: PublicKey, now: Instant, into effects: inout [ExchangeEffect]) {
    requests.onLinkUp(peer, now: now, into: &effects)
    leases.onLinkUp(peer, into: &effects)
  }

  public mutating func onLinkDown(_ peer: PublicKey, into effects: inout [ExchangeEffect]) {
    requests.onLinkDown(peer)
    leaves.onLinkDown(peer, into: &effects)
  }

  /// Messages 0x40 to 0x52; `message` is type and body.
  public mutating func onMessage(
    _ message: [UInt8], from peer: PublicKey, jobs: Fold, now: Instant, into effects: inout [ExchangeEffect]
  ) {
    var body = ByteReader(message)
    do throws(DecodeError) {
      let type = MessageType(rawValue: try body.u8())
      switch type {
      case .ask: leases.onAsk(try AskMessage(body: &body), from: peer, now: now, into: &effects)
      case .bid: requests.onBid(try BidMessage(body: &body), from: peer, now: now, into: &effects)
      case .lease:
        leases.onLease(try LeaseMessage(body: &body), from: peer, now: now, jobs: jobs, into: &effects)
      case .beat: requests.onBeat(try BeatMessage(body: &body), from: peer, now: now, into: &effects)
      case .output: requests.onOutput(try OutputMessage(body: &body), from: peer, into: &effects)
      case .result: requests.onResult(try ResultMessage(body: &body), from: peer, now: now, into: &effects)
      case .cancel: leases.onCancel(try TaskNotice(body: &body), from: peer, into: &effects)
      case .settled: leases.onSettled(try TaskNotice(body: &body), from: peer, into: &effects)
      case .getLeaf: serve(try LeafRequest(body: &body), to: peer, into: &effects)
      case .leaf: leaves.onLeaf(try LeafMessage(body: &body), from: peer, into: &effects)
      case .noLeaf:
        let request = try LeafRequest(body: &body)
        leaves.onRefused(request.id, leaf: request.leaf, from: peer, now: now, into: &effects)
      default: effects.append(.fault(peer, .unexpected(type)))
      }
    } catch {
      effects.append(.fault(peer, .malformed(error)))
    }
  }

  /// Blobs go to hosts with which a task is open, in either direction; nobody else may read them.
  private mutating func serve(_ request: LeafRequest, to peer: PublicKey, into effects: inout [ExchangeEffect]) {
    guard peer == me || requests.isWorker(peer) || leases.isRequester(peer) else {
      effects.append(.send(to: peer, request.message(.noLeaf)))
      return
    }
    leaves.onRequest(request, from: peer, into: &effects)
  }

  // The log.

  /// An entry became durable here, own or foreign.
  public mutating func onStored(
    _ entry: Entry, link: EntryLink, author: PublicKey, jobs: Fold, now: Instant, into effects: inout [ExchangeEffect]
  ) {
    do throws(DecodeError) {
      switch entry.kind {
      case .leaseGrant:
        let body = try LeaseGrantBody.decode(entry.body)
        guard body.worker == me, let post = entry.links.first else { return }
        let id = Names.entryID(feed: post.feed, index: post.index, leaf: post.leaf)
        leases.onGrant(link, post: post, postID: id, body: body, jobs: jobs, into: &effects)
      case .workClaim:
        guard let grant = entry.links.first else { return }
        requests.onClaim(
          link, grant: grant, body: try WorkClaimBody.decode(entry.body), by: author, now: now, into: &effects)
      case .workFail:
        guard let grant = entry.links.first else { return }
        requests.onFail(try WorkFailBody.decode(entry.body), grant: grant, by: author, now: now, into: &effects)
      default: break
      }
    } catch {
      return  // A body that does not parse is a no-op, the same for everyone.
    }
  }

  /// Own entries below `size` are durable and public.
  public mutating func onReleased(
    _ feed: FeedID, size: UInt64, now: Instant, into effects: inout [ExchangeEffect]
  ) {
    requests.onReleased(feed, size: size, now: now, into: &effects)
    leases.onReleased(feed, size: size, into: &effects)
  }

  /// An entry that this part asked for has its place, or could not be written.
  public mutating func onAppended(
    _ tag: AppendTag, _ place: Result<OwnRef, AppendRefusal>, now: Instant, into effects: inout [ExchangeEffect]
  ) {
    switch (tag, place) {
    case (.post(let number), .success(let ref)): requests.onPosted(number, id: ref.id, link: ref.link, into: &effects)
    case (.post(let number), .failure): requests.onPostRefused(number)
    case (.grant(let task), .success(let ref)): requests.onGranted(task, link: ref.link, into: &effects)
    case (.grant(let task), .failure): requests.onAppendRefused(task, now: now)
    case (.claim(let task), .success(let ref)): leases.onClaimAppended(task, ref, into: &effects)
    case (.fail(let task), .success(let ref)): leases.onFailAppended(task, ref)
    case (.claim(let task), .failure), (.fail(let task), .failure): leases.onAppendRefused(task, now: now)
    case (.accept(let task), .success(let ref)): requests.onDecided(task, ref, accepted: true, into: &effects)
    case (.refuse(let task), .success(let ref)): requests.onDecided(task, ref, accepted: false, into: &effects)
    case (.accept(let task), .failure), (.refuse(let task), .failure): requests.onDecisionRefused(task, now: now)
    case (.cancel, _): break
    }
    remember(&effects)
  }

  /// Words go into the store and stay in memory for `show`, `receipt` and `output`.
  private mutating func remember(_ effects: inout [ExchangeEffect]) {
    for effect in effects {
      guard case .store(.put(.words, let key, let value)) = effect else { continue }
      var reader = ByteReader(key)
      do throws(DecodeError) {
        words[try TaskID(from: &reader)] = try TaskWords(row: value)
      } catch {
        preconditionFailure("words that this host wrote do not read back: \(error)")
      }
    }
  }

  /// Own entries from `from` on were taken back: the store had no room. What stood on them is asked for again.
  public mutating func onRolledBack(
    _ feed: FeedID, from: UInt64, now: Instant, into effects: inout [ExchangeEffect]
  ) {
    requests.onRolledBack(feed, from: from, now: now, into: &effects)
    leases.onRolledBack(feed, from: from, now: now)
  }

  /// Own entries stand in a new incarnation now.
  public mutating func onReissued(
    _ moves: [LedgerEffect.Reissue], now: Instant, into effects: inout [ExchangeEffect]
  ) {
    requests.onReissued(moves, now: now, into: &effects)
    leases.onReissued(moves)
  }

  // Blobs.

  public mutating func onBlobStored(
    _ blob: BlobReference, leaf: UInt32, now: Instant, into effects: inout [ExchangeEffect]
  ) {
    leaves.onStored(blob, leaf: leaf, now: now, into: &effects)
    requests.onLeafReady(blob.id, blob: blob, now: now, into: &effects)
  }

  public mutating func onBlobRefused(
    _ id: ContentID, leaf: UInt32, from peer: PublicKey, now: Instant, into effects: inout [ExchangeEffect]
  ) {
    effects.append(.fault(peer, .leafDoesNotMatch))
    leaves.onRefused(id, leaf: leaf, from: peer, now: now, into: &effects)
  }

  public mutating func onLeafRead(
    _ id: ContentID, leaf: UInt32, for peer: PublicKey, blob: BlobReference?, path: [Digest], bytes: [UInt8],
    into effects: inout [ExchangeEffect]
  ) {
    leaves.onRead(id, leaf: leaf, for: peer, blob: blob, path: path, bytes: bytes, into: &effects)
  }

  public mutating func onFileChecked(
    _ id: ContentID, sha256: Digest?, now: Instant, into effects: inout [ExchangeEffect]
  ) {
    requests.onFileChecked(id, sha256: sha256, leaves: &leaves, now: now, into: &effects)
  }

  /// The worker process needs a leaf that is not here: its task's requester has it. False when the task is unknown.
  public mutating func fetch(
    _ id: ContentID, leaf: UInt32, for task: TaskID, now: Instant, into effects: inout [ExchangeEffect]
  ) -> Bool {
    guard let lease = leases.lease(task), lease.requester != me else { return false }
    return leaves.fetch(id, leaf: leaf, from: lease.requester, now: now, into: &effects)
  }

  // The client.

  /// nil: too many tasks are open. The number comes back in `AppendTag.post`.
  public mutating func post(_ job: JobRequest, into effects: inout [ExchangeEffect]) -> UInt64? {
    requests.post(job, into: &effects)
  }

  public mutating func cancel(_ post: EntryID, into effects: inout [ExchangeEffect]) -> Bool {
    requests.cancel(post, into: &effects)
  }

  public mutating func decide(_ task: TaskID, accept: Bool, into effects: inout [ExchangeEffect]) -> Bool {
    requests.decide(task, accept: accept, into: &effects)
  }

  // The worker process.

  public mutating func setPolicy(_ policy: LendPolicy) { leases.setPolicy(policy) }

  public mutating func onWorker(_ facts: WorkerFacts) { leases.onWorker(facts) }

  public mutating func onWorkerHungry(into effects: inout [ExchangeEffect]) { leases.onWorkerHungry(into: &effects) }

  /// Somebody who waited for a task waits no more.
  public mutating func onWorkerNoLongerHungry() { leases.onWorkerNoLongerHungry() }

  public mutating func onWorkerBeat(
    _ task: TaskID, attempt: UInt16, stage: BeatMessage.Stage, cpuMs: UInt64, into effects: inout [ExchangeEffect]
  ) -> Bool {
    leases.onWorkerBeat(task, attempt: attempt, stage: stage, cpuMs: cpuMs, into: &effects)
  }

  public mutating func onWorkerOutput(
    _ task: TaskID, attempt: UInt16, stream: UInt8, offset: UInt64, bytes: [UInt8], into effects: inout [ExchangeEffect]
  ) {
    leases.onWorkerOutput(task, attempt: attempt, stream: stream, offset: offset, bytes: bytes, into: &effects)
  }

  public mutating func onWorkerResult(_ result: WorkerResult, into effects: inout [ExchangeEffect]) {
    leases.onWorkerResult(result, into: &effects)
  }

  public mutating func onWorkerGone(into effects: inout [ExchangeEffect]) { leases.onWorkerGone(into: &effects) }

  // Queries.

  public var policy: LendPolicy { leases.policy }
  public var worker: WorkerFacts? { leases.workerFacts }
  public var progress: [JobProgress] { requests.progress }
  public func progress(of task: TaskID) -> JobProgress? { requests.progress(of: task) }
  public func words(of task: TaskID) -> TaskWords? { words[task] }
  /// Tasks that this host's worker holds, sorted.
  public var leasedTasks: [(task: TaskID, requester: PublicKey, stage: String)] {
    leases.held.map { ($0.task, $0.requester, $0.phase.word) }
  }
}
