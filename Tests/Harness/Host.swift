// Owns: one real daemon: its data directory, its process, its admin socket.
// Refuses to know: why it is started and killed.
import Foundation
import Glibc
import TallyAdmin
import TallyBase
import TallyCrypto

public final class Host {
  public let name: String
  public let mesh: MeshFile
  /// The data directory.
  public let directory: String
  public let log: String
  private unowned let field: Field
  public private(set) var child: Child?
  private var client: AdminClient?
  /// 0 until the first start; restarts use the same port when it is still free.
  public private(set) var port: UInt16 = 0
  public private(set) var isMeantToRun = false
  /// Added to the environment of every start.
  public var environment: [String: String] = [:]

  init(_ name: String, directory: String, mesh: MeshFile, seeds: [String], field: Field) throws {
    self.name = name
    self.mesh = mesh
    self.directory = directory
    self.field = field
    log = field.directory + "/\(name).log"
    try Files.makeDirectory(directory)
    try mesh.save(DataLayout(directory: directory).mesh)
    try configure(seeds: seeds)
  }

  /// Writes tally.toml.
  public func configure(seeds: [String]) throws {
    let list = seeds.map { "\"\($0)\"" }.joined(separator: ", ")
    try Files.write("[node]\nname = \"\(name)\"\n\n[join]\nseeds = [\(list)]\n", to: directory + "/tally.toml")
  }

  /// The same data directory copied to another place: a clone that does not know it is one.
  public func cloned(as name: String) throws -> Host {
    let copy = try field.host(name, mesh: mesh)
    Files.remove(copy.directory)
    try Files.copy(directory, to: copy.directory)
    return copy
  }

  // Life.

  /// Starts the daemon and waits until its admin socket answers.
  public func start(within seconds: Double = 20) throws {
    for attempt in 0..<3 {
      try launch(port: attempt == 2 ? 0 : port)
      if try becomesReady(within: seconds) { return }
      // Somebody else took the port meanwhile.
      try demand(child?.end?.code == 69, "\(name) did not start: \(child?.end?.description ?? "?")")
    }
    throw HarnessError("\(name) found no port")
  }

  /// Starts the daemon and does not wait.
  public func launch(port: UInt16) throws {
    try demand(child == nil || child?.poll() != nil, "\(name) runs already")
    hangUp()
    let program = try demand(Programs.tallyd, "no tallyd")
    let started = try Child(
      program, ["--data", directory, "--listen", "127.0.0.1:\(port)"], environment: environment, log: log)
    child = started
    field.started(started)
    isMeantToRun = true
  }

  private func becomesReady(within seconds: Double) throws -> Bool {
    var isUp = false
    try eventually("\(name) answers", within: seconds, everyMs: 2) {
      if child?.poll() != nil { return true }
      do {
        client = try AdminClient(path: socket)
        let status = try self.status()
        let text = try demand(status.listening.first, "\(name) listens nowhere")
        self.port = try demand(Endpoint(text), "not an endpoint: \(text)").port
        isUp = true
        return true
      } catch let error as ClientError where error.code == .unavailable || error.code == .timeout {
        return false
      }
    }
    return isUp
  }

  /// SIGKILL, and reaped.
  public func crash() {
    isMeantToRun = false
    child?.kill()
    hangUp()
  }

  /// SIGTERM; it must end with 0 within two seconds. Gives the milliseconds that took.
  @discardableResult
  public func stop(within seconds: Double = 2) throws -> Double {
    isMeantToRun = false
    let child = try demand(child, "\(name) does not run")
    var end: Child.End?
    let took = try milliseconds {
      child.signal(SIGTERM)
      end = try child.wait(within: seconds)
    }
    hangUp()
    try demand(end?.code == 0, "\(name) ended with \(end?.description ?? "?")")
    return took
  }

  /// SIGTERM, and nothing more.
  public func beginStop() {
    isMeantToRun = false
    child?.signal(SIGTERM)
  }

  /// Waits for an end that the daemon chose itself.
  public func waitForEnd(within seconds: Double = 10) throws -> Child.End {
    isMeantToRun = false
    hangUp()
    return try demand(child, "\(name) does not run").wait(within: seconds)
  }

  /// True once the process is no more; a broken connection is given up either way.
  public func hasEnded() throws -> Bool {
    hangUp()
    usleep(1000)
    return try demand(child, "\(name) does not run").poll() != nil
  }

  func hangUp() { client = nil }

  // Questions.

  public var socket: String { DataLayout(directory: directory).adminSocket }

  /// The connection that the harness itself uses.
  public func admin() throws -> AdminClient {
    if let client { return client }
    let fresh = try AdminClient(path: socket)
    client = fresh
    return fresh
  }

  /// Another connection.
  public func connect() throws -> AdminClient { try AdminClient(path: socket) }

  public func status() throws -> StatusResult { try admin().call("status", as: StatusResult.self) }
  public func id() throws -> IDResult { try admin().call("id", as: IDResult.self) }
  public func key() throws -> PublicKey { try KeyText.decode(try id().key) }
  public func invite() throws -> String { try admin().call("invite", as: InviteResult.self).url }
  public func ledger() throws -> LedgerResult { try admin().call("ledger", as: LedgerResult.self) }

  /// Writes a record and waits until it is durable, or released.
  @discardableResult
  public func record(_ words: String, wait: String? = nil) throws -> RecordResult {
    try admin().call("record.put", RecordParams(words: Array(words.utf8), wait: wait), as: RecordResult.self)
  }

  public func ping(_ host: Host) throws -> PongResult {
    try admin().call("ping", HostParams(host: host.name), as: PongResult.self)
  }

  /// IDs of the newest 10,000 records that this host holds, of whomever.
  public func recordIDs() throws -> Set<String> {
    Set(try admin().call("records", LastParams(last: 10_000), as: RecordsResult.self).records.map(\.id))
  }

  public func refusals(_ name: String) throws -> UInt64 {
    try status().refusals.first { $0.name == name }?.count ?? 0
  }

  public func network(_ name: String) throws -> UInt64 {
    try status().network.first { $0.name == name }?.count ?? 0
  }
}
