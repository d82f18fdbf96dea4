// Owns: a worker process as its daemon sees it: it asks, fetches, beats, prints, hands back a real manifest and tree.
// Refuses to know: sandboxes. What it "computes" is the SHA-256 of its inputs.
import TallyBase
import TallyCrypto
import TallyExchange
import TallyNode
import TallyWire
import TallyWork

enum WorkerStep: Sendable {
  case hello
  case beat(TaskID, attempt: UInt16)
  case finish(TaskID, attempt: UInt16)
}

struct ModelWorker {
  var task: WorkerTask?
  var inputs: [ContentID] = []
  var references: [ContentID: BlobReference] = [:]
  var leavesLeft = 0
  var isRunning = false
}

extension Simulation {
  func startWorker(_ host: SimHost, _ process: SimProcess) {
    process.worker = ModelWorker()
    schedule(.worker(host: host.number, generation: process.generation, .hello), after: chance.within(5_000...300_000))
  }

  func workerCrashes(_ host: SimHost) {
    guard let process = host.process, process.worker != nil else { return }
    process.worker = nil
    command(.workerGone, host, process, .ignored)
    startWorker(host, process)
  }

  func workerSteps(_ host: SimHost, _ process: SimProcess, _ step: WorkerStep) {
    guard process.worker != nil else { return }
    switch step {
    case .hello:
      let facts = WorkerFacts(
        architecture: Architecture.x8664.rawValue, nativeSandbox: true, wasmSandbox: false, limitsBy: "model",
        cause: "")
      command(.workerHello(facts), host, process, .ignored)
      command(.workerNext, host, process, .workerNext)
    case .beat(let task, let attempt):
      guard isAt(process, task, attempt) else { return }
      command(.workerBeat(task, attempt: attempt, stage: .running, cpuMs: 1000), host, process, .workerBeat)
      schedule(.worker(host: host.number, generation: process.generation, step), after: 1_000_000)
    case .finish(let task, let attempt):
      guard isAt(process, task, attempt) else { return }
      finish(host, process)
    }
  }

  private func isAt(_ process: SimProcess, _ task: TaskID, _ attempt: UInt16) -> Bool {
    process.worker?.isRunning == true && process.worker?.task?.task == task && process.worker?.task?.attempt == attempt
  }

  func workerAnswered(_ host: SimHost, _ process: SimProcess, _ purpose: Purpose, _ reply: Reply) {
    switch (purpose, reply) {
    case (.workerNext, .task(let task)): workerTakes(task, host, process)
    case (.workerBeat, .goOn(false)): workerDrops(host, process)
    case (.workerFetch(let leaf), .leafStored(let blob)): workerFetched(blob, leaf: leaf, host, process)
    case (.workerFetch, .failed): workerFails(.blobUnavailable, host, process)
    default: break
    }
  }

  func workerDrops(_ host: SimHost, _ process: SimProcess) {
    guard process.worker?.task != nil else { return }
    process.worker = ModelWorker()
    command(.workerNext, host, process, .workerNext)
  }

  private func workerFails(_ reason: FailReason, _ host: SimHost, _ process: SimProcess) {
    guard let task = process.worker?.task else { return }
    let result = WorkerResult(task: task.task, attempt: task.attempt, ending: .failed(reason), cpuMs: 1, wallMs: 1)
    command(.workerResult(result), host, process, .ignored)
    workerDrops(host, process)
  }

  private func workerTakes(_ task: WorkerTask, _ host: SimHost, _ process: SimProcess) {
    var worker = ModelWorker()
    worker.task = task
    do throws(WorkSpecError) {
      for input in try WorkSpec.parse(task.work).inputs {
        if case .file(let id, _) = input.content { worker.inputs.append(id) }
      }
    } catch {
      fail("S1", host: host.number, "a work that does not parse reached a worker: \(error)")
    }
    worker.leavesLeft = worker.inputs.count
    process.worker = worker
    for id in worker.inputs {
      command(.fetchLeaf(id, leaf: 0, for: task.task), host, process, .workerFetch(leaf: 0))
    }
    if worker.inputs.isEmpty { workerRuns(host, process) }
  }

  /// The first leaf tells how many there are.
  private func workerFetched(_ blob: BlobReference, leaf: UInt32, _ host: SimHost, _ process: SimProcess) {
    guard var worker = process.worker, let task = worker.task, worker.inputs.contains(blob.id) else { return }
    worker.leavesLeft -= 1
    if leaf == 0, worker.references[blob.id] == nil {
      worker.references[blob.id] = blob
      let count = UInt32(BlobLimits.leafCount(size: blob.size))
      for next in 1..<max(1, count) {
        worker.leavesLeft += 1
        command(.fetchLeaf(blob.id, leaf: next, for: task.task), host, process, .workerFetch(leaf: next))
      }
    }
    process.worker = worker
    if worker.leavesLeft == 0 { workerRuns(host, process) }
  }

  private func workerRuns(_ host: SimHost, _ process: SimProcess) {
    guard let task = process.worker?.task else { return }
    process.worker?.isRunning = true
    let generation = process.generation
    let beat = WorkerStep.beat(task.task, attempt: task.attempt)
    let finish = WorkerStep.finish(task.task, attempt: task.attempt)
    schedule(.worker(host: host.number, generation: generation, beat), after: 100_000)
    schedule(.worker(host: host.number, generation: generation, finish), after: chance.within(300_000...6_000_000))
    let line = Array("working on \(task.task.index)\n".utf8)
    command(
      .workerOutput(task.task, attempt: task.attempt, stream: 1, offset: 0, bytes: line), host, process, .ignored)
  }

  private func finish(_ host: SimHost, _ process: SimProcess) {
    guard let worker = process.worker, let task = worker.task else { return }
    var sums: [UInt8] = []
    for id in worker.inputs {
      guard let blob = worker.references[id], let bytes = host.disk.blobs.bytes(of: blob) else {
        workerFails(.blobUnavailable, host, process)
        return
      }
      sums += Array("\(SHA256Hash.hash(bytes).hex)\n".utf8)
    }
    let file = host.disk.blobs.put(sums)
    let stdout = host.disk.blobs.put(Array("working on \(task.task.index)\n".utf8))
    let empty = host.disk.blobs.put([])
    let path = Array("sums.txt".utf8)
    let manifest = Manifest(
      workHash: WorkHash.work(task.work), index: task.task.index, exit: 0,
      files: [Manifest.File(path: path, sha256: SHA256Hash.hash(sums), isExecutable: false)])
    let tree = Tree(lines: [Tree.Line(path: path, node: .file(file.id, size: file.size, isExecutable: false))])
    do throws(TextError) {
      let ending = WorkerResult.Ending.finished(
        exit: 0, units: 3, rootMade: true, stdout: stdout, stderr: empty, manifest: try manifest.text(),
        tree: try tree.text())
      let result = WorkerResult(task: task.task, attempt: task.attempt, ending: ending, cpuMs: 2500, wallMs: 3000)
      command(.workerResult(result), host, process, .ignored)
    } catch {
      preconditionFailure("a manifest of ours has no text: \(error)")
    }
    workerDrops(host, process)
  }
}
