// Owns: carrying out what a node asked for: net, store, checks, blobs, replies; each after a delay drawn from the seed.
import TallyBase
import TallyLog
import TallyNode
import TallyWire

extension Simulation {
  func flush(_ host: SimHost, _ process: SimProcess) {
    while !process.outbox.isEmpty {
      var batch: [Output] = []
      process.outbox.drain { batch.append($0) }
      for output in batch {
        trace.add(time: time, host: host.number, name: output.traceName, isInput: false, output.traceBytes)
        carryOut(output, host, process)
      }
    }
  }

  private func carryOut(_ output: Output, _ host: SimHost, _ process: SimProcess) {
    switch output {
    case .transmit(let endpoint, let bytes): transmit(bytes, from: host, to: endpoint)
    case .dial(let link, let endpoint): dial(link, endpoint, host, process)
    case .write(let link, let bytes): write(bytes, on: link, host, process)
    case .close(let link):
      hangUp(link, process)
      feed(.linkClosed(link), host, process, host.instant(time))
    case .persist(let commit): persist(commit, host, process)
    case .check(let id, let check):
      figures.checks += 1
      process.checksUnderWay += 1
      checkSlowWork(host, process)
      later(.checked(id: id, check.run()), host, process, mean: options.checkMean)
    case .read(let request):
      figures.reads += 1
      process.readsUnderWay += 1
      checkSlowWork(host, process)
      later(.readDone(host.disk.answer(request)), host, process, mean: options.readMean)
    case .storeLeaf(let content, let leaf, let peer):
      let fits = host.disk.blobs.arrive(content, leaf: leaf)
      let input: Input =
        fits
        ? .blobStored(content.blob, leaf: leaf) : .blobRefused(content.blob.id, leaf: leaf, from: peer)
      later(input, host, process, mean: options.readMean)
    case .serveLeaf(let id, let leaf, let peer):
      let content = host.disk.blobs.leaf(leaf, of: id)
      later(.leafRead(id, leaf: leaf, for: peer, content), host, process, mean: options.readMean)
    case .checkFile(let blob):
      later(.fileChecked(blob.id, sha256: host.disk.blobs.sha256(of: blob)), host, process, mean: options.readMean)
    case .reply(let request, let reply): replied(host, process, request, reply)
    case .event(let event):
      checker.onEvent(event, host, time)
      onEvent(event, host, process)
    }
  }

  private func later(_ input: Input, _ host: SimHost, _ process: SimProcess, mean: Int64) {
    let event = SimEvent.input(host: host.number, generation: process.generation, input)
    schedule(event, after: 1 + chance.exponential(mean: mean))
  }

  // The store's writer.

  private func persist(_ commit: Commit, _ host: SimHost, _ process: SimProcess) {
    figures.commits += 1
    checkCommit(commit, host)
    guard !process.isRefusing else { return }
    if options.mutation == .acknowledgesEarly {
      let through = SimEvent.input(
        host: host.number, generation: process.generation, .persisted(through: commit.number))
      schedule(through, after: 1)
    }
    process.waitingCommits.append(commit)
    writeNext(host, process)
  }

  private func writeNext(_ host: SimHost, _ process: SimProcess) {
    guard process.writingCommits.isEmpty, !process.waitingCommits.isEmpty else { return }
    process.writingCommits = process.waitingCommits
    process.waitingCommits = []
    var delay = 50 + chance.exponential(mean: options.commitMean)
    if chance.percent(options.slowDiskPercent) { delay += chance.within(500_000...5_000_000) }
    if options.mutation == .acknowledgesEarly { delay += 2_000_000 }
    schedule(.committed(host: host.number, generation: process.generation), after: delay)
  }

  /// The transaction is durable, or there was no room for it.
  func committed(_ host: SimHost, _ process: SimProcess) {
    guard let first = process.writingCommits.first else { return }
    if host.isDiskFull {
      figures.commitFaults += 1
      process.writingCommits = []
      process.waitingCommits = []
      process.isRefusing = true
      arrive(.persistFailed(from: first.number, .full(detail: "simulated")), at: host.number)
      return
    }
    for commit in process.writingCommits { apply(commit, on: host) }
    let written = SimEvent.guardWritten(host: host.number, generation: process.generation)
    schedule(written, after: 20 + chance.exponential(mean: 200))
  }

  func guardWritten(_ host: SimHost, _ process: SimProcess) {
    guard let last = process.writingCommits.last else { return }
    for commit in process.writingCommits { if let mark = commit.guardMark { host.disk.guardFile = mark } }
    process.writingCommits = []
    if options.mutation != .acknowledgesEarly { arrive(.persisted(through: last.number), at: host.number) }
    writeNext(host, process)
  }

  /// The node has handled a failure: what was asked for before it is refused, what follows is taken.
  func resumeWriter(_ process: SimProcess) {
    process.waitingCommits = []
    process.isRefusing = false
  }

  func apply(_ commit: Commit, on host: SimHost) {
    if let violation = checker.onCommit(commit, host) {
      fail(violation.law, host: host.number, violation.text)
    }
    host.disk.apply(commit)
  }

  // Commands.

  func command(_ command: Command, _ host: SimHost, _ process: SimProcess, _ purpose: Purpose) {
    let request = process.nextRequest
    process.nextRequest += 1
    process.requests[request] = purpose
    arrive(.command(command, RequestID(number: request)), at: host.number)
  }

  private func replied(_ host: SimHost, _ process: SimProcess, _ request: RequestID, _ reply: Reply) {
    figures.replies += 1
    guard let purpose = process.requests.removeValue(forKey: request.number) else {
      fail("S6", host: host.number, "a reply to a question that nobody asked, or a second one: \(reply)")
      return
    }
    switch purpose {
    case .record(let number): recordAnswered(number, reply, host)
    case .post(let number): postAnswered(number, reply)
    case .workerNext, .workerBeat, .workerFetch: workerAnswered(host, process, purpose, reply)
    case .ignored: break
    }
  }
}
