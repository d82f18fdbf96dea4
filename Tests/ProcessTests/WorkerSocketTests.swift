// Worker processes come and go: one that only waited takes nothing with it, one that held a task loses just that task.
import TallyAdmin
import TallyBase
import TallyHarness
import Testing

extension ProcessTests {
  @Suite(.serialized, .timeLimit(.minutes(2))) struct WorkerSockets {
    private static let work =
      #"{"cores":1,"env":{},"epoch":315532800,"in":[],"root":{"arch":"x86_64","tree":""#
      + String(repeating: "c0", count: 32) + #""},"run":["true"],"v":1}"#

    private func worker(_ host: Host) throws -> AdminClient {
      let client = try AdminClient(path: host.directory + "/worker.sock")
      let facts = WorkerHelloParams(arch: "x86_64", native: true, wasm: false, limitsBy: "nothing", cause: "")
      _ = try client.call("worker.hello", facts, as: Done.self)
      return client
    }

    @Test func aWorkerThatGoesLosesItsTaskAndNothingElse() throws {
      try Field.run("workers") { field in
        let host = try field.mesh(of: 1)[0]
        // One only waits and goes: its question must not be answered with a task.
        try withExtendedLifetime(worker(host)) { idle in _ = try idle.begin("worker.next", NoParams()) }
        try eventually("the idle worker is gone") { try host.status().worker == "none" }

        var params = PostParams(work: Self.work)
        params.local = true
        let post = try host.admin().call("job.post", params, as: PostResult.self)
        let stays = try worker(host)
        try withExtendedLifetime(worker(host)) { holder in
          let task = try holder.call("worker.next", NoParams(), as: WorkerTaskResult.self)
          try #require(task.task.post == post.id && task.task.attempt == 1)
        }
        // It died with the task in its hands, while another worker stays: only that task is lost, and at once.
        let again = try stays.call("worker.next", NoParams(), as: WorkerTaskResult.self)
        try #require(again.task.post == post.id && again.task.attempt == 2)
        let job = try host.admin().call("job.show", JobParams(id: post.id), as: JobResult.self)
        #expect(job.timeline.contains { $0.text.contains("lost") }, "\(job.timeline.map(\.text))")
      }
    }
  }
}
