// Meshes, jobs, partitions, full disks, restores and copies, with a few seeds each; `tally-sim run --seeds N` has more.
import TallySim
import Testing

@Suite struct ScenarioTests {
  @Test(arguments: 1...2 as ClosedRange<UInt64>)
  func aMeshFromOneSeedConverges(seed: UInt64) {
    let simulation = mustHold(.mesh, seed, hosts: 6)
    #expect(simulation.figures.recordsAcknowledged == 24)
  }

  @Test(arguments: 1...2 as ClosedRange<UInt64>)
  func lossDoublesReorderingAndCrashes(seed: UInt64) {
    let simulation = mustHold(.chaos, seed, hosts: 8)
    #expect(simulation.figures.crashes == 5)
    #expect(simulation.figures.datagramsLost > 0 && simulation.figures.datagramsDoubled > 0)
  }

  @Test(arguments: 1...2 as ClosedRange<UInt64>)
  func aJobIsPostedLeasedClaimedAndAccepted(seed: UInt64) {
    #expect(mustHold(.job, seed).figures.marks.contains(.accepted))
  }

  @Test func aLostWorkerMeansAnotherAttemptCountedOnce() {
    let marks = (1...3).map { mustHold(.jobWorkerCrash, $0).figures.marks }
    #expect(marks.contains { $0.contains(.secondAttempt) })
  }

  @Test(arguments: 1...2 as ClosedRange<UInt64>)
  func jobsResumeAfterTheirRequesterCrashed(seed: UInt64) {
    mustHold(.jobRequesterCrash, seed)
  }

  @Test(arguments: 1...2 as ClosedRange<UInt64>)
  func aPartitionHeals(seed: UInt64) { mustHold(.partition, seed) }

  @Test(arguments: 1...2 as ClosedRange<UInt64>)
  func aFullDiskStopsSigningAndNothingElse(seed: UInt64) { mustHold(.diskFull, seed) }

  @Test(arguments: [Scenario.restoreBoth, .restoreDatabase, .restoreGuard], [1, 2] as [UInt64])
  func anOldBackupForksNothing(scenario: Scenario, seed: UInt64) {
    #expect(mustHold(scenario, seed).figures.forkProofs == 0)
  }

  @Test func copiesNoticeEachOtherAndThirdHostsGoOn() {
    let marks = (1...3).map { mustHold(.clone, $0).figures.marks }
    #expect(marks.allSatisfy { $0.contains(.cloneFound) })
    #expect(marks.contains { $0.contains(.forkFound) })
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func everythingAtOnce(seed: UInt64) { mustHold(.swarm, seed) }

  @Test func seedsOfFixedBugsStayFixed() {
    let seeds = Place.seeds()
    if seeds.isEmpty { print("SKIP seedsOfFixedBugs: Fixtures/seeds holds none") }
    for (name, text) in seeds {
      guard let options = SimOptions(text: text) else {
        Issue.record("\(name) is not a line of options")
        continue
      }
      if let violation = Simulation(options).run() { Issue.record("\(name): \(violation.report)") }
    }
  }
}

/// A checker that sees nothing passes everything: known-bad models must be caught.
@Suite struct CanaryTests {
  @Test func aStoreThatAcknowledgesEarlyIsCaught() {
    let found = laws(.chaos, .acknowledgesEarly, hosts: 5, seeds: 1..<3)
    #expect(found.allSatisfy { ["S3", "S4", "S5"].contains($0) }, "\(found)")
  }

  @Test func aNetworkThatDamagesFramesIsCaught() {
    let found = laws(.pair, .corruptsLinks, seeds: 1..<3)
    #expect(found.allSatisfy { $0 == "L1" }, "\(found)")
  }

  @Test func aSecondProcessWithOneKeyIsCaught() {
    let found = laws(.mesh, .runsTwice, hosts: 4, seeds: 1..<4)
    #expect(found.allSatisfy { $0 != nil }, "\(found)")
    #expect(found.contains("S5"), "\(found)")
  }

  @Test func aSilentRestoreIsCaught() {
    let found = laws(.restoreBoth, .restoresSilently, seeds: 1..<3)
    #expect(found.allSatisfy { $0 != nil }, "\(found)")
  }
}
