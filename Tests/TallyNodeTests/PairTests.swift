// Two and three production nodes in virtual time: join, record here, verified there, restarts.
import TallyBase
import TallySim
import Testing

@Suite struct PairTests {
  private func run(
    _ scenario: Scenario, _ seed: UInt64, _ change: (inout SimOptions) -> Void = { _ in }
  ) -> Simulation {
    var options = SimOptions(seed: seed, scenario: scenario)
    change(&options)
    let simulation = Simulation(options)
    if let violation = simulation.run() { Issue.record("\(violation.report)") }
    return simulation
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func aRecordMadeHereIsVerifiedThereAndOutlastsRestarts(seed: UInt64) {
    let simulation = run(.pair, seed)
    #expect(simulation.figures.recordsAcknowledged == 12)
    #expect(simulation.figures.crashes == 2 && simulation.figures.starts == 4)
    #expect(simulation.figures.convergedAt != nil)
  }

  @Test func anOpenMeshConvergesToo() {
    let simulation = run(.pair, 3) { $0.hasMeshKey = false }
    #expect(simulation.figures.recordsAcknowledged == 12)
  }

  @Test func theSameSeedGivesTheSameTraceAndAnotherSeedAnother() {
    let first = run(.pair, 5)
    #expect(run(.pair, 5).trace.hash == first.trace.hash)
    #expect(run(.pair, 6).trace.hash != first.trace.hash)
    #expect(first.trace.recordCount > 500)
  }

  @Test func aSingleByteOfTheNetworkChangesTheTrace() {
    let clean = run(.pair, 5) { $0.corruptPercent = 0 }
    let damaged = run(.pair, 5) { $0.corruptPercent = 5 }
    #expect(damaged.figures.datagramsCorrupted > 0)
    #expect(clean.trace.hash != damaged.trace.hash)
  }

  @Test func optionsHaveOneTextForm() {
    for seed in 0..<50 as Range<UInt64> {
      for scenario in Scenario.allCases {
        let options = SimOptions(seed: seed, scenario: scenario)
        #expect(SimOptions(text: options.text)?.text == options.text)
      }
    }
    #expect(SimOptions(text: "seed=1 scenario=nothing") == nil)
    #expect(SimOptions(text: "seed=1 scenario=pair wings=2") == nil)
    #expect(SimOptions(text: "scenario=pair seed=1") == nil)
  }
}
