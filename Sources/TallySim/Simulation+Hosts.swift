// Owns: the turn of one host, as the daemon does it: drain, handle, wake, end the turn, flush; and what a start does.
// Refuses to know: where inputs come from.
import TallyBase
import TallyCrypto
import TallyExchange
import TallyGossip
import TallyLog
import TallyNode
import TallySession
import TallyWire

extension Simulation {
  /// A deadline that does not move makes a daemon spin; so many idle turns in a row are our mistake.
  static let idleWakesMax = 1000

  func feed(_ input: Input, _ host: SimHost, _ process: SimProcess, _ now: Instant) {
    trace.add(time: time, host: host.number, name: input.traceName, isInput: true, input.traceBytes)
    process.node.handle(input, now: now, into: &process.outbox)
  }

  func turn(_ host: SimHost, _ process: SimProcess) {
    guard !host.isPaused else { return }
    figures.turns += 1
    process.turnAt = nil
    let now = host.instant(time)
    let inputs = process.inbox
    process.inbox = []
    for input in inputs {
      feed(input, host, process, now)
      if case .persistFailed = input { resumeWriter(process) }
    }
    if let deadline = process.node.nextDeadline, deadline <= now { feed(.wake, host, process, now) }
    process.idleWakes = inputs.isEmpty && process.outbox.isEmpty ? process.idleWakes + 1 : 0
    if process.idleWakes > Self.idleWakesMax {
      fail("S6", host: host.number, "\(process.idleWakes) turns in a row woke for nothing: a deadline does not move")
    }
    process.node.endTurn(now: now, into: &process.outbox)
    flush(host, process)
    wantWake(host, process)
  }

  func wantWake(_ host: SimHost, _ process: SimProcess) {
    guard let deadline = process.node.nextDeadline else { return }
    wantTurn(host, process, at: max(time + 1 + options.turnDelay, host.time(of: deadline)))
  }

  // Starting and ending.

  /// As the daemon: recover, replay, start, make the first commit durable, and only then open sockets.
  func start(_ host: SimHost) {
    precondition(host.process == nil, "host \(host.number) runs already")
    guard !host.isDiskFull else {
      schedule(.start(host.number), at: time + 1_000_000)
      return
    }
    host.generation += 1
    host.isPaused = false
    figures.starts += 1
    if host.generator.percent(50) { host.disk.foldHeads() }
    let recovered = host.disk.recovered
    host.disk.wasClean = false
    let now = host.instant(time)
    let node = makeNode(host, recovered, now: now)
    let process = SimProcess(node: node, generation: host.generation)
    host.process = process
    replay(host, process, now)
    feed(.start, host, process, now)
    process.node.endTurn(now: now, into: &process.outbox)
    settleFirstTurn(host, process, now)
    feed(.listening([host.endpoint]), host, process, now)
    process.node.endTurn(now: now, into: &process.outbox)
    flush(host, process)
    if host.lends { startWorker(host, process) }
    wantWake(host, process)
  }

  private func makeNode(_ host: SimHost, _ recovered: Recovered, now: Instant) -> Node {
    let identity: Identity
    do throws(CryptoError) {
      identity = try Identity(seed: host.identitySeed)
    } catch {
      preconditionFailure("host \(host.number) has no identity: \(error)")
    }
    let first = hosts[0]
    let seeds = host.number == 0 ? [] : [Seed(key: first.key, endpoint: first.endpoint)]
    let attributes = Attributes(
      petname: "h\(host.number)", architecture: .x8664, cores: 4, memoryMiB: 4096, lends: host.lends,
      nativeSandbox: host.lends)
    let config = NodeConfig(
      meshName: meshName, meshNonce: meshNonce, meshKeys: meshKeys, endpoints: [host.endpoint],
      attributes: attributes, seeds: seeds, policy: host.policy)
    return Node(
      config, identity: identity, recovered: recovered, entropy: Entropy(seed: host.generator.bytes32()), now: now)
  }

  private func replay(_ host: SimHost, _ process: SimProcess, _ now: Instant) {
    for id in host.disk.feedIDs {
      let entries = host.disk.feeds[id]?.entries ?? []
      for from in stride(from: 0, to: entries.count, by: LedgerLimits.rangeEntries) {
        let run = Array(entries[from..<min(from + LedgerLimits.rangeEntries, entries.count)])
        feed(.replay(feed: id, from: UInt64(from), entries: run), host, process, now)
      }
    }
  }

  private func settleFirstTurn(_ host: SimHost, _ process: SimProcess, _ now: Instant) {
    var kept = Outbox()
    var commits: [Commit] = []
    process.outbox.drain { output in
      if case .persist(let commit) = output { commits.append(commit) } else { kept.append(output) }
    }
    process.outbox = kept
    for commit in commits {
      trace.add(
        time: time, host: host.number, name: "persist", isInput: false, Output.persist(commit).traceBytes)
      apply(commit, on: host)
      if let mark = commit.guardMark { host.disk.guardFile = mark }
    }
    if let last = commits.last { feed(.persisted(through: last.number), host, process, now) }
  }

  /// Everything that is not durable is gone, and all links die: those that the machine knew of by a reset, others
  /// when TCP gives up.
  func crash(_ host: SimHost) {
    guard let process = host.process else { return }
    figures.crashes += 1
    host.process = nil
    host.isPaused = false
    let isSilent = host.generator.percent(30)
    for link in process.links.keys.sorted() {
      guard let end = process.links[link] else { continue }
      connections[end.connection].ends[end.side].isAttached = false
      connections[end.connection].isDoomed = true
      let delay = isSilent ? chance.within(5_000_000...20_000_000) : chance.within(100...50_000)
      schedule(.reset(connection: end.connection), after: delay)
    }
  }

  /// An orderly end: peers are told, what waits for the disk is waited for.
  func stop(_ host: SimHost) {
    guard let process = host.process else { return }
    let now = host.instant(time)
    feed(.stop, host, process, now)
    process.node.endTurn(now: now, into: &process.outbox)
    flush(host, process)
    for commit in process.writingCommits + process.waitingCommits {
      apply(commit, on: host)
      if let mark = commit.guardMark { host.disk.guardFile = mark }
    }
    host.disk.wasClean = true
    crash(host)
  }
}
