// Owns: the life of a worker process: it measures itself, asks the daemon for tasks, runs one after the other, and
// comes back when the daemon was restarted. Refuses to know: the mesh, the host's key, who is trusted. DESIGN 10, 12.
import CWorker
import Glibc
import TallyAdmin
import TallyBase
import TallyWire
import TallyWork

public struct WorkerSettings: Hashable, Sendable {
  /// The daemon's admin or worker socket.
  public var socket: String
  /// A directory that jobs' user may search: roots and scratch files lie there.
  public var cache: String
  /// Bytes of unpacked roots that are kept.
  public var cacheBytesMax: UInt64
  /// Jobs run only when nobody else wants the processor.
  public var isIdle: Bool

  public init(socket: String, cache: String, cacheBytesMax: UInt64 = 8 << 30, isIdle: Bool = true) {
    self.socket = socket
    self.cache = cache
    self.cacheBytesMax = cacheBytesMax
    self.isIdle = isIdle
  }

  /// Where roots lie for a daemon whose files are in `directory`. Root's own directories are closed to the user that
  /// jobs run as, so root's cache lies outside, where nobody but root can put a directory in its way.
  public static func cache(for directory: String) -> String {
    guard geteuid() == 0 else { return directory + "/roots" }
    let name = directory.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    return "/var/cache/tally-roots" + String(name.suffix(64))
  }
}

public struct WorkerProcess {
  /// Milliseconds between two tries to reach a daemon: at first, and at most.
  static let retryMsMin: Int64 = 100
  static let retryMsMax: Int64 = 5_000

  private let settings: WorkerSettings
  private var runner: TaskRunner
  public let facts: WorkerHelloParams
  private let say: (String) -> Void

  /// Measures this machine: runs a job that does nothing. `say` gets lines for a log.
  public init(_ settings: WorkerSettings, say: @escaping (String) -> Void) throws(WorkerFault) {
    self.settings = settings
    self.say = say
    try Self.prepare(settings.cache)
    _ = try Folders.make(settings.cache + "/roots")
    _ = try Folders.make(settings.cache + "/scratch")
    let user = JobUser.forRoot()
    var sandbox = Sandbox(jobUser: user, groups: ControlGroups.prepare(owner: user))
    let test = sandbox.selfTest(scratch: settings.cache + "/scratch")
    let cause = test.canRun ? "" : test.cause + (test.fix.isEmpty ? "" : "; fix: \(test.fix)")
    facts = WorkerHelloParams(
      arch: TaskRunner.architecture, native: test.canRun, wasm: false, limitsBy: "\(test.limitsBy)", cause: cause)
    let roots = try RootCache(directory: settings.cache + "/roots", bytesMax: settings.cacheBytesMax)
    runner = TaskRunner(
      sandbox: sandbox, roots: roots, scratch: settings.cache + "/scratch", isIdle: settings.isIdle)
    say(test.canRun ? "jobs run here in \(test.startMs) ms, limits by \(test.limitsBy)" : "no job can run: \(cause)")
  }

  /// The cache directory, its missing parents made; 0711, so that the jobs' user gets through.
  private static func prepare(_ path: String) throws(WorkerFault) {
    do throws(PrivateFile.Fault) { try PrivateFile.makeDirectories(path) } catch {
      throw .system(call: error.call, path: error.path, code: error.code)
    }
    let opened = try SystemCall.openDirectory(path: path)
    try SystemCall.checkErrno(fchmod(opened.number, 0o711), "fchmod", path.utf8)
  }

  /// Serves for ever. Returns only when the daemon refuses this worker for good.
  public mutating func run() -> ClientError {
    var pause = Self.retryMsMin
    while true {
      do throws(ClientError) {
        let client = try AdminClient(path: settings.socket, client: "tally worker", role: .worker)
        _ = try client.call("worker.hello", facts, as: Done.self)
        say("connected to \(settings.socket)")
        pause = Self.retryMsMin
        while true { try serveOne(client) }
      } catch {
        guard error.code == .unavailable || error.code == .timeout || error.code == .refused else { return error }
        say(error.what)
      }
      worker_pause_micros(pause * 1000)
      pause = min(pause * 2, Self.retryMsMax)
    }
  }

  private mutating func serveOne(_ client: AdminClient) throws(ClientError) {
    client.forgetAll()
    let given = try client.call("worker.next", NoParams(), as: WorkerTaskResult.self, timeoutMs: nil)
    say("task \(given.task.post.prefix(12)) \(given.task.index), attempt \(given.task.attempt), for \(given.requester)")
    let line = TaskLine(client: client, task: given.task)
    var blobs = DaemonBlobs(line: line)
    let done: WorkerDoneParams
    do throws(WorkSpecError) {
      let task = try Self.task(given)
      let result = runner.run(task, blobs: &blobs, report: line)
      done = Self.done(given.task, result, say)
    } catch {
      say("the work cannot be read: \(error)")
      var refused = WorkerDoneParams(task: given.task, cpuMs: 0, wallMs: 0)
      refused.failed = "\(FailReason.refused)"
      done = refused
    }
    try line.finish()
    if line.isStopped {
      say("the task was taken back")
    } else {
      do throws(ClientError) {
        _ = try client.call("worker.done", done, as: Done.self)
      } catch {
        // A lease that ended meanwhile is no reason to stop working.
        guard error.code == .refused else { throw error }
        say("the result was refused: \(error.what)")
      }
    }
    if blobs.isUploading { throw ClientError(.unavailable, "an upload was left open: connecting anew") }
  }

  static func task(_ given: WorkerTaskResult) throws(WorkSpecError) -> WorkerTask {
    let text = Array(given.work.utf8)
    let resources = JobResources(
      cpuSeconds: given.cpuS, wallSeconds: given.wallS, memoryMebibytes: given.memMb, diskMebibytes: given.diskMb,
      outputMebibytes: given.outMb, processes: given.procs)
    return WorkerTask(
      work: try WorkSpec.parse(text), workHash: WorkHash.work(text), index: given.task.index, resources: resources,
      agreeOn: given.agreeStdout == true ? .outputsAndStdout : .outputs)
  }

  static func done(_ task: TaskName, _ result: TaskResult, _ say: (String) -> Void) -> WorkerDoneParams {
    var done = WorkerDoneParams(task: task, cpuMs: result.usage.cpuMs, wallMs: result.usage.wallMs)
    switch result.ending {
    case .failed(let reason, let why):
      done.failed = "\(reason)"
      say("failed: \(reason.words): \(why)")
    case .finished(let output)
    where output.manifest.count > ExchangeWireLimits.manifestSizeMax
      || output.tree.count > ExchangeWireLimits.treeSizeMax:
      done.failed = "\(FailReason.output)"
      say("failed: a manifest of \(output.manifest.count) and a tree of \(output.tree.count) bytes are too large")
    case .finished(let output):
      done.exit = output.exit
      done.units = result.units
      done.rootMade = false
      done.stdout = BlobRow(cid: output.standardOutput.id.hex, size: output.standardOutput.size)
      done.stderr = BlobRow(cid: output.standardError.id.hex, size: output.standardError.size)
      done.manifest = Base64Bytes(output.manifest)
      done.tree = Base64Bytes(output.tree)
      say("exit \(output.exit), \(output.summary), \(result.units) units, \(result.usage.wallMs) ms")
    }
    return done
  }
}
