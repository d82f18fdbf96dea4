// A kill at every step of the way to the disk, in the whole daemon: nothing that was answered is lost, and the feed
// goes on without a fork. The store's own crash loop tries every count; here each point is hit once under real traffic.
import TallyAdmin
import TallyBase
import TallyHarness
import Testing

extension ProcessTests {
  @Suite(.serialized, .timeLimit(.minutes(3))) struct Failpoints {
    /// The exit code of a failpoint.
    private static let killed: Int32 = 86

    @Test(arguments: [
      "store.begin", "store.operation", "store.fold", "store.beforeCommit", "store.afterCommit", "guard.beforeWrite",
      "guard.afterSync", "guard.beforeRename", "guard.afterRename", "guard.afterDirectorySync",
    ])
    func nothingAnsweredIsLost(point: String) throws {
      try Field.run("failpoint-\(point)") { field in
        let host = try field.mesh(of: 1)[0]
        var acknowledged = [try host.record("before").id]
        _ = try host.stop()

        host.environment["TALLY_FAILPOINT"] = "\(point):3:exit"
        try host.launch(port: 0)
        var isAlive = true
        var tries = 0
        while isAlive && tries < 20_000 {
          tries += 1
          do {
            acknowledged.append(try host.record("record \(tries)").id)
          } catch is ClientError {
            // Not up yet, or killed in the middle of this very record.
            isAlive = try !host.hasEnded()
          }
        }
        let end = try host.waitForEnd()
        try #require(end.code == Self.killed, "\(point) was not reached: \(end)")

        host.environment["TALLY_FAILPOINT"] = nil
        try host.start()
        let held = try host.recordIDs()
        try #require(acknowledged.allSatisfy { held.contains($0) }, "answered and lost after \(point)")
        let status = try host.status()
        try #require(status.forks == 0)
        _ = try host.record("after", wait: "released")
      }
    }
  }
}
