// Owns: the verbs that look at jobs and decide about them.
import ArgumentParser
import TallyAdmin
import TallyBase
import TallyWire
import TallyWork
import TallyWorker

struct JobsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jobs", abstract: "List the jobs in the ledger, newest last.")

  @OptionGroup var options: DaemonOptions
  @Option(help: "How many.")
  var last = 20

  func run() throws {
    let result = try options.connect().call("jobs", LastParams(last: last), as: JobsResult.self)
    if options.json { return Output.json(result) }
    if result.jobs.isEmpty { return Output.note("no jobs yet; `tally run --help` says how to post one") }
    Output.table(
      result.jobs.map {
        [Output.short($0.id), Output.time(ms: $0.timeMs), $0.requester, $0.words, $0.move]
      })
  }
}

struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a job: claims, acceptances, timeline, whose move it is.")

  @OptionGroup var options: DaemonOptions
  @Argument(help: "A job's ID, or any unique prefix of it.")
  var id: String

  func run() throws {
    let job = try options.connect().call("job.show", JobParams(id: id), as: JobResult.self)
    if options.json { return Output.json(job) }
    Output.line("job \(job.job.id)")
    Output.line("  of \(Output.printable(job.job.requester)), \(Output.time(ms: job.job.timeMs)) by its clock")
    Output.line("  \(job.job.words); the next move is \(job.job.move)")
    if let stage = job.stage { Output.line("  here: \(stage)") }
    for claim in job.claims {
      let amount = claim.evidence == "accepted" ? ", paid \(claim.amount)" : ""
      Output.line(
        "  claim \(Output.short(claim.id)) by \(Output.printable(claim.worker)): exit \(claim.exit), "
          + "\(claim.units) units, \(claim.wallMs) ms: \(claim.evidence)\(claim.refused ? ", refused" : "")\(amount)")
    }
    Output.table(
      job.timeline.map {
        ["  \(Output.time(ms: $0.timeMs))", Output.short($0.id), $0.author, $0.text]
      })
  }
}

struct WhyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "why", abstract: "Say why a job waits, or why a host is shown as it is.")

  @OptionGroup var options: DaemonOptions
  @Argument(help: "A job's ID, or a host's name or key.")
  var subject: String

  struct Report: Encodable {
    var job: JobResult?
    var host: PeerRow?
  }

  func run() throws {
    let client = try options.connect()
    let peers = try client.call("peers", as: PeersResult.self).members
    if let peer = peers.first(where: { $0.name == subject || $0.key == subject }) {
      if options.json { return Output.json(Report(job: nil, host: peer)) }
      return Output.line("\(peer.name) is \(peer.state): \(peer.why)")
    }
    let job = try client.call("job.show", JobParams(id: subject), as: JobResult.self)
    if options.json { return Output.json(Report(job: job, host: nil)) }
    Output.line("job \(Output.short(job.job.id)): \(job.job.words); the next move is \(job.job.move)")
    Output.line(job.stage.map { "here: \($0)" } ?? "this host does nothing about it: it is another's, or settled")
    for row in job.refusals { Output.line("  \(Output.printable(row.host)) would not: \(row.reason)") }
    if job.stage?.hasPrefix("waiting") == true && job.refusals.isEmpty {
      Output.line("  no host lends: on one of them, `tally lend` and `tally trust` with this host's name")
    }
  }
}

struct OutputCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "output", abstract: "Print what a finished job of this host printed.")

  @OptionGroup var options: DaemonOptions
  @Argument(help: "A job's ID, or any unique prefix of it.")
  var id: String
  @Option(help: "Which task of a map.")
  var index: UInt32?
  @Flag(help: "Standard error instead of standard output.")
  var stderr = false

  struct Report: Encodable {
    var stream: String
    var data: Base64Bytes
  }

  func run() throws {
    let client = try options.connect()
    let words = try client.call("job.words", JobParams(id: id, index: index), as: WordsResult.self)
    let blob = stderr ? words.stderr : words.stdout
    if options.json {
      let bytes = blob.size == 0 ? [] : try client.getBlob(blob.cid, as: .client, limit: 64 << 20)
      return Output.json(Report(stream: stderr ? "stderr" : "stdout", data: Base64Bytes(bytes)))
    }
    if blob.size == 0 { return }
    try client.getBlob(blob.cid, as: .client) { (leaf) throws(ClientError) in PosixText.put(leaf, to: 1) }
  }
}

struct PutCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "put", abstract: "Store a file or a directory as blobs and print its content ID.")

  @OptionGroup var options: DaemonOptions
  @Flag(help: "A directory is a root: this machine's own files are dropped, mount points added.")
  var root = false
  @Argument(help: "A file or a directory; - for standard input.")
  var path: String

  struct Report: Encodable {
    var kind: String
    var cid: String
    var size: UInt64
    var sha256: String?
  }

  func run() throws {
    let client = try options.connect()
    let report: Report
    if try path != "-" && (root || JobFiles.isDirectory(path)) {
      let tree = try JobFiles.tree(path, purpose: root ? .root : .input, client)
      report = Report(kind: "tree", cid: tree.reference.id.hex, size: tree.reference.size, sha256: nil)
    } else {
      let (reference, sha256) = try JobFiles.file(path, client)
      report = Report(kind: "file", cid: reference.id.hex, size: reference.size, sha256: sha256.hex)
    }
    options.json ? Output.json(report) : Output.line("\(report.cid)  \(report.kind)  \(Output.size(report.size))")
  }
}

struct GetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Fetch the results of a job of this host, or a blob by its content ID.")

  @OptionGroup var options: DaemonOptions
  @Argument(help: "A job's ID or prefix, or the 64 digits of a content ID.")
  var id: String
  @Option(help: "For a job: the directory for its results. For a blob: a file; default: standard output.")
  var out: String?
  @Option(help: "Which task of a map.")
  var index: UInt32?

  struct Report: Encodable {
    var paths: Int
    var bytes: UInt64
  }

  func run() throws {
    let client = try options.connect()
    if id.utf8.count == 64 {
      let blob = try client.call("blob.stat", BlobParams(cid: id), as: BlobStatResult.self)
      if blob.complete { return try getBlob(client, blob) }
    }
    let words = try client.call("job.words", JobParams(id: id, index: index), as: WordsResult.self)
    let tree: Tree
    do throws(TextError) { tree = try Tree.parse(words.tree.bytes) } catch {
      throw ClientError(.badData, "the results of \(Output.short(id)) are not a tree", why: "\(error)")
    }
    let directory = out ?? "tally-\(Output.short(id))"
    try JobFiles.write(tree, to: directory, client)
    if options.json { return Output.json(Report(paths: tree.lines.count, bytes: tree.totalSize)) }
    Output.note(tree.lines.isEmpty ? "no files" : "\(tree.lines.count) paths in \(directory)")
  }

  private func getBlob(_ client: AdminClient, _ blob: BlobStatResult) throws(ClientError) {
    let descriptor = try out.map { (path) throws(ClientError) in try PosixFile.create(path, isExecutable: false) } ?? 1
    if blob.size > 0 {
      try client.getBlob(blob.cid, as: .client) { (leaf) throws(ClientError) in
        if !PosixText.put(leaf, to: descriptor) { throw ClientError(.cannotCreate, "cannot write \(out ?? "stdout")") }
      }
    }
    if options.json && out != nil { Output.json(Report(paths: 1, bytes: blob.size)) }
  }
}

struct CancelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "cancel", abstract: "Take an open job back.")
  @OptionGroup var options: DaemonOptions
  @Argument(help: "A job's ID, or any unique prefix of it.")
  var id: String

  func run() throws {
    let done = try options.connect().call("job.cancel", JobParams(id: id), as: Done.self)
    options.json ? Output.json(done) : Output.note("cancelled \(Output.short(id))")
  }
}

struct AcceptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept", abstract: "Accept a result that waits for you (run --hold).")
  @OptionGroup var options: DaemonOptions
  @OptionGroup var decision: Decision

  func run() throws { try decision.carryOut(options, accept: true) }
}

struct RefuseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "refuse", abstract: "Refuse a result that waits for you (run --hold).")
  @OptionGroup var options: DaemonOptions
  @OptionGroup var decision: Decision

  func run() throws { try decision.carryOut(options, accept: false) }
}

struct Decision: ParsableArguments {
  @Argument(help: "A job's ID, or any unique prefix of it.")
  var id: String
  @Option(help: "Which task of a map.")
  var index: UInt32?

  func carryOut(_ options: DaemonOptions, accept: Bool) throws(ClientError) {
    let params = DecideParams(id: id, index: index, accept: accept)
    let done = try options.connect().call("job.decide", params, as: Done.self)
    options.json ? Output.json(done) : Output.note("\(accept ? "accepted" : "refused") \(Output.short(id))")
  }
}
