// Memberships of 5 and 50 hosts in virtual time: joins from one seed, loss, crashes, restarts, splits.
import TallyBase
import TallyCrypto
import TallyWire
import Testing

@testable import TallyGossip

struct MeshSimTests {
  @Test func fiveHostsFindEachOtherFromOneSeed() throws {
    var sim = MeshSim(count: 5, seed: 1)
    for number in 0..<5 { sim.start(number) }
    let seconds = sim.run(until: 20) { $0.viewsAreFull && $0.machines.allSatisfy { $0.links.count == 4 } }
    #expect(seconds != nil)
    #expect(seconds ?? 99 < 6, "took \(seconds ?? 99) s")
    #expect(sim.faults.isEmpty, "\(sim.faults)")
    for number in 0..<5 {
      #expect(sim.machines[number].membership.memberCount == 5)
      #expect(sim.machines[number].membership.linkTargets.count == 4)
    }
    let views = Set(sim.machines.map { $0.membership.viewDigest })
    #expect(views.count == 1)
  }

  @Test func fiftyHostsWithLossAndRestartsReachFullViewsAndAConnectedGraph() throws {
    var sim = MeshSim(count: 50, seed: 2, lossPercent: 10)
    sim.start(0)
    for number in 1..<50 {
      _ = sim.run(until: Double(number) * 0.02)
      sim.start(number)
    }
    let first = sim.run(until: 60) { $0.viewsAreFull && $0.isConnected }
    #expect(first != nil, "no full views within 60 s")
    // Five crash and start again, one without its store; the seed is one of them.
    for (order, number) in [0, 7, 19, 31, 44].enumerated() {
      sim.kill(number)
      _ = sim.run(until: Double(sim.now.micros) / 1e6 + 1)
      sim.start(number, keepingStore: order != 2)
    }
    let end = Double(sim.now.micros) / 1e6
    let second = sim.run(until: end + 60) { $0.viewsAreFull && $0.isConnected }
    #expect(second != nil, "no full views within 60 s of the restarts")
    _ = sim.run(until: Double(sim.now.micros) / 1e6 + 45)
    #expect(sim.viewsAreFull && sim.isConnected)
    for number in 0..<50 {
      let machine = sim.machines[number]
      #expect(machine.membership.memberCount == 50)
      #expect((5...9).contains(machine.links.count), "host \(number) has \(machine.links.count) links")
      #expect((5...6).contains(machine.membership.linkTargets.count))
    }
    #expect(Set(sim.machines.map { $0.membership.viewDigest }).count == 1)
    let bad = sim.faults.filter { fault in
      switch fault {
      case .badSignature, .badAttributes, .undecodable, .equivocation: true
      default: false
      }
    }
    #expect(bad.isEmpty, "\(bad.prefix(5))")
  }

  @Test func theSameSeedGivesTheSameRun() {
    func run() -> UInt64 {
      var sim = MeshSim(count: 12, seed: 77, lossPercent: 10)
      for number in 0..<12 { sim.start(number) }
      _ = sim.run(until: 15)
      return sim.traceSum
    }
    let first = run()
    #expect(first != 0 && first == run())
  }

  @Test func aKilledHostIsShownUnreachableAndComesBack() {
    var sim = MeshSim(count: 5, seed: 3)
    for number in 0..<5 { sim.start(number) }
    _ = sim.run(until: 20) { $0.viewsAreFull }
    let killed = Double(sim.now.micros) / 1e6
    sim.kill(3)
    let key = keyOf(3)
    let seen = sim.run(until: killed + 20) { sim in
      sim.running.allSatisfy { sim.machines[$0].membership.member(key)?.state == .unreachable }
    }
    #expect(seen != nil && seen! - killed >= 4.5 && seen! - killed < 10, "seen after \((seen ?? 0) - killed) s")
    _ = sim.run(until: Double(sim.now.micros) / 1e6 + 1)
    #expect(sim.running.allSatisfy { !sim.machines[$0].membership.linkTargets.contains(key) })
    // It stays a member.
    #expect(sim.machines[0].membership.memberCount == 5)
    _ = sim.run(until: killed + 60)
    sim.start(3)
    let restarted = Double(sim.now.micros) / 1e6
    let back = sim.run(until: restarted + 20) { $0.viewsAreFull && $0.machines.allSatisfy { $0.links.count == 4 } }
    #expect(back != nil && back! - restarted < 5, "back after \((back ?? 0) - restarted) s")
  }

  @Test func twoHalvesThatLostEachOtherMeetAgain() {
    var sim = MeshSim(count: 12, seed: 4)
    for number in 0..<12 { sim.start(number) }
    _ = sim.run(until: 30) { $0.viewsAreFull }
    sim.cut = { one, other in (one < 6) != (other < 6) }
    for one in 0..<6 { for other in 6..<12 { sim.close(one, other) } }
    let split = Double(sim.now.micros) / 1e6
    _ = sim.run(until: split + 120)
    #expect(sim.machines[0].membership.member(keyOf(9))?.state == .unreachable)
    sim.cut = { _, _ in false }
    let healed = sim.run(until: split + 400) { $0.viewsAreFull && $0.isConnected }
    #expect(healed != nil && healed! - split - 120 < 45, "healed after \((healed ?? 0) - split - 120) s")
  }

  @Test func aMeshWhoseSeedIsGoneStillAdmits() {
    var sim = MeshSim(count: 6, seed: 5)
    for number in 0..<5 { sim.start(number) }
    _ = sim.run(until: 20) { $0.viewsAreFull }
    sim.kill(0)
    // The newcomer knows host 2 only.
    sim.start(5)
    var effects: [MeshEffect] = []
    let other = [Seed(key: keyOf(2), endpoint: endpointOf(2))]
    sim.machines[5].membership.setSeeds(other, now: sim.now, into: &effects)
    sim.apply(effects, of: 5)
    let end = Double(sim.now.micros) / 1e6
    #expect(sim.run(until: end + 20) { $0.viewsAreFull } != nil)
    #expect(sim.machines[5].membership.isMember(keyOf(0)))
  }

  @Test func leavingIsSeenByAllAndOutlastsRestarts() {
    var sim = MeshSim(count: 5, seed: 6)
    for number in 0..<5 { sim.start(number) }
    _ = sim.run(until: 20) { $0.viewsAreFull }
    let identity = try! Identity(seed: seedBytes(4))
    var effects: [MeshEffect] = []
    sim.machines[4].membership.leave(identity: identity, now: sim.now, into: &effects)
    sim.apply(effects, of: 4)
    _ = sim.run(until: Double(sim.now.micros) / 1e6 + 1)
    sim.kill(4)
    #expect(sim.running.allSatisfy { sim.machines[$0].membership.member(keyOf(4))?.state == .left })
    sim.kill(2)
    sim.start(2, keepingStore: false)
    let end = Double(sim.now.micros) / 1e6
    let told = sim.run(until: end + 30) { sim in
      sim.viewsAreFull && sim.machines[2].membership.member(keyOf(4))?.state == .left
    }
    #expect(told != nil)
    #expect(Set(sim.running.map { sim.machines[$0].membership.viewDigest }).count == 1)
    sim.start(4)
    #expect(sim.run(until: end + 60) { $0.viewsAreFull } != nil)
  }
}
