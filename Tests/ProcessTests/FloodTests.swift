// A host under a flood of garbage: it lives, loses nothing, stays small, and answers those who belong to it.
import TallyAdmin
import TallyHarness
import Testing

extension ProcessTests {
  @Suite(.serialized, .timeLimit(.minutes(2))) struct Floods {
    struct Latency {
      var ping = Samples()
      var admin = Samples()
      var lost = 0
      var records: Set<String> = []
    }

    /// Pings `target` from `host` over their session, and asks `target` over its admin socket, until told to stop.
    private func measure(_ host: Host, _ target: Host, while goesOn: (Int) -> Bool) throws -> Latency {
      var result = Latency()
      let asking = try target.connect()
      var round = 0
      while goesOn(round) {
        round += 1
        do {
          let took = try milliseconds { _ = try host.ping(target) }
          result.ping.add(took)
        } catch let error as ClientError where error.code == .timeout || error.code == .refused {
          result.lost += 1
        }
        result.admin.add(try milliseconds { _ = try asking.call("id", as: IDResult.self) })
        if round % 100 == 0 { result.records.insert(try target.record("during the flood \(round)").id) }
      }
      return result
    }

    @Test func garbageDoesNotStopAHost() throws {
      try Field.run("flood") { field in
        let hosts = try field.mesh(of: 3)
        let (target, pinging) = (hosts[0], hosts[2])
        var ids: Set<String> = []
        let child = try #require(target.child)

        var garbage = Garbage(seed: 8, mesh: Field.mesh, target: try target.key())
        let frames = try garbage.frames(4096)
        let idle = try measure(pinging, target) { $0 < 400 }
        let before = child.residentKiB
        let kernelBefore = try target.network("kernel drops")

        let seconds = 10.0
        let flood = try Flood(frames, to: target.port, rate: 6000, batch: 8, seconds: seconds)
        let writer = try RecordWriter(hosts[1])
        var last = 0
        let loaded = try measure(pinging, target) { round in
          if round > last {
            last = round
            if round % 20 == 0 { writer.push() }
          }
          return Double(microsNow() - flood.startedAt) < (seconds - 0.3) * 1_000_000
        }
        let rate = flood.perSecond
        try flood.end()
        writer.drain()
        ids.formUnion(writer.acknowledged.map(\.id))
        ids.formUnion(loaded.records)
        let after = child.residentKiB

        figure("flood", "\(Int(rate)) datagrams/s sent, refused \(try target.status().refusals.map { "\($0.name) \($0.count)" })")
        figure("flood, ping idle", idle.ping.text)
        figure("flood, ping under it", "\(loaded.ping.text), lost \(loaded.lost)")
        figure("flood, admin idle", idle.admin.text)
        figure("flood, admin under it", loaded.admin.text)
        figure("flood, ping p99 ratio", "\(loaded.ping.quantile(0.99) / max(0.001, idle.ping.quantile(0.99)))")
        figure("flood, resident", "\(before) KiB before, \(after) KiB after")
        figure("flood, kernel drops", "\(try target.network("kernel drops") - kernelBefore)")

        try #require(rate >= 5000, "the flood itself was slow: \(rate)/s")
        try #require(writer.failure == nil)
        try #require(child.isRunning)
        try #require(after - before < 32 * 1024, "\(before) → \(after) KiB")
        // Generous, and not below what a busy two-core machine does to anybody: the figure is what counts.
        let bound = max(20 * idle.ping.quantile(0.99), 250 * Patience.factor)
        try #require(loaded.ping.quantile(0.99) <= bound, "\(loaded.ping.text) against \(idle.ping.text)")
        try #require(Double(loaded.lost) <= 0.01 * Double(loaded.ping.count + 1), "\(loaded.lost) pings lost")
        try #require(target.refusals("badHandshake") > 0)

        try field.converge(hosts)
        for host in hosts { try #require(ids.isSubset(of: host.recordIDs())) }
      }
    }

    @Test func datagramsAreTakenInBatches() throws {
      try Field.run("batches") { field in
        let hosts = try field.mesh(of: 2)
        let target = hosts[0]
        var garbage = Garbage(seed: 10, mesh: Field.mesh, target: try target.key())
        let frames = (0..<1024).map { _ in garbage.noise() }
        let datagrams = try target.network("datagrams received")
        let calls = try target.network("receive calls")
        let flood = try Flood(frames, to: target.port, rate: 40_000, batch: 64, seconds: 2)
        try eventually("enough came in", state: { "\(try target.network("datagrams received") - datagrams)" }) {
          try target.network("datagrams received") - datagrams > 40_000
        }
        let perCall =
          Double(try target.network("datagrams received") - datagrams) / Double(try target.network("receive calls") - calls)
        let rate = flood.perSecond
        try flood.end()
        figure("datagrams per receive call", "\(perCall) at \(Int(rate))/s")
        try #require(perCall >= 8)
        try field.converge(hosts)
      }
    }
  }
}
