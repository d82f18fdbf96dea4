// Owns: `tally run`: a job from here, on another host; its output, its exit code, its results, its evidence.
import ArgumentParser
import Glibc
import TallyAdmin
import TallyWork

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a command on another host of the mesh.",
    usage: "tally run --root DIR|TAR [--in FILE]… [--out DIR] [options] -- COMMAND…",
    discussion: """
      The command sees /in read-only, /build (its working directory), /tmp and /out; no network. What it prints comes
      while it runs; what it leaves in /out comes with --out. Exits with the command's code. Ctrl-C leaves the job
      running; twice cancels it.
      """)

  @OptionGroup var options: DaemonOptions
  @OptionGroup var job: JobOptions
  @Option(help: "Where results go.")
  var out: String?
  @Flag(help: "Do not wait for the end.")
  var detach = false
  @Flag(name: .shortAndLong, help: "Say nothing but what the command prints.")
  var quiet = false

  struct Report: Encodable {
    var id: String
    var state: String
    var exit: Int32?
    var worker: String?
    var evidence: String?
    var units: UInt64?
  }

  func run() throws {
    let client = try options.connect()
    let params = try JobBuild.make(job, client)
    let post = try client.call("job.post", params, as: PostResult.self)
    if detach {
      if options.json { return Output.json(Report(id: post.id, state: "posted")) }
      Output.line(post.id)
      return Output.note("posted; follow it with: tally wait \(Output.short(post.id))")
    }
    let signals = Signals()
    client.isInterrupted = { signals.next() != nil }
    let watch = JobWatch(client, id: post.id, showsOutput: !options.json, says: !quiet && !options.json)
    let end: JobEnd?
    do throws(ClientError) {
      end = try watch.run(timeoutMs: nil)
    } catch {
      client.isInterrupted = { false }
      if error.code == .interrupted { throw try interrupted(client, post.id, signals) }
      throw error.code == .unavailable ? Self.lost(error, post.id) : error
    }
    guard let end else { preconditionFailure("a watch without an end of time ended") }
    client.isInterrupted = { false }
    throw ExitCode(try finish(client, watch, end))
  }

  static func lost(_ error: ClientError, _ id: String) -> ClientError {
    ClientError(
      .unavailable, error.what, why: "job \(Output.short(id)) is in the ledger and goes on",
      fix: "tally up; then: tally wait \(Output.short(id))")
  }

  private func interrupted(_ client: AdminClient, _ id: String, _ signals: Signals) throws(ClientError) -> ExitCode {
    let short = Output.short(id)
    Output.note("\ndetached: job \(short) goes on. Again within 2 s cancels it.")
    if signals.wait(ms: 2_000) != nil {
      _ = try client.call("job.cancel", JobParams(id: id), as: Done.self)
      Output.note("cancelled \(short)")
    } else {
      Output.note("follow it with: tally wait \(short)")
    }
    return ExitCode(ClientError.Code.interrupted.rawValue)
  }

  /// The exit code of this program.
  private func finish(_ client: AdminClient, _ watch: JobWatch, _ end: JobEnd) throws(ClientError) -> Int32 {
    let short = Output.short(watch.id)
    guard end.stage == "accepted" else {
      let job = try client.call("job.show", JobParams(id: watch.id), as: JobResult.self)
      if options.json { Output.json(Report(id: watch.id, state: end.stage, exit: end.exit)) }
      for refusal in job.refusals { Output.note("  \(refusal.host): \(refusal.reason)") }
      Output.note("job \(short): \(Output.printable(end.text))")
      if end.stage == "held" { Output.note("decide with: tally accept \(short), or tally refuse \(short)") }
      return end.stage == "held" ? 0 : ClientError.Code.refused.rawValue
    }
    let words = try client.call("job.words", JobParams(id: watch.id), as: WordsResult.self)
    try watch.fill(words)
    if let out {
      let tree: Tree
      do throws(TextError) { tree = try Tree.parse(words.tree.bytes) } catch {
        throw ClientError(.badData, "the results of \(short) are not a tree", why: "\(error)")
      }
      try JobFiles.write(tree, to: out, client)
    }
    let job = try client.call("job.show", JobParams(id: watch.id), as: JobResult.self)
    let claim = job.claims.last { $0.evidence == "accepted" } ?? job.claims.last
    let evidence = claim?.evidence ?? job.job.state
    if options.json {
      Output.json(
        Report(
          id: watch.id, state: "accepted", exit: words.exit, worker: words.worker, evidence: evidence,
          units: words.units))
    } else if !quiet {
      if out != nil, words.manifest.bytes.split(separator: 0x0a).allSatisfy({ $0.first == UInt8(ascii: "#") }) {
        Output.note("no files")
      }
      Output.note("job \(short): \(evidence), one worker: \(Output.printable(words.worker)), exit \(words.exit)")
      Output.note("check it any time: tally receipt \(short)")
    }
    return Self.shell(words.exit)
  }

  /// 0 … 255 as it is, a signal as a shell shows it.
  static func shell(_ exit: Int32) -> Int32 { exit < 0 ? 128 - exit : exit }
}
