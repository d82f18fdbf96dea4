// Owns: the one table of methods. It makes the API description, `tally api`'s help, and the tests that every method is
// carried out, documented and refused to the wrong role.

public struct Method: Hashable, Sendable {
  public let name: String
  public let role: Role
  public let summary: String
  /// In words: `name: type` of every parameter, optional ones with `?`.
  public let params: String
  public let result: String

  init(_ name: String, _ role: Role, _ summary: String, params: String = "", result: String) {
    self.name = name
    self.role = role
    self.summary = summary
    self.params = params
    self.result = result
  }
}

public enum MethodTable {
  public static let all: [Method] = [
    Method(
      "hello", .read, "Names the client; may lower this connection's role.",
      params: "client?: string, role?: read|operate|worker|admin", result: "api, server, role, mesh"),
    Method("api.discover", .read, "This table.", result: "methods"),
    Method(
      "status", .read, "What this host says of itself, with warnings and how to mend them.", result: "StatusResult"),
    Method("id", .read, "This host's key, node ID, name, feed and mesh.", result: "IDResult"),
    Method("peers", .read, "Every host of the mesh as seen from here, and why.", result: "members: [PeerRow]"),
    Method(
      "ping", .operate, "One round trip to a host over a datagram session.", params: "host: string",
      result: "host, rtt_us, observed"),
    Method(
      "lookup", .operate, "The hosts nearest to an ID that answered us.", params: "target: string",
      result: "target, asked, found"),
    Method("ledger", .read, "Every feed held here, with its size, root and fork.", result: "LedgerResult"),
    Method(
      "ledger.entries", .read, "Entries of a feed, with their bytes.",
      params: "feed?: string, from?: number, to?: number", result: "feed, size, entries"),
    Method(
      "ledger.proof", .read, "One entry with its inclusion path and a signed head: all that a stranger needs.",
      params: "feed: string, index: number", result: "ProofResult"),
    Method(
      "checkpoint", .read, "A feed's head as a C2SP signed note.", params: "feed?: string",
      result: "feed, size, note, vkey"),
    Method("clock", .read, "The vector clock: every feed's size and root.", result: "digest, lines"),
    Method("jobs", .read, "Jobs in the ledger, newest last.", params: "last?: number", result: "jobs: [JobRow]"),
    Method(
      "job.show", .read, "One job: claims, acceptances, timeline, whose move it is.", params: "id: string",
      result: "JobResult"),
    Method("records", .read, "Records in the ledger, newest last.", params: "last?: number", result: "records"),
    Method("balance", .read, "Who owes whom how much, at which clock.", result: "clock_digest, balances"),
    Method(
      "events.subscribe", .read, "Notifications `event` from now on.", params: "types?: [string]",
      result: "subscription"),
    Method(
      "record.put", .operate, "Writes a record about words that stay outside the log.",
      params: "words: base64, is_public?: bool, wait?: durable|released", result: "RecordResult"),
    Method(
      "job.post", .operate, "Posts a job; its work must be canonical JSON.",
      params: "work: string, tasks?, unit?, most_units?, cpu_s?, wall_s?, mem_mb?, disk_mb?, out_mb?, procs?, "
        + "is_public?, hold?, local?",
      result: "id, feed, index"),
    Method(
      "job.watch", .operate, "Notifications about one job: stages, output, the end.", params: "id: string",
      result: "subscription"),
    Method("job.cancel", .operate, "Takes an open job back.", params: "id: string", result: "done"),
    Method(
      "job.decide", .operate, "Accepts or refuses a held result.", params: "id: string, index?: number, accept: bool",
      result: "done"),
    Method(
      "job.words", .operate, "Work, salts, manifest and outputs of a finished task of this host.",
      params: "id: string, index?: number", result: "WordsResult"),
    Method("blob.begin", .operate, "Opens an upload.", result: "staging"),
    Method(
      "blob.put", .operate, "Adds the next leaf to an upload.", params: "staging: number, data: base64",
      result: "done"),
    Method(
      "blob.finish", .operate, "Closes an upload and names its content.", params: "staging: number", result: "cid, size"
    ),
    Method(
      "blob.get", .operate, "One 64 KiB leaf.", params: "cid: string, leaf: number, task?: TaskName",
      result: "cid, size, leaf, data"),
    Method(
      "blob.stat", .operate, "Whether a blob is here, and its size.", params: "cid: string",
      result: "cid, size, complete"),
    Method(
      "invite", .operate, "A URL with which another host joins: it holds the mesh key, so treat it as a secret.",
      params: "host?: string", result: "url"),
    Method(
      "join", .admin, "Adds the host of an invite to the seeds of this daemon.", params: "url: string", result: "done"),
    Method(
      "lend", .admin, "Shows or changes what this host lends.",
      params: "on?: bool, cores?, mem_mb?, disk_mb?, slots?", result: "LendResult"),
    Method(
      "trust", .admin, "Shows or changes the reader's trust in a host.",
      params: "host: string, relation?: trusted|member|blocked, owner?: string, name?: string", result: "TrustRow"),
    Method("leave", .admin, "Says good-bye to the mesh.", result: "done"),
    Method("ledger.incarnate", .admin, "Never extends the own feed again; begins a new one.", result: "done"),
    Method("shutdown", .admin, "Stops the daemon in order.", result: "done"),
    Method(
      "worker.hello", .worker, "A worker process says what it measured of itself.", params: "WorkerHelloParams",
      result: "done"),
    Method("worker.next", .worker, "The next task; answered when there is one.", result: "WorkerTaskResult"),
    Method("worker.beat", .worker, "How far a task is.", params: "task, stage, cpu_ms", result: "go_on"),
    Method("worker.output", .worker, "What a task prints.", params: "task, stream, offset, data", result: "done"),
    Method("worker.done", .worker, "How a task ended.", params: "WorkerDoneParams", result: "done"),
    Method("worker.blob.begin", .worker, "Opens an upload of a worker.", result: "staging"),
    Method("worker.blob.put", .worker, "Adds the next leaf.", params: "staging, data", result: "done"),
    Method("worker.blob.finish", .worker, "Closes an upload.", params: "staging", result: "cid, size"),
    Method(
      "worker.blob.get", .worker, "One leaf of an input of a task.", params: "cid, leaf, task", result: "LeafResult"),
  ]

  /// By name; nil for a method that does not exist.
  public static func find(_ name: String) -> Method? { all.first { $0.name == name } }
}
