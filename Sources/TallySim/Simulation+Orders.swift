// Owns: what users of hosts order, and whether it has come to its end everywhere. An order that a crash swallowed is
// given again. Refuses to know: why.
import TallyBase
import TallyCrypto
import TallyExchange
import TallyGossip
import TallyLog
import TallyNode
import TallyWire
import TallyWork

extension Simulation {
  static let orderAgainAfter: Int64 = 8_000_000

  func addRecord(host: Int, at moment: Int64, isOptional: Bool = false) {
    let number = script.records.count
    let words = Array("record \(number) of host \(host)".utf8) + chance.bytes(chance.below(200))
    script.records.append(
      Script.RecordOrder(
        host: host, words: words, isPublic: chance.percent(30), waitReleased: chance.percent(40),
        isOptional: isOptional))
    if !isOptional { script.openRecords.insert(number) }
    queue.add(.record(number), at: moment)
  }

  func addJob(host: Int, at moment: Int64) {
    let number = script.jobs.count
    let count = chance.percent(30) ? 70_000 + chance.below(200_000) : 100 + chance.below(5_000)
    let input = hosts[host].disk.blobs.put(chance.bytes(count))
    let sha256 = hosts[host].disk.blobs.sha256(of: input) ?? .zero
    let spec = WorkSpec(
      run: ["/bin/sum", "\(number)"], root: .host(arch: "x86_64"),
      inputs: [WorkInput(at: "data", content: .file(input.id, sha256: sha256))])
    do throws(WorkSpecError) {
      script.jobs.append(Script.JobOrder(host: host, words: try spec.canonicalBytes()))
    } catch {
      preconditionFailure("a work of ours has no text: \(error)")
    }
    script.openJobs.insert(number)
    queue.add(.post(number), at: moment)
  }

  func orderRecord(_ number: Int) {
    let order = script.records[number]
    guard order.isOptional || script.openRecords.contains(number), order.host < hosts.count else { return }
    let host = hosts[order.host]
    if !order.isOptional { queue.add(.record(number), at: time + Self.orderAgainAfter) }
    guard let process = host.process else { return }
    script.records[number].tries += 1
    command(
      .record(words: order.words, isPublic: order.isPublic, waitReleased: order.waitReleased), host, process,
      .record(number))
  }

  func recordAnswered(_ number: Int, _ reply: Reply, _ host: SimHost) {
    guard case .recorded(let ref, let released) = reply else { return }
    if script.openRecords.remove(number) != nil { figures.recordsAcknowledged += 1 }
    checker.onRecorded(ref, released: released, host: host)
  }

  func orderJob(_ number: Int) {
    guard script.openJobs.contains(number), script.jobs[number].post == nil else { return }
    let order = script.jobs[number]
    queue.add(.post(number), at: time + Self.orderAgainAfter)
    guard let process = hosts[order.host].process else { return }
    let request = JobRequest(
      work: order.words, terms: Terms(mostUnits: 10), isPublic: chance.percent(30), hold: false, local: false)
    command(.postJob(request), hosts[order.host], process, .post(number))
  }

  func postAnswered(_ number: Int, _ reply: Reply) {
    guard case .posted(let id, _) = reply, script.jobs[number].post == nil else { return }
    script.jobs[number].post = id
  }

  func onEvent(_ event: NodeEvent, _ host: SimHost, _ process: SimProcess) {
    guard case .stopTask(let task, let attempt) = event, let held = process.worker?.task,
      held.task == task, held.attempt == attempt
    else { return }
    workerDrops(host, process)
  }

  // The end.

  /// Hosts that must agree at the end: all but copies of one identity, of which third hosts may hear only one.
  var core: [SimHost] { hosts.filter(\.isHonest) }
  var coreKeys: Set<PublicKey> { Set(core.map(\.key)) }

  /// Nil when everything was answered, every member sees every member, and all clocks and states are one.
  func missing() -> String? {
    if script.faultsLeft > 0 { return "\(script.faultsLeft) faults are still to come" }
    if !script.openRecords.isEmpty { return "records \(script.openRecords.sorted().prefix(8)) were not answered" }
    let core = core
    let keys = coreKeys
    var common: (clock: Digest, state: Digest)?
    for host in core {
      guard let process = host.process, !host.isPaused else { return "host \(host.number) does not run" }
      let members = process.node.members
      let others = keys.subtracting([host.key])
      if members.count(where: { others.contains($0.key) && $0.state == .alive }) != others.count {
        return "host \(host.number) misses members: \(strangers(members, others))"
      }
      let clock = process.node.clockDigest
      if let common, common.clock != clock { return "host \(host.number) has another clock than the first" }
      let state = process.node.stateDigest
      if let common, common.state != state { return "host \(host.number) has another state than the first" }
      common = common ?? (clock, state)
    }
    return missingJob(core)
  }

  private func strangers(_ views: [MemberView], _ keys: Set<PublicKey>) -> String {
    let alive = Set(views.filter { $0.state == .alive }.map(\.key))
    return hosts.filter { keys.contains($0.key) && !alive.contains($0.key) }.prefix(6).map { host in
      "\(host.number) is \(views.first { $0.key == host.key }?.state.word ?? "unknown")"
    }.joined(separator: ", ")
  }

  private func missingJob(_ core: [SimHost]) -> String? {
    for number in script.openJobs.sorted() {
      guard let post = script.jobs[number].post else { return "job \(number) was not posted" }
      for host in core {
        guard let process = host.process, let job = process.node.job(post) else {
          return "host \(host.number) does not know job \(number)"
        }
        if job.summary.state != .accepted {
          let stage = hosts[script.jobs[number].host].process?.node.progress.first { $0.task.post == post }
          let words = stage.map { "\($0)" } ?? "-"
          return "job \(number) is \(job.summary.state.word) at host \(host.number); its requester: \(words)"
        }
      }
    }
    return nil
  }
}
