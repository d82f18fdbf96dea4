// Owns: the words of `tally-sim`. Refuses to know: what a run is; TallySim does that.
import ArgumentParser
import FoundationEssentials
import TallyBase
import TallySim

@main
struct TallySimProgram: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tally-sim", abstract: "Whole meshes of production nodes in one thread and virtual time.",
    subcommands: [Run.self, List.self])
}

struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Name the scenarios and the known-bad changes of the model.")

  func run() {
    for scenario in Scenario.allCases { print("scenario \(scenario.rawValue) (\(scenario.defaultHosts) hosts)") }
    for mutation in SimOptions.Mutation.allCases { print("mutation \(mutation.rawValue)") }
  }
}

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run one scenario with one seed, or with several seeds in a row.",
    discussion: "The same seed, scenario and number of hosts give the same trace hash in every process.")

  @Option(help: "The first seed.") var seed: UInt64 = 1
  @Option(help: "How many seeds, from the first on.") var seeds: UInt64 = 1
  @Option(help: "How many hosts; each scenario has its own number.") var hosts: Int?
  @Option(help: "One of `tally-sim list`.") var scenario: String = "mesh"
  @Option(help: "Stop at this virtual time, in milliseconds, and judge nothing that comes at the end.")
  var until: Int64?
  @Option(help: "Write one line per input and output to this file.") var trace: String?
  @Option(help: "A line of options as `run` prints it; the draw from the seed is not used.") var options: String?
  @Option(help: "A known-bad change of the model: the run must fail.") var mutation: String = "none"

  func run() throws {
    guard let scenario = Scenario(rawValue: scenario) else {
      throw ValidationError("no scenario \(self.scenario): see `tally-sim list`")
    }
    guard let mutation = SimOptions.Mutation(rawValue: mutation) else {
      throw ValidationError("no mutation \(self.mutation): see `tally-sim list`")
    }
    if let text = options {
      guard let options = SimOptions(text: text) else { throw ValidationError("not a line of options: \(text)") }
      if !(try runOne(options)) { throw ExitCode(1) }
      return
    }
    if let hosts, !(2...1000).contains(hosts) { throw ValidationError("2 to 1000 hosts, not \(hosts)") }
    var failed = 0
    for number in seed..<(seed + max(1, seeds)) {
      var options = SimOptions(seed: number, scenario: scenario, hosts: hosts)
      options.mutation = mutation
      if !(try runOne(options)) { failed += 1 }
    }
    if failed > 0 { throw ExitCode(1) }
  }

  private func runOne(_ options: SimOptions) throws -> Bool {
    let simulation = Simulation(options, keepsLines: trace != nil)
    simulation.stopsAt = until.map { $0 * 1000 }
    print("options \(options.text)")
    let violation = simulation.run()
    print("figures \(simulation.figures.text)")
    print("trace \(simulation.trace.hash.hex) records=\(simulation.trace.recordCount)")
    if let trace { try write(simulation.traceLines, to: trace) }
    if let violation { print("violation \(violation.report)") }
    return violation == nil
  }

  private func write(_ lines: [String], to path: String) throws {
    try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
  }
}
