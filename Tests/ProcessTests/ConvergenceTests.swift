// Hosts that join one seed end with the same members, the same clock and the same derived state; what one wrote, the
// others can prove to a stranger.
import TallyAdmin
import TallyBase
import TallyHarness
import Testing

extension ProcessTests {
  @Suite(.serialized, .timeLimit(.minutes(2))) struct Convergence {
    @Test(arguments: [3, 5]) func hostsThatJoinOneSeedHoldTheSame(count: Int) throws {
      try Field.run("converge-\(count)") { field in
        let start = microsNow()
        let hosts = try field.mesh(of: count)
        figure("mesh of \(count) from nothing", "\((microsNow() - start) / 1000) ms")
        for host in hosts { try #require(host.status().member) }

        let author = hosts[1]
        let record = try author.record("three machines, one answer", wait: "released")
        try #require(record.durable && record.released)
        let took = try milliseconds {
          try eventually("everybody holds the record") { try hosts.allSatisfy { try $0.recordIDs().contains(record.id) } }
        }
        figure("a record on all of \(count)", "\(took) ms after its release")
        try field.converge(hosts)

        let key = try author.key()
        for host in hosts {
          let proof = try host.admin().call(
            "ledger.proof", ProofParams(feed: record.feed, index: record.index), as: ProofResult.self)
          let id = try Stranger.check(proof, mesh: Field.mesh, author: key)
          try #require(id.hex == record.id, "\(host.name) proves another entry")
          // The check can fail: one flipped bit of the entry leads to another root.
          var forged = proof
          forged.preimage.bytes[20] ^= 1
          #expect(throws: HarnessError.self) { try Stranger.check(forged, mesh: Field.mesh, author: key) }
        }
      }
    }

    @Test func recordsOfEverybodyReachEverybody() throws {
      try Field.run("converge-load") { field in
        let hosts = try field.mesh(of: 3)
        let writers = try hosts.map { try RecordWriter($0) }
        let start = microsNow()
        for _ in 0..<200 {
          for writer in writers { try #require(writer.push()) }
        }
        for writer in writers { writer.drain() }
        let written = Double(microsNow() - start) / 1_000_000
        try field.converge(hosts)
        let converged = Double(microsNow() - start) / 1_000_000
        let ids = Set(writers.flatMap(\.acknowledged).map(\.id))
        try #require(ids.count == 600)
        for host in hosts { try #require(ids.isSubset(of: host.recordIDs())) }
        figure("600 records by 3 hosts", "durable after \(written) s, the same everywhere after \(converged) s")
      }
    }
  }
}
