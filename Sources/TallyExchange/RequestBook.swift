// Owns: the requester's side of the exchange: asking, choosing, leasing again when a worker is lost, checking what came
// back, paying it. Refuses to know: how entries are stored and how leaves travel. DESIGN section 10.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import TallyWork

struct RequestBook: Sendable {
  enum Timer: Hashable, Sendable {
    case bids(TaskID)
    case ask(TaskID)
    case silence(TaskID)
    case decide(TaskID)
  }

  let me: PublicKey
  var requests: [TaskID: Request] = [:]
  var byAsk: [UInt64: TaskID] = [:]
  /// Posts whose entry has been appended in this turn, until their place is known.
  var posting: [UInt64: (request: JobRequest, postSalt: Bytes32)] = [:]
  var nextNumber: UInt64 = 1
  var linked: [PublicKey] = []
  var timers = TimerTable<Timer>()
  var generator: Generator

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
