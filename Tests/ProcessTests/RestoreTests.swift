// Backups that come back, and copies that run at the same time. No host ever forks itself when a host that was there
// can be asked; a copy that runs beside its original is noticed, and nobody else is stopped by it.
import TallyAdmin
import TallyHarness
import Testing

extension ProcessTests {
  @Suite(.serialized, .timeLimit(.minutes(2))) struct Restores {
    /// What of the data directory is put back to an older state.
    enum Part: String, CaseIterable, Sendable {
      case both, database, guardFile
    }

    private func putBack(_ part: Part, _ backup: String, _ host: Host) throws {
      if part != .guardFile {
        for name in Files.list(host.directory) where name.hasPrefix("ledger.db") {
          Files.remove(host.directory + "/" + name)
        }
        for name in Files.list(backup) where name.hasPrefix("ledger.db") {
          try Files.copy(backup + "/" + name, to: host.directory + "/" + name)
        }
      }
      if part != .database {
        Files.remove(host.directory + "/guard")
        try Files.copy(backup + "/guard", to: host.directory + "/guard")
      }
    }

    @Test(arguments: Part.allCases, [false, true])
    func anOldBackupComesBack(part: Part, isSeed: Bool) throws {
      try Field.run("restore-\(part)-\(isSeed ? "seed" : "joiner")") { field in
        let hosts = try field.mesh(of: 3)
        let host = hosts[isSeed ? 0 : 1]
        for number in 0..<5 { try host.record("before \(number)", wait: "released") }
        try field.converge(hosts)
        try host.stop()
        let backup = field.directory + "/backup"
        try Files.copy(host.directory, to: backup)
        try host.start()
        var ids: Set<String> = []
        for number in 0..<5 { ids.insert(try host.record("lost by the backup \(number)", wait: "released").id) }
        try field.converge(hosts)
        let before = try host.status()
        try host.stop()
        try putBack(part, backup, host)

        try host.start()
        try field.converge(hosts)
        let after = try host.record("after the backup", wait: "released")
        try #require(after.released)
        try field.converge(hosts)
        ids.insert(after.id)
        for other in hosts {
          try #require(other.status().forks == 0, "\(other.name) sees a fork")
          // What the backup had forgotten came back from the others.
          try #require(ids.isSubset(of: other.recordIDs()), "\(other.name) lacks records")
        }
        // A guard that is only older says nothing new; an older database is a rollback: the old feed is never extended.
        try #require((try host.status().feed == before.feed) == (part == .guardFile))
        figure("restored \(part)", part == .guardFile ? "the same feed goes on" : "a new incarnation")
      }
    }

    @Test func copiesThatRunAtOnceAreNoticed() throws {
      try Field.run("clones") { field in
        let hosts = try field.mesh(of: 3)
        let (seed, original, third) = (hosts[0], hosts[1], hosts[2])
        for number in 0..<3 { try original.record("before \(number)", wait: "released") }
        try field.converge(hosts)
        let feed = try original.status().feed
        try original.stop()
        let copy = try original.cloned(as: "b2")
        try original.start()
        try copy.start()

        // Both write, as if nothing had happened, until one of them notices.
        let start = microsNow()
        var round = 0
        try eventually("a copy notices the other", within: 30, state: { try describe([original, copy, seed, third]) }) {
          round += 1
          for host in [original, copy] { try attempt(host, "round \(round) of \(host.name)") }
          return try noticed(original, feed) || noticed(copy, feed)
        }
        figure("copies noticed after", "\((microsNow() - start) / 1000) ms, \(round) rounds; \(try describe([original, copy]))")

        // The third host and the seed go on, and hear of each other.
        let mine = try third.record("the third goes on", wait: "released")
        let theirs = try seed.record("so does the seed", wait: "released")
        try eventually("they hold each other's records") {
          try seed.recordIDs().contains(mine.id) && third.recordIDs().contains(theirs.id)
        }
        // A fork, if there is one, is shown with its index, and both name the same one.
        try eventually("they agree about the copies' feed", within: 20, state: { try describe([seed, third]) }) {
          let lines = try [seed, third].map { try $0.ledger().feeds.first { $0.feed == feed }?.forkIndex }
          return lines[0] == lines[1]
        }
        figure("forks shown", "\(try seed.status().forks) at the seed, \(try third.status().forks) at the third host")

        // With the copy stopped, the original's operator lets it sign again; the old feed is never extended.
        try copy.stop()
        _ = try original.admin().call("ledger.incarnate", as: Done.self)
        try eventually("the original signs again", within: 30, state: { try describe([original]) }) {
          try original.status().signing == "on"
        }
        try #require(original.status().feed != feed)
        let again = try original.record("alone again", wait: "released")
        try eventually("everybody has its new record", within: 30, state: { try describe([seed, third]) }) {
          try seed.recordIDs().contains(again.id) && third.recordIDs().contains(again.id)
        }
        try field.converge([seed, original, third])
      }
    }

    /// A write that may be refused while signing is off.
    private func attempt(_ host: Host, _ words: String) throws {
      do {
        try host.record(words)
      } catch let error as ClientError {
        guard error.code == .refused else { throw error }
      }
    }

    private func noticed(_ host: Host, _ feed: String) throws -> Bool {
      let status = try host.status()
      return status.signing.hasPrefix("off: another instance") || status.feed != feed
    }

    private func describe(_ hosts: [Host]) throws -> String {
      try hosts.map { host in
        let status = try host.status()
        return "\(host.name): signing \(status.signing), feed \(status.feed.prefix(8)), forks \(status.forks), "
          + "members \(status.members), entries \(status.entries)"
      }.joined(separator: " | ")
    }
  }
}
