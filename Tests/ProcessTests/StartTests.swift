// What a daemon refuses to start on, with an exit code for scripts and three lines for people; and what it tells a
// service manager.
import TallyAdmin
import TallyHarness
import Testing

extension ProcessTests {
  @Suite(.serialized, .timeLimit(.minutes(1))) struct Starts {
    /// Exit code and standard error of a daemon that does not start.
    private func refusal(_ field: Field, _ directory: String, _ more: [String] = []) throws -> (Int32, [Substring]) {
      let program = try #require(Programs.tallyd)
      let (code, text) = try Child.run(program, ["--data", directory, "--listen", "127.0.0.1:0"] + more)
      return (code, text.split(separator: "\n"))
    }

    private func isThreeLines(_ lines: [Substring]) -> Bool {
      lines.count == 3 && lines[0].hasPrefix("error: ") && lines[1].hasPrefix("  why: ")
        && lines[2].hasPrefix("  fix: ")
    }

    @Test func aSecondDaemonOnOneDirectory() throws {
      try Field.run("second-daemon") { field in
        let host = try field.host("a")
        try host.start()
        let (code, lines) = try refusal(field, host.directory)
        try #require(code == 75, "exit \(code): \(lines)")
        try #require(isThreeLines(lines), "\(lines)")
        try #require(lines[1].contains("another tallyd"))
        // The first one does not notice.
        try #require(host.record("still here").durable)
        try #require(Files.exists(host.socket))
      }
    }

    @Test func aDirectoryThatOthersMayRead() throws {
      try Field.run("exposed") { field in
        let host = try field.host("a")
        let (changed, _) = try Child.run("/bin/chmod", ["755", host.directory])
        try #require(changed == 0)
        let (code, lines) = try refusal(field, host.directory)
        try #require(code == 77, "exit \(code): \(lines)")
        try #require(isThreeLines(lines) && lines[2].contains("chmod 700"), "\(lines)")
      }
    }

    @Test func aDirectoryOfNoMesh() throws {
      try Field.run("no-mesh") { field in
        let host = try field.host("a")
        Files.remove(host.directory + "/mesh.toml")
        let (code, lines) = try refusal(field, host.directory)
        try #require(code == 78, "exit \(code): \(lines)")
        try #require(isThreeLines(lines), "\(lines)")
        try #require(!Files.exists(host.directory + "/identity.key"), "nothing is made before the mesh is known")
      }
    }

    @Test func aMisspeltSettingAndATakenPort() throws {
      try Field.run("bad-start") { field in
        let host = try field.host("a")
        try host.start()
        let other = try field.host("b")
        let (taken, words) = try refusal(field, other.directory, ["--listen", "127.0.0.1:\(host.port)"])
        try #require(taken == 69, "exit \(taken): \(words)")
        try #require(isThreeLines(words), "\(words)")
        try Files.write("[node]\nnmae = \"b\"\n", to: other.directory + "/tally.toml")
        let (code, lines) = try refusal(field, other.directory)
        try #require(code == 78, "exit \(code): \(lines)")
        try #require(lines.count <= 3 && lines.contains { $0.contains("name") }, "\(lines)")
      }
    }

    @Test func theServiceManagerHearsReadyAndStopping() throws {
      try Field.run("notify") { field in
        let manager = try NotifySocket(field.directory + "/notify")
        let host = try field.host("a")
        host.environment["NOTIFY_SOCKET"] = manager.path
        let start = microsNow()
        try host.start()
        try eventually("READY=1") {
          manager.poll()
          return manager.lines.contains("READY=1")
        }
        figure("exec to READY=1 seen (debug or release as built)", "\((microsNow() - start) / 1000) ms")
        try #require(!manager.lines.contains("STOPPING=1"))
        try host.stop()
        manager.poll()
        try #require(manager.lines.contains("STOPPING=1"), "\(manager.lines)")
      }
    }
  }
}
