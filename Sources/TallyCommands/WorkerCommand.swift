// Owns: `tally worker`: the process that runs others' jobs, and the small supervisor that restarts it when it crashes.
import ArgumentParser
import CLinux
import Glibc
import TallyAdmin
import TallyWorker

struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker",
    abstract: "Run tasks for the daemon. `tally up` starts it; a unit of its own may, too.",
    discussion: "One task at a time. It cannot read the host's key, and it lowers itself to the role `worker`.")

  @OptionGroup var data: DataOption
  @Option(help: "The daemon's socket; default: worker.sock in the data directory.")
  var socket: String?
  @Option(help: "Where unpacked roots lie; jobs' user must be able to search it.")
  var rootCache: String?
  @Flag(help: "Give jobs the processor as anybody else gets it; otherwise only when nobody wants it.")
  var notIdle = false
  @Flag(help: "Restart the worker when it crashes; hold worker.pid while doing so.")
  var supervise = false
  @Flag(help: "Measure whether jobs can run here, print it, and end.")
  var selfTest = false

  func run() throws {
    let layout = try data.layout()
    let settings = WorkerSettings(
      socket: socket ?? layout.workerSocket, cache: rootCache ?? WorkerSettings.cache(for: layout.directory),
      isIdle: !notIdle)
    if supervise { return try WorkerSupervisor.run(layout, settings) }
    PosixText.obeyParent()
    var process: WorkerProcess
    do throws(WorkerFault) {
      process = try WorkerProcess(settings) { Output.note("worker: \($0)") }
    } catch {
      throw ClientError(
        .cannotCreate, "the worker cannot use \(settings.cache)", why: "\(error)", fix: "give --root-cache DIR")
    }
    if selfTest {
      Output.json(process.facts)
      throw ExitCode(process.facts.native ? 0 : ClientError.Code.checkFailed.rawValue)
    }
    throw process.run()
  }
}

enum WorkerSupervisor {
  /// Between two starts, in milliseconds: at first, and at most.
  static let pauseMsMin: Int64 = 200
  static let pauseMsMax: Int64 = 30_000

  static func run(_ layout: DataLayout, _ settings: WorkerSettings) throws(ClientError) {
    guard let lock = try Spawn.lock(layout.workerPID) else {
      throw ClientError(
        .refused, "a worker already serves \(layout.directory)", fix: "`tally down` stops it")
    }
    defer { Spawn.close(lock) }
    Spawn.write("\(getpid())\n", toLocked: lock)
    let signals = Signals([SIGINT, SIGTERM, SIGCHLD])
    var pause = pauseMsMin
    var arguments = ["worker", "--socket", settings.socket, "--root-cache", settings.cache, "--data", layout.directory]
    if !settings.isIdle { arguments.append("--not-idle") }
    while true {
      let started = Spawn.nowMs
      let child = try Spawn.start(
        Spawn.ownPath(), arguments, environment: Spawn.environment(["TALLY_DIE_WITH_PARENT": "1"]),
        inherit: [(0, 0), (1, 1), (2, 2)], newSession: false)
      var end: (code: Int32, signal: Int32)?
      while end == nil {
        if let number = signals.wait(ms: 60_000), number != SIGCHLD {
          Spawn.signal(child, SIGTERM)
          _ = Spawn.reap(child, noWait: false)
          return
        }
        end = Spawn.reap(child, noWait: true)
      }
      Output.note("worker: ended with \(end.map { $0.signal == 0 ? "code \($0.code)" : "signal \($0.signal)" } ?? "?")")
      // What a restart cannot mend.
      if let end, end.signal == 0, end.code == 77 || end.code == 78 || end.code == 64 { return }
      pause = Spawn.nowMs - started > 60_000 ? pauseMsMin : min(pause * 2, pauseMsMax)
      if let number = signals.wait(ms: pause), number != SIGCHLD { return }
    }
  }
}
