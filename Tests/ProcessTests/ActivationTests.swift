// A service manager makes the admin socket and passes it on: the first client starts the daemon and is answered by it.
import TallyAdmin
import TallyBase
import TallyHarness
import Testing

extension ProcessTests {
  @Suite(.serialized, .timeLimit(.minutes(2))) struct Activation {
    private static let activator = "/usr/bin/systemd-socket-activate"

    @Test func thePassedAdminSocketIsUsed() throws {
      guard Files.exists(Self.activator) else {
        print("SKIP thePassedAdminSocketIsUsed: no \(Self.activator)")
        return
      }
      try Field.run("activation") { field in
        let host = try field.mesh(of: 1)[0]
        _ = try host.stop()
        let path = field.directory + "/passed.sock"
        let tallyd = try #require(Programs.tallyd)
        let child = try Child(
          Self.activator, ["--listen=" + path, "--fdname=admin", tallyd, "--data", host.directory],
          log: field.directory + "/activated.log")
        defer { child.kill() }
        try eventually("the socket is there") { Files.exists(path) }
        let status = try AdminClient(path: path).call("status", as: StatusResult.self)
        #expect(status.dataDirectory == host.directory)
        #expect(!Files.exists(host.directory + "/admin.sock"), "a second admin socket was made")
        child.signal(15)
        _ = try child.wait(within: 5)
      }
    }
  }
}
