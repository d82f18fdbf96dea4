// What scenario tests share: runs that must go well, and where files and the program are.
import FoundationEssentials
import TallyBase
import TallySim
import Testing

enum Place {
  static let root = String(#filePath.split(separator: "/").dropLast(3).joined(separator: "/"))

  static func seeds() -> [(name: String, text: String)] {
    let folder = "/" + root + "/Fixtures/seeds"
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return [] }
    return names.filter { $0.hasSuffix(".sim") }.sorted().compactMap { name in
      guard let data = FileManager.default.contents(atPath: folder + "/" + name) else { return nil }
      let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
      return lines.first { !$0.hasPrefix("#") }.map { (name, String($0)) }
    }
  }
}

/// Runs and fails the test with the replay line when a law was broken.
@discardableResult
func mustHold(
  _ scenario: Scenario, _ seed: UInt64, hosts: Int? = nil, _ change: (inout SimOptions) -> Void = { _ in }
) -> Simulation {
  var options = SimOptions(seed: seed, scenario: scenario, hosts: hosts)
  change(&options)
  let simulation = Simulation(options)
  if let violation = simulation.run() { Issue.record("\(violation.report)") }
  return simulation
}

/// Runs a known-bad model until the checkers see it; the law that was broken first, per seed.
func laws(_ scenario: Scenario, _ mutation: SimOptions.Mutation, hosts: Int? = nil, seeds: Range<UInt64>) -> [String?] {
  seeds.map { seed in
    var options = SimOptions(seed: seed, scenario: scenario, hosts: hosts)
    options.mutation = mutation
    options.deadline = min(options.deadline, 120_000_000)
    return Simulation(options).run()?.law
  }
}
