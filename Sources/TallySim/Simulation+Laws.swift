// Owns: when each law is looked at. The laws themselves: PROTOCOL.md, chapter "Simulator".
import TallyBase
import TallyLog
import TallyNode
import TallyWire
import TallyWork

extension Simulation {
  /// Reads and checks that one node may have under way: the ledger's own bounds, and the exchange's beside them.
  static let readsMax = LedgerLimits.reads * 2
  static let checksMax = LedgerLimits.checks

  /// S6: nothing on the wire or on its way to the disk is above its limit.
  func checkDatagram(_ bytes: [UInt8], _ host: SimHost) {
    if bytes.count > 1232 { fail("S6", host: host.number, "a datagram of \(bytes.count) bytes") }
  }

  func checkCommit(_ commit: Commit, _ host: SimHost) {
    for case .entries(let feed, _, let entries, let head) in commit.operations {
      if entries.count > LedgerLimits.rangeEntries {
        fail("S6", host: host.number, "a run of \(entries.count) entries of \(feed) up to \(head.size)")
      }
    }
  }

  func checkSlowWork(_ host: SimHost, _ process: SimProcess) {
    if process.readsUnderWay > Self.readsMax {
      fail("S6", host: host.number, "\(process.readsUnderWay) reads under way")
    }
    if process.checksUnderWay > Self.checksMax {
      fail("S6", host: host.number, "\(process.checksUnderWay) checks under way")
    }
  }

  /// S7: who was never heard from is never sent more than was sent in its name.
  func checkSpoofed(_ source: SpoofedSource, _ endpoint: Endpoint, _ host: SimHost) {
    guard source.receivedBytes > source.sentBytes else { return }
    fail(
      "S7", host: host.number,
      "\(endpoint) never proved itself, sent \(source.sentBytes) bytes and got \(source.receivedBytes)")
  }

  /// Every look.
  func checkRunning() {
    guard script.nextLook % 1_000_000 < Script.lookPeriod else { return }
    for host in hosts {
      guard let process = host.process else { continue }
      if let broken = checker.onClock(process.node.clock, host) {
        fail(broken.law, host: host.number, broken.text)
      }
      let status = process.node.status
      if status.memberCount > options.hosts + 1 {
        fail("S6", host: host.number, "\(status.memberCount) members in a mesh of \(options.hosts)")
      }
    }
  }

  /// When the quiet time is over.
  func checkEnd() {
    let core = core
    if let broken = checker.lost(core) { fail(broken.law, host: nil, broken.text) }
    let oracle = Oracle(core.map(\.disk))
    if let clash = oracle.clash, !checker.mayFork.contains(oracle.feeds[clash.feed]?.author ?? .zero) {
      fail("S2", host: nil, "two disks differ at \(clash.index) of \(clash.feed)")
    }
    checkUnion(core, oracle)
    checkDebts(core, oracle)
    if oracle.hasSecondAttempt { checker.marks.insert(.secondAttempt) }
    figures.marks = checker.marks.sorted()
    for mark in options.scenario.mustMeet where !checker.marks.contains(mark) {
      fail("M1", host: nil, "a run about \(options.scenario.rawValue) never met \(mark.rawValue)")
    }
    if figures.quietRate(hosts: core.count) > options.scenario.quietRateMax {
      fail("L4", host: nil, "\(figures.quietRate(hosts: core.count)) bytes a second and host when nothing happens")
    }
    figures.forkProofs = UInt64(checker.forkProofs)
  }

  /// L1: every clock is the union's, and all derived states are one.
  private func checkUnion(_ core: [SimHost], _ oracle: Oracle) {
    guard let first = core.first?.process else {
      fail("L1", host: 0, "the first host does not run at the end")
      return
    }
    let state = first.node.stateDigest
    let common = first.node.clock
    let wanted = oracle.clock
    for host in core {
      guard let process = host.process else {
        fail("L1", host: host.number, "does not run at the end")
        continue
      }
      let clock = process.node.clock
      if checker.mayFork.isEmpty ? clock != wanted : clock != common {
        fail("L1", host: host.number, "its clock of \(clock.count) lines is not the union of \(wanted.count) feeds")
      }
      if process.node.stateDigest != state { fail("L1", host: host.number, "another digest of derived state") }
    }
  }

  /// S8: balances are what counting each (task, worker) once gives.
  private func checkDebts(_ core: [SimHost], _ oracle: Oracle) {
    guard checker.mayFork.isEmpty else { return }
    let wanted = oracle.debts
    for host in core {
      guard let process = host.process else { continue }
      let debts = process.node.balances.map {
        Oracle.Debt(key: Oracle.Debt.Key(debtor: $0.debtor, creditor: $0.creditor), amount: $0.amount)
      }.sorted { $0.key < $1.key }
      if debts != wanted {
        let text = "balances \(debts.map(\.amount)) where counting once gives \(wanted.map(\.amount))"
        fail("S8", host: host.number, text)
      }
    }
  }
}
