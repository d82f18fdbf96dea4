// Owns: one job from asking to payment, and what may go wrong between. DESIGN section 10.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import TallyWork
import Testing

@testable import TallyExchange

@Suite struct ExchangeTests {
  @Test func aJobIsAskedLeasedClaimedCheckedAndPaid() throws {
    var world = ExchangeWorld(3)
    world.feedAll()
    world.post(try ExchangeWorld.work())
    let (worker, task) = try #require(world.running)
    #expect(task.requester == world.first && task.attempt == 1)
    world.finish(worker, task, try ExchangeWorld.ending(task, exit: 4))
    #expect(world.outcomes(world.first).isEmpty, "the file has not arrived yet")
    world.serve(worker, [1, 2, 3])
    let outcome = try #require(world.outcomes(world.first).first)
    #expect(outcome.worker == worker && outcome.exit == 4 && outcome.units == 3)
    #expect(world.fold.balances.map(\.amount) == [3])
    #expect(world.hosts[world.first]?.rows[.requests]?.isEmpty == true)
    #expect(world.hosts[world.first]?.rows[.words]?.count == 1)
    #expect(world.hosts[worker]?.rows[.leases]?.isEmpty == true, "settled: the worker let go")
  }

  @Test func nobodyToAskIsSaidAndAskedAgainWhenSomebodyComes() throws {
    var world = ExchangeWorld(2)
    let other = ExchangeWorld.key(2)
    world.with(world.first) { exchange, _, effects in exchange.onLinkDown(other, into: &effects) }
    world.post(try ExchangeWorld.work())
    #expect(world.hosts[world.first]?.exchange.progress.first?.stage == .waiting)
    world.feedAll()
    world.with(world.first) { $0.onLinkUp(other, now: $1, into: &$2) }
    world.pass(.seconds(1))
    #expect(world.running?.0 == other)
  }

  @Test func everyRefusalIsReported() throws {
    var world = ExchangeWorld(2)
    let other = ExchangeWorld.key(2)
    let cases: [(BidRefusal, (inout Exchange) -> Void)] = [
      (.notLending, { $0.setPolicy(LendPolicy.nothing) }),
      (.notTrusted, { $0.setPolicy(ExchangeWorld.policy) }),
      (
        .blocked,
        { exchange in
          var policy = ExchangeWorld.policy
          policy.relations = [ExchangeWorld.key(1): .blocked]
          exchange.setPolicy(policy)
        }
      ),
      (
        .memory,
        { exchange in
          var policy = ExchangeWorld.policy
          policy.relations = [ExchangeWorld.key(1): .trusted]
          policy.memoryMiB = 1
          exchange.setPolicy(policy)
        }
      ),
      (
        .cores,
        { exchange in
          var policy = ExchangeWorld.policy
          policy.relations = [ExchangeWorld.key(1): .trusted]
          policy.cores = 0
          exchange.setPolicy(policy)
        }
      ),
    ]
    for (refusal, change) in cases {
      world.call(other, change)
      if refusal == .notLending { world.post(try ExchangeWorld.work()) }
      world.pass(.seconds(40))
      #expect(world.hosts[world.first]?.exchange.progress.first?.refusals.map(\.reason) == [refusal])
    }
  }

  @Test func aSilentWorkerLosesItsLeaseAndAnotherIsPaidOnce() throws {
    var world = ExchangeWorld(3)
    world.feedAll()
    world.post(try ExchangeWorld.work())
    let (lost, firstTask) = try #require(world.running)
    world.cut = [lost]
    world.with(world.first) { exchange, _, effects in exchange.onLinkDown(lost, into: &effects) }
    world.hosts[lost]?.given = []
    world.pass(.seconds(20))
    let (worker, task) = try #require(world.running)
    #expect(worker != lost && task.attempt == 2)
    world.finish(worker, task, try ExchangeWorld.ending(task))
    world.serve(worker, [1, 2, 3])
    #expect(world.outcomes(world.first).map(\.worker) == [worker])
    // The lost one comes back and claims too: it is not asked for any more, and paid nothing.
    world.cut = []
    world.finish(lost, firstTask, try ExchangeWorld.ending(firstTask))
    #expect(world.outcomes(world.first).count == 1)
    #expect(world.fold.balances.count == 1)
    #expect(world.count(.accept, by: world.first) == 1)
  }

  @Test func aFailureOfTheJobIsFinalAndOneOfTheWorkerIsNot() throws {
    var world = ExchangeWorld(2)
    world.feedAll()
    world.post(try ExchangeWorld.work())
    let (worker, task) = try #require(world.running)
    world.finish(worker, task, .failed(.memory))
    #expect(world.hosts[world.first]?.exchange.progress.isEmpty == true)
    #expect(world.count(.workFail, by: worker) == 1)

    var again = ExchangeWorld(2)
    again.feedAll()
    again.post(try ExchangeWorld.work())
    let (other, lost) = try #require(again.running)
    again.feedAll()
    again.finish(other, lost, .failed(.rootUnavailable))
    again.pass(.seconds(3))
    #expect(again.hosts[other]?.given.map(\.attempt) == [1, 2])
  }

  @Test func attemptsEndWithTheLastRealReason() throws {
    var world = ExchangeWorld(2)
    let worker = ExchangeWorld.key(2)
    world.post(try ExchangeWorld.work())
    for _ in 0..<ExchangeLimits.attemptsMax {
      world.feedAll()
      world.pass(.seconds(40))
      guard let task = world.hosts[worker]?.given.popLast() else { break }
      world.finish(worker, task, .failed(.rootUnavailable))
    }
    #expect(world.count(.leaseGrant, by: world.first) == Int(ExchangeLimits.attemptsMax))
    let last = try #require(world.hosts[world.first]?.events.last)
    guard case .stage(_, .failed(.rootUnavailable), _) = last else {
      Issue.record("the client was told \(last)")
      return
    }
  }

  @Test(arguments: ["manifest", "tree", "file"])
  func aResultThatDoesNotFitIsRefusedAndNotPaid(_ what: String) throws {
    var world = ExchangeWorld(2)
    world.feedAll()
    world.post(try ExchangeWorld.work())
    let (worker, task) = try #require(world.running)
    guard
      case .finished(let exit, let units, _, let stdout, let stderr, var manifest, var tree) =
        try ExchangeWorld.ending(task)
    else { return }
    if what == "manifest" { manifest[manifest.count - 2] ^= 1 }
    if what == "tree" {
      tree = try Tree(lines: [Tree.Line(path: Array("out".utf8), node: .link(target: Array("/etc/shadow".utf8)))]).text()
    }
    world.finish(
      worker, task,
      .finished(
        exit: exit, units: units, rootMade: false, stdout: stdout, stderr: stderr, manifest: manifest, tree: tree))
    world.serve(worker, what == "file" ? [9, 9, 9] : [1, 2, 3])
    #expect(world.count(.refuse, by: world.first) == 1)
    #expect(world.outcomes(world.first).isEmpty && world.fold.balances.isEmpty)
  }

  static let forgeries: [(@Sendable (inout LeaseMessage) -> Void, ExchangeFault)] = [
    ({ $0.work.append(0x20) }, .workDoesNotMatch),
    ({ $0.postSalt = .zero }, .workDoesNotMatch),
    ({ $0.taskSalt = .zero }, .saltDoesNotMatch),
  ]

  @Test(arguments: 0..<3)
  func aLeaseWhoseWordsDoNotMatchTheLogIsNotRun(_ number: Int) throws {
    let (forge, fault) = Self.forgeries[number]
    var world = ExchangeWorld(2)
    let worker = ExchangeWorld.key(2)
    world.feedAll()
    world.forgeLease = forge
    world.post(try ExchangeWorld.work())
    #expect(world.count(.leaseGrant, by: world.first) == 1)
    #expect(world.running == nil)
    #expect(world.hosts[worker]?.faults == [fault])
  }

  @Test func aHeldResultWaitsForAPerson() throws {
    var world = ExchangeWorld(2)
    world.feedAll()
    world.post(try ExchangeWorld.work(), hold: true)
    let (worker, task) = try #require(world.running)
    world.finish(worker, task, try ExchangeWorld.ending(task))
    world.serve(worker, [1, 2, 3])
    #expect(world.hosts[world.first]?.exchange.progress.first?.stage == .held)
    #expect(world.count(.accept, by: world.first) == 0)
    world.with(world.first) { exchange, _, effects in
      let decided = exchange.decide(task.task, accept: true, into: &effects)
      #expect(decided)
    }
    #expect(world.outcomes(world.first).count == 1)
  }

  @Test func aCancelledTaskIsStoppedAndNotPaid() throws {
    var world = ExchangeWorld(2)
    world.feedAll()
    world.post(try ExchangeWorld.work())
    let (worker, task) = try #require(world.running)
    world.with(world.first) { exchange, _, effects in
      let cancelled = exchange.cancel(task.task.post, into: &effects)
      #expect(cancelled)
    }
    #expect(world.hosts[worker]?.stopped == [task.task])
    var goesOn = true
    world.with(worker) { exchange, _, effects in
      goesOn = exchange.onWorkerBeat(task.task, attempt: 1, stage: .running, cpuMs: 1, into: &effects)
    }
    #expect(!goesOn, "the worker process is told to stop with its next beat")
    world.finish(worker, task, .failed(.cancelled))
    #expect(world.count(.workFail, by: worker) == 1)
    #expect(world.count(.jobCancel, by: world.first) == 1)
    #expect(world.hosts[world.first]?.rows[.requests]?.isEmpty == true)
  }

  @Test func openTasksAndLeasesSurviveARestart() throws {
    var world = ExchangeWorld(2)
    let worker = ExchangeWorld.key(2)
    world.feedAll()
    world.post(try ExchangeWorld.work())
    let (_, task) = try #require(world.running)
    let restart = { (world: inout ExchangeWorld, key: PublicKey) in
      let rows = world.hosts[key]?.rows ?? [:]
      var policy = ExchangeWorld.policy
      policy.relations = [ExchangeWorld.key(1): .trusted]
      var fresh = Exchange(
        me: key, policy: policy, generator: Generator(seed: Bytes32(word0: 77, word1: 0, word2: 0, word3: 0), stream: 1))
      for table in [StoreTable.requests, .leases, .words] {
        for (rowKey, value) in (rows[table] ?? [:]).sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
          let isReadable = fresh.recover(Recovered.Value(table: table, key: rowKey, value: value))
          #expect(isReadable)
        }
      }
      world.hosts[key]?.exchange = fresh
      let jobs = world.fold
      for author in world.keys {
        guard let host = world.hosts[author] else { continue }
        for (index, entry) in host.entries.enumerated() {
          let link = EntryLink(feed: host.feed, index: UInt64(index), leaf: entry.leafHash)
          world.with(key) { $0.onStored(entry, link: link, author: author, jobs: jobs, now: $1, into: &$2) }
        }
      }
      world.with(key) { $0.start(jobs: jobs, now: $1, into: &$2) }
      for other in world.keys where other != key { world.with(key) { $0.onLinkUp(other, now: $1, into: &$2) } }
    }
    restart(&world, world.first)
    #expect(world.hosts[world.first]?.exchange.progress.map(\.task) == [task.task])
    world.finish(worker, task, try ExchangeWorld.ending(task))
    world.serve(worker, [1, 2, 3])
    #expect(world.outcomes(world.first).count == 1, "the requester went on where it was")

    world.post(try ExchangeWorld.work("second"))
    world.feedAll()
    let second = try #require(world.hosts[worker]?.given.last)
    restart(&world, worker)
    #expect(world.count(.workFail, by: worker) == 1, "what ran in a process that is gone is said to be lost")
    #expect(second.attempt == 1)
  }
}
