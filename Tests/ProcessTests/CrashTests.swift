// kill -9 in the middle of writing: whatever was acknowledged as durable is there afterwards, on every host.
import TallyAdmin
import TallyBase
import TallyHarness
import Testing

extension ProcessTests {
  @Suite(.serialized, .timeLimit(.minutes(2))) struct Crashes {
    @Test(arguments: ["a", "b", "c"]) func anyHostMayDieWhileEverybodyWrites(victim: String) throws {
      try Field.run("crash-\(victim)") { field in
        let hosts = try field.mesh(of: 3)
        let dying = try #require(hosts.first { $0.name == victim })
        var chance = Generator(seed: .zero, stream: UInt64(victim.utf8.first ?? 0))
        var acknowledged: Set<String> = []
        for _ in 0..<2 {
          let writers = try hosts.map { ($0, try RecordWriter($0)) }
          let killAt = 20 + chance.below(40)
          for step in 0..<100 {
            if step == killAt { dying.crash() }
            for (host, writer) in writers where writer.failure == nil && !writer.push() {
              try #require(host === dying, "\(host.name) stopped answering: \(writer.failure?.what ?? "")")
            }
          }
          for (_, writer) in writers { writer.drain() }
          acknowledged.formUnion(writers.flatMap(\.1.acknowledged).map(\.id))
          try dying.start()
          try field.converge(hosts, within: 8)
        }
        try #require(acknowledged.count >= 400)
        for host in hosts {
          let lost = acknowledged.subtracting(try host.recordIDs())
          try #require(lost.isEmpty, "\(host.name) lost \(lost.count) of \(acknowledged.count) acknowledged records")
          try #require(host.status().forks == 0)
        }
        // It goes on where it was: the same feed, no new incarnation.
        try #require(dying.ledger().feeds.count { $0.own } == 1)
      }
    }

    @Test func theOnlyHostComesBackAlone() throws {
      try Field.run("crash-alone") { field in
        let host = try field.host("a")
        try host.start()
        var acknowledged: [RecordResult] = []
        for round in 0..<3 {
          let writer = try RecordWriter(host)
          for step in 0..<120 {
            if step == 40 + 20 * round { host.crash() }
            if !writer.push() { break }
          }
          writer.drain()
          acknowledged += writer.acknowledged
          try host.start()
          let status = try host.status()
          try #require(status.signing == "on" && status.forks == 0)
        }
        try #require(acknowledged.count >= 90)
        let lost = Set(acknowledged.map(\.id)).subtracting(try host.recordIDs())
        try #require(lost.isEmpty, "\(lost.count) acknowledged records are gone")
        let after = try host.record("after all that", wait: "released")
        try #require(after.released && after.feed == acknowledged[0].feed)
      }
    }

    @Test func aStopUnderLoadIsQuickAndClean() throws {
      try Field.run("stop-load") { field in
        let hosts = try field.mesh(of: 3)
        let writer = try RecordWriter(hosts[1])
        for _ in 0..<100 { try #require(writer.push()) }
        let child = try #require(hosts[1].child)
        let asked = microsNow()
        hosts[1].beginStop()
        // The client does not stop by itself.
        while writer.push() {
          try #require(microsNow() - asked < 5_000_000, "the daemon still answers 5 s after SIGTERM")
        }
        writer.drain()
        let end = try hosts[1].waitForEnd(within: 2)
        let took = (microsNow() - asked) / 1000
        figure("SIGTERM under load to exit", "\(took) ms")
        try #require(end.code == 0, "it ended with \(end)")
        try #require(took <= 2000, "it took \(took) ms")
        try #require(child.end != nil)
        try hosts[1].start()
        try field.converge(hosts, within: 8)
        let ids = Set(writer.acknowledged.map(\.id))
        try #require(ids.count >= 92)
        for host in hosts { try #require(ids.isSubset(of: host.recordIDs())) }
      }
    }
  }
}
