// Owns: every named limit of the exchange, hit on purpose; and that its layouts are canonical.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import TallyWork
import Testing

@testable import TallyExchange

@Suite struct ExchangeLimitTests {
  @Test func atMostEightMembersAreAsked() throws {
    var world = ExchangeWorld(12)
    world.post(try ExchangeWorld.work())
    // Eleven could: eight are asked, all of them bid, one is chosen.
    #expect(world.sent[MessageType.ask.rawValue] == ExchangeLimits.askCountMax)
    #expect(world.sent[MessageType.bid.rawValue] == ExchangeLimits.askCountMax)
    #expect(world.keys.count { world.hosts[$0]?.exchange.leasedTasks.isEmpty == false } == 1)
    #expect(world.hosts[world.first]?.exchange.progress.first?.attempt == 1)
  }

  @Test func aRequesterMayHoldSoManyPromises() throws {
    var world = ExchangeWorld(2)
    let worker = ExchangeWorld.key(2)
    var policy = ExchangeWorld.policy
    policy.slots = 256
    policy.relations = [ExchangeWorld.key(1): .trusted]
    world.hosts[worker]?.exchange.setPolicy(policy)
    var bids: [BidRefusal?] = []
    for number in 0...ExchangeLimits.reservationsPerPeerMax {
      let task = TaskID(post: EntryID(raw: Bytes32(word0: UInt64(number), word1: 1, word2: 1, word3: 1)), index: 0)
      let ask = AskMessage(
        ask: UInt64(number), task: task, architecture: 1, sandbox: 1, cores: 1, memoryMiB: 1, diskMiB: 1, wallSeconds: 1)
      var effects: [ExchangeEffect] = []
      let now = world.now
      let jobs = world.fold
      world.call(worker) { $0.onMessage(ask.message, from: ExchangeWorld.key(1), jobs: jobs, now: now, into: &effects) }
      for case .send(_, let message) in effects {
        var body = ByteReader(message)
        _ = try body.u8()
        bids.append(try BidMessage(body: &body).refusal)
      }
    }
    #expect(bids.dropLast().allSatisfy { $0 == nil })
    #expect(bids.last == .some(.busy))
    // Promises lapse.
    world.pass(ExchangeLimits.reservationHeld + .seconds(1))
    #expect(world.hosts[worker]?.exchange.nextDeadline == nil)
  }

  @Test func soManyTasksMayBeOpen() throws {
    var book = RequestBook(me: ExchangeWorld.key(1), generator: Generator(seed: .zero, stream: 0))
    let job = JobRequest(
      work: try ExchangeWorld.work(), terms: Terms(mostUnits: 1), isPublic: false, hold: false, local: false)
    var effects: [ExchangeEffect] = []
    for _ in 0..<ExchangeLimits.requestsMax {
      let number = book.post(job, into: &effects)
      #expect(number != nil)
    }
    let tooMany = book.post(job, into: &effects)
    #expect(tooMany == nil)
  }

  @Test func soManyLeavesMayWait() {
    var leaves = Leaves()
    var effects: [ExchangeEffect] = []
    let now = Instant(micros: 0, wallMs: 0)
    for leaf in 0...UInt32(ExchangeLimits.leavesQueuedMax) {
      let isTaken = leaves.fetch(
        ContentID(raw: .zero), leaf: leaf, from: ExchangeWorld.key(2), now: now, into: &effects)
      #expect(isTaken == (leaf < ExchangeLimits.leavesQueuedMax))
    }
  }

  @Test func soManyLeasesMayBeHeld() throws {
    var policy = ExchangeWorld.policy
    policy.slots = .max
    policy.relations = [ExchangeWorld.key(1): .trusted]
    var book = LeaseBook(me: ExchangeWorld.key(2), policy: policy)
    book.onWorker(ExchangeWorld.facts)
    let work = try ExchangeWorld.work()
    let now = Instant(micros: 0, wallMs: 0)
    for number in 0...UInt64(ExchangeLimits.leasesMax) {
      let lease = LeaseMessage(
        task: TaskID(post: EntryID(raw: Bytes32(word0: number, word1: 0, word2: 0, word3: 0)), index: 0), attempt: 1,
        feed: FeedID(raw: .zero), postIndex: 0, grantIndex: 0, postSalt: .zero, taskSalt: .zero, work: work)
      var effects: [ExchangeEffect] = []
      book.onLease(lease, from: ExchangeWorld.key(1), now: now, jobs: Fold(), into: &effects)
    }
    #expect(book.held.count == ExchangeLimits.leasesMax)
  }

  @Test func atMostEightLeavesOfAPeerAreOnTheirWay() {
    var leaves = Leaves()
    var effects: [ExchangeEffect] = []
    let now = Instant(micros: 0, wallMs: 0)
    let peer = ExchangeWorld.key(2)
    let id = ContentID(raw: Bytes32(word0: 1, word1: 0, word2: 0, word3: 0))
    for leaf in 0..<UInt32(20) {
      let isTaken = leaves.fetch(id, leaf: leaf, from: peer, now: now, into: &effects)
      #expect(isTaken)
    }
    #expect(effects.count == ExchangeLimits.leavesInFlightMax)
    // No answer: asked again, three times in all, then those who wait are told.
    effects = []
    for second in 1...40 { leaves.wake(now: Instant(micros: Int64(second) * 10_000_000, wallMs: 0), into: &effects) }
    var told = 0
    for case .leafReady(_, _, nil) in effects { told += 1 }
    #expect(told > 0)
    leaves.onLinkDown(peer, into: &effects)
    #expect(leaves.waitingCount == 0)
  }

  @Test func aPeerMayAskForSoManyLeavesAtOnce() {
    var leaves = Leaves()
    var effects: [ExchangeEffect] = []
    let peer = ExchangeWorld.key(2)
    let id = ContentID(raw: .zero)
    for leaf in 0...UInt32(ExchangeLimits.leavesServedMax) {
      leaves.onRequest(LeafRequest(id: id, leaf: leaf), from: peer, into: &effects)
    }
    var served = 0
    for case .serveLeaf in effects { served += 1 }
    #expect(served == ExchangeLimits.leavesServedMax)
    guard case .fault(_, .aboveLimit(.getLeaf)) = effects.last else {
      Issue.record("no fault for a peer above its share")
      return
    }
  }

  @Test func aLeafThatWasNotAskedForIsAFault() {
    var leaves = Leaves()
    var effects: [ExchangeEffect] = []
    let blob = BlobReference(id: ContentID(raw: .zero), size: 3)
    leaves.onLeaf(
      LeafMessage(blob: blob, leaf: 0, part: 0, path: [], bytes: [1, 2, 3]), from: ExchangeWorld.key(2), into: &effects)
    guard case .fault(_, .unexpected(.leaf)) = effects.first, effects.count == 1 else {
      Issue.record("\(effects)")
      return
    }
  }

  @Test func strangersGetNoLeaves() {
    var world = ExchangeWorld(2)
    let request = LeafRequest(id: ContentID(raw: .zero), leaf: 0)
    let jobs = world.fold
    world.with(ExchangeWorld.key(2)) {
      $0.onMessage(request.message(.getLeaf), from: ExchangeWorld.key(1), jobs: jobs, now: $1, into: &$2)
    }
    #expect(world.hosts[ExchangeWorld.key(2)]?.served.isEmpty == true)
  }

  @Test func layoutsAreCanonical() throws {
    let task = TaskID(post: EntryID(raw: Bytes32(word0: 1, word1: 2, word2: 3, word3: 4)), index: 7)
    let blob = BlobReference(id: ContentID(raw: .zero), size: 40_000)
    let messages: [[UInt8]] = [
      AskMessage(
        ask: 1, task: task, architecture: 1, sandbox: 2, cores: 3, memoryMiB: 4, diskMiB: 5, wallSeconds: 6
      ).message,
      BidMessage(ask: 9, refusal: .busy, startMs: 5).message, BidMessage(ask: 9, refusal: nil, startMs: 5).message,
      LeaseMessage(
        task: task, attempt: 1, feed: FeedID(raw: .zero), postIndex: 1, grantIndex: 2, postSalt: .zero,
        taskSalt: .zero, work: Array("{}".utf8)
      ).message,
      BeatMessage(task: task, attempt: 2, stage: .running, cpuMs: 1).message,
      OutputMessage(task: task, attempt: 2, stream: 1, offset: 3, bytes: [1]).message,
      ResultMessage(
        task: task, attempt: 2, claimIndex: 1, stdout: blob, stderr: blob, manifest: [1], tree: [2]
      ).message,
      TaskNotice(task: task, attempt: 3).message(.cancel), TaskNotice(task: task, attempt: 3).message(.settled),
      LeafRequest(id: blob.id, leaf: 1).message(.getLeaf), LeafRequest(id: blob.id, leaf: 1).message(.noLeaf),
    ] + LeafMessage.parts(blob: blob, leaf: 0, path: [], bytes: [UInt8](repeating: 5, count: 40_000)).map(\.message)
    for message in messages {
      #expect(try Self.again(message) == message)
      for cut in [1, message.count / 2, message.count - 1] where cut < message.count {
        #expect(throws: DecodeError.self) { _ = try Self.again(Array(message[..<cut])) }
      }
      var longer = message
      longer.append(0)
      if message[0] != MessageType.output.rawValue {
        #expect(throws: DecodeError.self) { _ = try Self.again(longer) }
      }
      for index in 1..<min(message.count, 200) {
        var flipped = message
        flipped[index] ^= 0x80
        do { #expect(try Self.again(flipped) == flipped) } catch is DecodeError { continue }
      }
    }
  }

  static func again(_ message: [UInt8]) throws -> [UInt8] {
    var body = ByteReader(message)
    let type = MessageType(rawValue: try body.u8())
    switch type {
    case .ask: return try AskMessage(body: &body).message
    case .bid: return try BidMessage(body: &body).message
    case .lease: return try LeaseMessage(body: &body).message
    case .beat: return try BeatMessage(body: &body).message
    case .output: return try OutputMessage(body: &body).message
    case .result: return try ResultMessage(body: &body).message
    case .cancel, .settled: return try TaskNotice(body: &body).message(type)
    case .getLeaf, .noLeaf: return try LeafRequest(body: &body).message(type)
    case .leaf: return try LeafMessage(body: &body).message
    default: throw DecodeError.unknown(field: "type", value: Int(type.rawValue))
    }
  }
}
