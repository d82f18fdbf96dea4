import TallyBase
import TallyLog
import TallyWire
import Testing

/// Some hundred short random schedules. Whatever happens, no honest author has two released heads or entries at one
/// place that differ, and nothing own leaves before it is durable; at the end all clocks and folds are equal.
@Suite struct LedgerScheduleTests {
  @Test(arguments: 1...300) func noScheduleForksAnHonestHost(seed: UInt64) throws {
    let world = try World(seed: seed, hosts: 3)
    world.loss = 30
    world.duplicates = 50
    world.latency = 50...20_000
    world.startAll()
    world.linkAll()
    world.run(seconds: 0.2)
    var backups: [Int: ModelStore] = [:]
    for step in 0..<25 {
      let host = world.hosts[world.generator.below(3)]
      switch world.generator.below(12) {
      case 0...4:
        for number in 0...world.generator.below(4) { world.append(host, "\(step) \(number) \(host.life)") }
      case 5: world.crash(host)
      case 6: if !host.isUp { world.start(host) }
      case 7: world.linkAll()
      case 8: world.unlink(host, world.hosts[(host.number + 1) % 3])
      case 9: host.storeFault = host.storeFault == nil ? .full(detail: "full") : nil
      case 10: if host.isUp { backups[host.number] = host.store }
      default: restore(world, host, backups)
      }
      world.run(seconds: Double(world.generator.below(400)) / 1000)
    }
    for host in world.hosts { host.storeFault = nil }
    world.loss = 0
    world.startAll()
    world.linkAll()
    world.run(seconds: 90)
    #expect(world.violations.isEmpty, "seed \(seed): \(world.violations)")
    let marks = world.hosts.flatMap { $0.ledger.allFeeds.compactMap(\.forkIndex) }
    #expect(marks.isEmpty, "seed \(seed): forked at \(marks)")
    for host in world.hosts {
      if case .off(.clone) = host.ledger.signing { #expect(Bool(false), "seed \(seed): a clone without a copy") }
    }
    #expect(world.run(atMost: 120) { world.isConverged }, "seed \(seed): not converged")
  }

  /// The same with backups put back all the time: database and guard file together or either alone.
  @Test(arguments: 1...200) func noRestoreForksAnHonestHost(seed: UInt64) throws {
    let world = try World(seed: 10_000 + seed, hosts: 3)
    world.latency = 50...20_000
    world.startAll()
    world.linkAll()
    world.run(seconds: 1)
    var restored = 0
    for round in 0..<4 {
      let host = world.hosts[world.generator.below(3)]
      let backup = host.store
      for number in 0...world.generator.below(6) {
        world.append(host, "\(round) \(number)")
        world.run(seconds: Double(world.generator.below(30)) / 1000)
      }
      world.run(seconds: 0.5)
      let before = host.events.count
      if restore(world, host, [host.number: backup]) { restored += 1 }
      world.append(host, "right after \(round)")
      world.run(seconds: Double(world.generator.below(3000)) / 1000)
      let isFound = host.events.dropFirst(before).contains { if case .rollbackFound = $0 { true } else { false } }
      #expect(isFound, "seed \(seed), round \(round)")
    }
    #expect(restored == 4)
    #expect(world.violations.isEmpty, "seed \(seed): \(world.violations)")
    #expect(world.run(atMost: 120) { world.isConverged }, "seed \(seed): not converged")
    #expect(world.hosts.flatMap { $0.ledger.allFeeds.compactMap(\.forkIndex) }.isEmpty)
  }

  /// One seed, one run: every byte sent, when and by whom.
  @Test func oneSeedIsOneRun() throws {
    func run(_ seed: UInt64) throws -> Bytes32 {
      let world = try World(seed: seed, hosts: 5)
      world.loss = 50
      world.duplicates = 50
      world.startAll()
      world.linkAll()
      for round in 0..<5 {
        for host in world.hosts { world.append(host, "\(round)") }
        world.run(seconds: 0.3)
        world.crash(world.hosts[round])
        world.start(world.hosts[round])
        world.linkAll()
      }
      world.run(seconds: 30)
      return world.trace
    }
    let first = try run(1)
    #expect(try run(1) == first)
    #expect(try run(2) != first)
  }

  /// An old state is put back, as the design allows: at least one host that is asked holds the newest released head.
  @discardableResult
  private func restore(_ world: World, _ host: ModelHost, _ backups: [Int: ModelStore]) -> Bool {
    guard let backup = backups[host.number], host.isUp else { return false }
    let id = host.ledger.ownFeed
    let size = host.ledger.ownSize
    guard let other = world.hosts.first(where: { $0 !== host && $0.isUp && $0.storeFault == nil }), host.storeFault == nil,
      let seen = other.ledger.feed(id), seen.size == size, seen.size > 1,
      backup.feeds[id]?.acknowledgements[other.key] != nil
    else { return false }
    world.crash(host)
    let newest = host.store
    host.store = backup
    // The database alone, or both.
    if world.generator.chance(1, outOf: 3) { host.store.guardFile = newest.guardFile }
    world.start(host)
    // The asked one answers first; loss would make it no schedule of this kind.
    let loss = world.loss
    world.loss = 0
    world.link(host, other)
    world.run(seconds: 3)
    world.loss = loss
    world.linkAll()
    return true
  }
}
