// Owns: one task from its blobs to its result: fetch, unpack, run, collect. Refuses to know: sockets, leases, salts.

import CWorker
import Glibc
import TallyBase
import TallyWire
import TallyWork

/// Runs tasks one after the other. One for each slot of a worker; slots may not share a scratch directory.
public struct TaskRunner {
  public var sandbox: Sandbox
  public var roots: RootCache
  /// An existing directory of this runner's own; empty between tasks.
  public let scratch: String
  /// The processors of this slot, given out from the front; empty = any.
  public var processors: [Int]
  public var isIdle: Bool

  public init(sandbox: Sandbox, roots: RootCache, scratch: String, processors: [Int] = [], isIdle: Bool = false) {
    self.sandbox = sandbox
    self.roots = roots
    self.scratch = scratch
    self.processors = processors
    self.isIdle = isIdle
  }

  /// Runs `task` and waits for it. Never throws: what goes wrong is a result too.
  public mutating func run<Blobs: BlobSource & BlobSink>(
    _ task: WorkerTask, blobs: inout Blobs, report: some TaskReport
  ) -> TaskResult {
    var counted = CountedBlobs(inner: blobs)
    var result = TaskResult(ending: .failed(.internal, ""), resources: task.resources)
    let place = "\(scratch)/task"
    do {
      try Folders.remove(place)
      _ = try Folders.make(place)
      result.ending = runHere(task, place: place, blobs: &counted, report: report, result: &result)
      try Folders.remove(place)
    } catch {
      result.ending = .failed(.internal, "\(error)")
    }
    blobs = counted.inner
    result.bytesFetched = counted.bytesFetched
    result.bytesDelivered = counted.bytesDelivered
    return result
  }

  private mutating func runHere<Blobs: BlobSource & BlobSink>(
    _ task: WorkerTask, place: String, blobs: inout Blobs, report: some TaskReport, result: inout TaskResult
  ) -> TaskResult.Ending {
    guard case .tree(let root, let architecture, _) = task.work.root else {
      return .failed(.refused, "this worker runs programs in a root of files only")
    }
    guard architecture == Self.architecture else {
      return .failed(.refused, "the root is for \(architecture), this machine is \(Self.architecture)")
    }
    let path: String
    do { path = try roots.acquire(root, from: &blobs) } catch { return .failed(.rootUnavailable, "\(error)") }
    defer { roots.release(root) }
    let spec: SandboxSpec
    do {
      spec = try specification(task, root: path, place: place, blobs: &blobs)
    } catch {
      return .failed(.blobUnavailable, "\(error)")
    }
    do throws(SandboxFault) {
      return try runSandbox(task, spec, blobs: &blobs, report: report, result: &result)
    } catch {
      guard case .unavailable = error else { return .failed(.refused, "\(error)") }
      result.reason = .sandboxUnavailable("\(error)")
      return .failed(.sandbox, "\(error)")
    }
  }

  /// Unpacks the inputs and says how to run.
  private func specification(
    _ task: WorkerTask, root: String, place: String, blobs: inout some BlobSource
  ) throws(WorkerFault) -> SandboxSpec {
    let most = task.resources
    // Work may ask for no disk or no output at all; a file system cannot be empty.
    let limits = SandboxLimits(
      cpuSeconds: UInt64(most.cpuSeconds), wallSeconds: UInt64(most.wallSeconds),
      memoryMiB: UInt64(most.memoryMebibytes), diskMiB: UInt64(max(1, most.diskMebibytes)),
      outputMiB: UInt64(max(1, most.outputMebibytes)), processCount: UInt64(most.processes))
    var spec = SandboxSpec(arguments: task.work.run, root: root, limits: limits)
    spec.epoch = Int64(clamping: task.work.epoch)
    spec.index = task.index
    spec.isIdle = isIdle
    spec.processors = Array(processors.prefix(Int(clamping: task.work.cores)))
    spec.environment = task.work.environment.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    let unpacker = TreeUnpacker(epoch: spec.epoch)
    for (number, input) in task.work.inputs.enumerated() {
      let path = "\(place)/in-\(number)"
      switch input.content {
      case .file(let id, let sha256): try unpacker.unpackFile(id, sha256: sha256, at: path, from: &blobs)
      case .tree(let id):
        try unpacker.unpack(TreeUnpacker.fetch(id, from: &blobs), purpose: .input, at: path, from: &blobs)
      }
      spec.inputs.append(SandboxInput(at: input.at, path: path))
    }
    if let id = task.work.stdin {
      let path = "\(place)/stdin"
      let file = try Folders.create(Array("stdin".utf8), mode: 0o644, in: SystemCall.openDirectory(path: place))
      var reading = BlobReading(id)
      try reading.read(from: &blobs, sizeMax: WorkerLimits.unpackedBytesMax) { leaf throws(WorkerFault) in
        try SystemCall.write(leaf, to: file.number, path: path)
      }
      spec.standardInput = path
    }
    return spec
  }

  private func runSandbox(
    _ task: WorkerTask, _ spec: SandboxSpec, blobs: inout some BlobSink, report: some TaskReport,
    result: inout TaskResult
  ) throws(SandboxFault) -> TaskResult.Ending {
    let spools: Spools
    do { spools = try Spools(directory: scratch) } catch { return .failed(.internal, "\(error)") }
    var spoolFault: WorkerFault?
    let outcome = try sandbox.run(
      spec,
      onOutput: { stream, bytes in
        report.output(stream, bytes)
        do throws(WorkerFault) { try spools.add(bytes, stream) } catch { spoolFault = error }
      }, shouldStop: { report.shouldStop() })
    result.reason = outcome.reason
    result.usage = outcome.usage
    result.limitsBy = outcome.limitsBy
    result.units = min((outcome.usage.cpuMs + 999) / 1000, UInt64(task.resources.cpuSeconds))
    if let spoolFault { return .failed(.internal, "\(spoolFault)") }
    guard let exit = outcome.reason.manifestExit else {
      let why = outcome.reason.failReason ?? .internal
      return .failed(why, why.words)
    }
    do throws(WorkerFault) {
      return .finished(try collect(task, outcome, exit: exit, spools: spools, to: &blobs))
    } catch {
      guard case .limit = error else { return .failed(.internal, "\(error)") }
      return .failed(.output, "\(error)")
    }
  }

  private func collect(
    _ task: WorkerTask, _ outcome: SandboxOutcome, exit: Int32, spools: Spools, to blobs: inout some BlobSink
  ) throws(WorkerFault) -> TaskOutput {
    let bytesMax = UInt64(max(1, task.resources.outputMebibytes)) << 20
    let out = try OutputCollector.collect(outcome.out, bytesMax: bytesMax, to: &blobs)
    let (output, outputHash) = try spools.store(.output, to: &blobs)
    let (error, _) = try spools.store(.error, to: &blobs)
    let manifest = Manifest(
      workHash: task.workHash, index: task.index, exit: exit,
      stdout: task.agreeOn == .outputsAndStdout ? outputHash : nil, files: out.files, links: out.links,
      directories: out.directories)
    let texts: (manifest: [UInt8], tree: [UInt8])
    do {
      texts = (try manifest.text(), try out.tree.text())
    } catch let fault {
      throw .unsafeTree(path: "/out", why: "\(fault)")
    }
    var writer = BlobWriter()
    let treeReference = try writer.whole(texts.tree, to: &blobs)
    let summary = manifest.isEmpty ? "no files" : out.files.count == 1 ? "1 file" : "\(out.files.count) files"
    return TaskOutput(
      exit: exit, manifest: texts.manifest, tree: texts.tree, treeReference: treeReference, standardOutput: output,
      standardError: error, summary: summary, skipped: out.skipped)
  }

  /// As `uname -m` says it.
  #if arch(x86_64)
    public static let architecture = "x86_64"
  #elseif arch(arm64)
    public static let architecture = "aarch64"
  #endif
}

/// The job's two streams, kept in unnamed files until the job is over.
private struct Spools {
  private let output: Descriptor
  private let error: Descriptor

  init(directory: String) throws(WorkerFault) {
    output = try SystemCall.unnamedFile(in: directory)
    error = try SystemCall.unnamedFile(in: directory)
  }

  func add(_ bytes: [UInt8], _ stream: OutputStream) throws(WorkerFault) {
    try SystemCall.write(bytes, to: (stream == .output ? output : error).number, path: "spool")
  }

  func store(
    _ stream: OutputStream, to sink: inout some BlobSink
  ) throws(WorkerFault) -> (BlobReference, Digest) {
    let spool = stream == .output ? output : error
    try SystemCall.check(worker_rewind(spool.number), "lseek", "spool".utf8)
    var writer = BlobWriter()
    try writer.drain(spool, to: &sink)
    return try writer.finish(to: &sink)
  }
}

/// Counts what passes.
private struct CountedBlobs<Inner: BlobSource & BlobSink>: BlobSource, BlobSink {
  var inner: Inner
  var bytesFetched: UInt64 = 0
  var bytesDelivered: UInt64 = 0

  init(inner: Inner) { self.inner = inner }

  mutating func leaf(_ id: ContentID, index: UInt64) throws(WorkerFault) -> [UInt8] {
    let bytes = try inner.leaf(id, index: index)
    bytesFetched += UInt64(bytes.count)
    return bytes
  }

  mutating func leaf(_ bytes: [UInt8]) throws(WorkerFault) {
    bytesDelivered += UInt64(bytes.count)
    try inner.leaf(bytes)
  }

  mutating func finish(_ reference: BlobReference) throws(WorkerFault) { try inner.finish(reference) }
}
