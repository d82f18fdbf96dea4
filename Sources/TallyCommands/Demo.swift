// Owns: the demo's course: a mesh of real daemons, one job, one killed host, proofs from bytes, one receipt.
// Refuses to know: what the daemons say of themselves. A daemon's yes does not count.
import ArgumentParser
import FoundationEssentials
import Glibc
import TallyAdmin
import TallyBase
import TallyCrypto
import TallyGossip
import TallyWire
import TallyWork
import TallyWorker

final class Demo {
  static let stepMs: Int64 = 20_000
  static let file = "/usr/share/common-licenses/GPL-3"

  private let says: Bool
  private let keeps: Bool
  private let directory: String
  private let mesh: MeshFile
  private let hosts: [DemoHost]
  private let began = Spawn.nowMs
  private let signals = Signals()
  private var workerPID: Int32?
  private var job = ""

  private var seed: DemoHost { hosts[0] }
  private var requester: DemoHost { hosts[1] }
  private var worker: DemoHost { hosts[2] }

  init(count: Int, says: Bool, keeps: Bool) throws(ClientError) {
    self.says = says
    self.keeps = keeps
    directory = "/tmp/tally-demo-\(getpid())-\(Spawn.nowMs)"
    // Jobs run under another user than root: it must be able to search what lies here.
    try PosixFile.makeDirectory(directory)
    mesh = MeshFile(name: "demo", nonce: try Spawn.random(16), keys: [try Spawn.random(32)])
    let ports = try FreePorts.free(count)
    let folder = directory
    hosts = ports.enumerated().map { number, port in
      let name = number < 3 ? ["seed", "requester", "worker"][number] : "host\(number + 1)"
      return DemoHost(name: name, directory: folder, port: port)
    }
  }

  private func say(_ text: String) {
    guard says else { return }
    let ms = Spawn.nowMs - began
    let digits = "\(ms % 1000 / 10)"
    Output.line("\(ms / 1000).\(digits.count == 1 ? "0" : "")\(digits) s  \(text)")
  }

  func run() throws(ClientError) -> DemoReport {
    var report = DemoReport(
      hosts: hosts.count, membersKnown: [], recorded: 0, evidence: "none", receiptValid: false, seconds: 0)
    try startHosts()
    report.membersKnown = try awaitMembers()
    try openWorker()
    try postJob()
    try killRequesterAtAcceptance()
    report.recorded = try proveOthers()
    let proof = try restartRequester()
    report.recorded += 1
    report.evidence = proof.evidence
    report.receiptValid = try checkReceipt(proof)
    report.seconds = Double(Spawn.nowMs - began) / 1000
    tell(report)
    return report
  }

  /// Asks again and again until there is an answer; nil means not yet.
  private func until<Value>(
    _ what: String, everyMs: Int64 = 5, _ body: () throws(ClientError) -> Value?
  ) throws(ClientError) -> Value {
    let deadline = Spawn.nowMs + Self.stepMs
    while true {
      if let value = try body() { return value }
      if signals.next() != nil { throw ClientError(.interrupted, "interrupted") }
      if Spawn.nowMs > deadline {
        throw ClientError(
          .timeout, "\(what) did not come about within \(Self.stepMs / 1000) s",
          fix: "tally demo --keep leaves everything there to look at")
      }
      if everyMs > 0 { Spawn.pause(ms: everyMs) } else { Spawn.pauseShortly() }
    }
  }

  private func startHosts() throws(ClientError) {
    try seed.prepare(mesh, seed: nil)
    try seed.awaitReady(try seed.start(keeps: keeps))
    let id = try seed.client().call("id", as: IDResult.self)
    let key: PublicKey
    do { key = try KeyText.decode(id.key) } catch { throw ClientError(.badData, "the seed's key cannot be read") }
    let invite = Invite(
      key: key, host: "127.0.0.1", port: seed.port, mesh: mesh.name, nonce: mesh.nonce, token: nil, meshKey: nil)
    var pipes: [(DemoHost, Int32)] = []
    for host in hosts.dropFirst() {
      try host.prepare(mesh, seed: invite.url)
      pipes.append((host, try host.start(keeps: keeps)))
    }
    workerPID = try DemoProcess.start(
      Spawn.ownPath(),
      [
        "worker", "--not-idle", "--data", worker.layout.directory, "--root-cache", "\(directory)/jobs",
      ] + (keeps ? ["--supervise"] : []), log: worker.layout.workerLog, ready: nil, keeps: keeps)
    for (host, pipe) in pipes { try host.awaitReady(pipe) }
    say("\(hosts.count) daemons run on loopback, each with its own data directory and key; they know one seed")
  }

  private func awaitMembers() throws(ClientError) -> [Int] {
    var known: [Int] = []
    for host in hosts {
      known.append(
        try until("a mesh of \(hosts.count) hosts at \(host.name)") { () throws(ClientError) in
          let count = try host.status().members
          return count >= self.hosts.count ? count : nil
        })
    }
    say("every host knows all \(hosts.count) members: \(known)")
    return known
  }

  private func openWorker() throws(ClientError) {
    let client = try worker.client()
    _ = try client.call("lend", LendParams(on: true), as: LendResult.self)
    let key = try requester.client().call("id", as: IDResult.self).key
    _ = try client.call("trust", TrustParams(host: key, relation: "trusted"), as: TrustRow.self)
    let name = worker.name
    _ = try until("a worker that lends") { () throws(ClientError) -> Bool? in
      let peers = try self.requester.client().call("peers", as: PeersResult.self).members
      return peers.contains { $0.name == name && $0.lends } ? true : nil
    }
    say("`\(worker.name)` lends its idle capacity and trusts `\(requester.name)`; nobody else lends anything")
  }

  private func postJob() throws(ClientError) {
    let root = "\(directory)/root"
    do throws(WorkerFault) { try LocalRoot.make(at: root, programs: ["sh", "tr", "sort", "uniq", "head"]) } catch {
      throw ClientError(.cannotCreate, "cannot make a small root of this machine's programs", why: "\(error)")
    }
    let words = ["--root", root, "--in", Self.file, "--cpu", "30", "--wall", "60", "--", "sh", "-c", DemoWork.script]
    let options: JobOptions
    do { options = try JobOptions.parse(words) } catch { throw ClientError(.software, "the demo's job: \(error)") }
    let client = try requester.client()
    job = try client.call("job.post", try JobBuild.make(options, client), as: PostResult.self).id
    _ = try client.call("job.watch", JobParams(id: job), as: SubscribeResult.self)
    say("`\(requester.name)` posts job \(Output.short(job)): word frequencies of \(Self.file)")
  }

  /// Waits on the others' own news, so that as few as possible hold the acceptance when the requester dies.
  private func killRequesterAtAcceptance() throws(ClientError) {
    let client = try requester.client()
    let others = hosts.filter { $0 !== requester }
    for host in others {
      _ = try host.client().call("events.subscribe", SubscribeParams(types: ["entry"]), as: SubscribeResult.self)
    }
    let first = try until("an acceptance at another host", everyMs: 0) { () throws(ClientError) -> DemoHost? in
      for host in others {
        while let notice = try host.client().nextNotice(timeoutMs: 0) {
          if notice.text.hasSuffix(" \(EntryKind.accept.name ?? "accept")") { return host }
        }
      }
      while let notice = try client.nextNotice(timeoutMs: 0) { self.show(notice) }
      return nil
    }
    requester.kill()
    say("`\(first.name)` holds the acceptance: `\(requester.name)` is killed with -9 in the same moment")
  }

  private func show(_ notice: EventNotice) {
    if let data = notice.data?.bytes, notice.stream == 1 {
      for line in String(decoding: data, as: UTF8.self).split(separator: "\n") { say("  the job prints: \(line)") }
    } else if notice.stage != nil {
      say("  \(Output.printable(notice.text))")
    }
  }

  private func holds(_ host: DemoHost) throws(ClientError) -> Bool {
    do throws(ClientError) {
      return try !host.client().call("job.show", JobParams(id: job), as: JobResult.self).acceptances.isEmpty
    } catch {
      if error.code == .refused { return false }
      throw error
    }
  }

  private func proveOthers() throws(ClientError) -> Int {
    var proven = 0
    for host in hosts where host !== requester {
      _ = try until("the acceptance at \(host.name)") { () throws(ClientError) -> Bool? in
        try self.holds(host) ? true : nil
      }
      _ = try DemoProof.make(host, mesh: mesh, job: job)
      proven += 1
    }
    say("\(proven) hosts got it from each other: leaf, path, root and signature were checked here, from their bytes")
    return proven
  }

  private func restartRequester() throws(ClientError) -> DemoProof {
    try requester.awaitReady(try requester.start(keeps: keeps))
    _ = try until("equal ledgers") { () throws(ClientError) -> Bool? in
      var digests: Set<String> = []
      for host in self.hosts {
        let status = try host.status()
        digests.insert(status.clockDigest + status.stateDigest)
      }
      return digests.count == 1 ? true : nil
    }
    let proof = try DemoProof.make(requester, mesh: mesh, job: job)
    say("`\(requester.name)` is back: its clock and its state equal the others', all \(hosts.count) hosts agree")
    return proof
  }

  private func checkReceipt(_ proof: DemoProof) throws(ClientError) -> Bool {
    let client = try requester.client()
    let text = try until("a receipt") { () throws(ClientError) -> [UInt8]? in
      do throws(ClientError) {
        return try ReceiptCompose.text(.work(try ReceiptCompose.work(client, id: self.job, index: nil)))
      } catch {
        if error.code == .refused || error.code == .checkFailed { return nil }
        throw error
      }
    }
    let receipt = "\(directory)/receipt.txt"
    try PosixFile.write(text, to: receipt)
    let words = try client.call("job.words", JobParams(id: job), as: WordsResult.self)
    let tree: Tree
    do throws(TextError) { tree = try Tree.parse(words.tree.bytes) } catch {
      throw ClientError(.badData, "the results are not a tree", why: "\(error)")
    }
    try JobFiles.write(tree, to: "\(directory)/out", client)
    let verified = try DemoProcess.run(
      Spawn.ownPath(),
      [
        "verify", receipt, "--requester", proof.requesterKey, "--worker", proof.workerKey, "--manifest",
        "\(directory)/SHA256SUMS",
      ], directory: directory)
    let word = verified.code == 0 ? "holds" : "DOES NOT HOLD"
    say("the receipt (\(text.count) bytes) \(word), checked without any daemon")
    let sums = try DemoProcess.run(
      "/usr/bin/sha256sum", ["-c", "../SHA256SUMS"], directory: "\(directory)/out")
    say("sha256sum -c of its manifest: \(sums.output.split(separator: "\n").joined(separator: ", "))")
    let expected = DemoWork.frequencies(try PosixFile.read(Self.file))
    let given = try PosixFile.read("\(directory)/out/\(DemoWork.result)")
    say("the same count made outside Tally is \(expected == given ? "equal" : "DIFFERENT"), \(given.count) bytes")
    return verified.code == 0 && sums.code == 0 && expected == given
  }

  private func tell(_ report: DemoReport) {
    guard says else { return }
    say("done: \(report.recorded) of \(report.hosts) hosts hold the completion; evidence: \(report.evidence)")
    if keeps {
      Output.line("")
      Output.line("Everything still runs in \(directory):")
      Output.line("  tally --help; tally show \(Output.short(job)) --data \(requester.layout.directory)")
      Output.line("  tally ledger --data \(worker.layout.directory); tally verify \(directory)/receipt.txt")
      let names = hosts.map(\.name).joined(separator: " ")
      Output.line("Stop it: for h in \(names); do tally down --data \(directory)/$h; done; rm -r \(directory)")
    } else {
      Output.line("")
      Output.line("Look further: tally demo --keep, then tally show, ledger, clock, peers, balance with --data.")
      Output.line("Your own mesh: tally up; elsewhere tally up --join URL; then tally lend, trust and run.")
    }
  }

  /// Where the job stands, when the demo fails.
  func explain(_ error: ClientError) {
    guard error.code == .timeout, !job.isEmpty else { return }
    do throws(ClientError) {
      let show = try requester.client().call("job.show", JobParams(id: job), as: JobResult.self)
      Output.note("job: \(show.job.words); \(show.stage ?? "nothing to do here")")
      for row in show.refusals { Output.note("  \(row.host) would not: \(row.reason)") }
      Output.note("worker: \(try worker.status().worker)")
    } catch { Output.note("nothing more is known: \(error.what)") }
  }

  /// Stops everything it started, and removes every file. With --keep nothing.
  func end() {
    if keeps { return }
    var left = hosts.compactMap(\.pid) + (workerPID.map { [$0] } ?? [])
    for pid in left { Spawn.signal(pid, SIGTERM) }
    let deadline = Spawn.nowMs + 3_000
    while !left.isEmpty {
      left.removeAll { Spawn.reap($0, noWait: true) != nil }
      if Spawn.nowMs > deadline { break }
      Spawn.pause(ms: 2)
    }
    for pid in left {
      Spawn.signal(pid, SIGKILL)
      _ = Spawn.reap(pid, noWait: false)
    }
    for host in hosts { host.forgetProcess() }
    do { try FileManager.default.removeItem(atPath: directory) } catch {
      Output.note("could not remove \(directory): \(error)")
    }
  }
}
