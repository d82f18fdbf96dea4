// Owns: `tally wait`: until something is so, for scripts. Never sleeps longer than it must.
import ArgumentParser
import TallyAdmin

struct WaitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wait",
    abstract: "Wait until something is so.",
    discussion: """
      ready            the daemon answers
      members=N        the mesh has at least N members here
      alive=N          at least N of the others answer
      converged        with --with DIR, once or more: the ledgers of those data directories are equal
      ID               the job has ended; exits as the job did
      """)
  @OptionGroup var options: DaemonOptions
  @Option(help: "Seconds; then exit 75.")
  var timeout: Double = 60
  @Option(help: "Another data directory on this machine, for `converged`.")
  var with: [String] = []
  @Flag(help: "For a job: print what it prints.")
  var output = false
  @Argument(help: "ready, members=N, alive=N, converged, or a job's ID.")
  var condition: String

  struct Report: Encodable {
    var condition: String
    var holds: Bool
    var exit: Int32?
  }

  func run() throws {
    let deadline = Spawn.nowMs + Int64(min(max(0, timeout), 1e9) * 1000)
    let parts = condition.split(separator: "=", maxSplits: 1).map(String.init)
    switch parts[0] {
    case "ready": try poll(deadline) { () throws(ClientError) in try status() != nil }
    case "members", "alive":
      guard parts.count == 2, let count = Int(parts[1]) else {
        throw ClientError(.usage, "how many \(parts[0])?", fix: "tally wait \(parts[0])=5")
      }
      try poll(deadline) { () throws(ClientError) in
        try status().map { (parts[0] == "members" ? $0.members : $0.alive) >= count } ?? false
      }
    case "converged":
      let paths = [try options.path] + with.map { DataLayout(directory: $0).adminSocket }
      if paths.count < 2 {
        throw ClientError(.usage, "converged with whom?", fix: "tally wait converged --with DIR")
      }
      try poll(deadline) { () throws(ClientError) in try Self.isConverged(paths) }
    default: return try waitForJob(deadline)
    }
    if options.json { Output.json(Report(condition: condition, holds: true)) }
  }

  private func status() throws(ClientError) -> StatusResult? {
    do throws(ClientError) { return try options.connect().call("status", as: StatusResult.self) } catch {
      if error.code == .unavailable { return nil }
      throw error
    }
  }

  static func isConverged(_ paths: [String]) throws(ClientError) -> Bool {
    var digests: Set<String> = []
    for path in paths {
      do throws(ClientError) {
        digests.insert(try AdminClient(path: path).call("clock", as: ClockResult.self).digest)
      } catch {
        if error.code == .unavailable { return false }
        throw error
      }
    }
    return digests.count == 1
  }

  private func poll(_ deadline: Int64, _ holds: () throws(ClientError) -> Bool) throws(ClientError) {
    while try !holds() {
      if Spawn.nowMs >= deadline {
        throw ClientError(
          .timeout, "\(condition) does not hold after \(timeout) s", fix: "`tally status` shows how things are")
      }
      Spawn.pause(ms: 20)
    }
  }

  private func waitForJob(_ deadline: Int64) throws(any Error) {
    let client = try options.connect()
    let job = try client.call("job.show", JobParams(id: condition), as: JobResult.self)
    let watch = JobWatch(client, id: job.job.id, showsOutput: output, says: !options.json)
    let end: JobEnd?
    do throws(ClientError) { end = try watch.run(timeoutMs: max(0, deadline - Spawn.nowMs)) } catch {
      throw error.code == .unavailable ? RunCommand.lost(error, job.job.id) : error
    }
    guard let end else {
      throw ClientError(
        .timeout, "job \(Output.short(job.job.id)) has not ended after \(timeout) s",
        fix: "tally why \(Output.short(job.job.id))")
    }
    if options.json { Output.json(Report(condition: job.job.id, holds: true, exit: end.exit)) }
    if !options.json { Output.note("job \(Output.short(job.job.id)): \(Output.printable(end.text))") }
    guard end.stage == "accepted", let exit = end.exit else {
      throw ExitCode(end.stage == "held" ? 0 : ClientError.Code.refused.rawValue)
    }
    throw ExitCode(RunCommand.shell(exit))
  }
}
