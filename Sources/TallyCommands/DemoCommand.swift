// Owns: `tally demo`: its words and its result. Refuses to know: how it is done.
import ArgumentParser
import TallyAdmin

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Show all of it on this machine: a mesh, a job, a killed host, a receipt; then clean up.",
    discussion: """
      Starts real daemons on loopback with a mesh key and data directories of their own. One host asks for work,
      another does it, a third is only the seed. The host that asked is killed as soon as one other holds its
      acceptance; the rest get it from each other. What each host holds is checked here, from bytes.
      """)

  @Option(help: "How many hosts, 3 to 16.")
  var hosts = 5
  @Flag(help: "Print one JSON object.")
  var json = false
  @Flag(help: "Leave hosts and files for you to look at.")
  var keep = false

  func validate() throws {
    if !(3...16).contains(hosts) { throw ValidationError("--hosts must be 3 to 16") }
  }

  func run() throws {
    let demo = try Demo(count: hosts, says: !json, keeps: keep)
    let report: DemoReport
    do throws(ClientError) {
      report = try demo.run()
    } catch {
      demo.explain(error)
      demo.end()
      throw error
    }
    demo.end()
    if json { Output.json(report) }
    if !report.receiptValid || report.recorded != hosts {
      throw ExitCode(ClientError.Code.checkFailed.rawValue)
    }
  }
}

struct DemoReport: Encodable {
  var hosts: Int
  /// By host, in the order in which they were started.
  var membersKnown: [Int]
  /// Hosts that proved, with bytes, that they hold claim and acceptance.
  var recorded: Int
  var evidence: String
  var receiptValid: Bool
  /// From the first process to the last check.
  var seconds: Double
}
