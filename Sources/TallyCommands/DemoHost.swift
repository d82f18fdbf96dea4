// Owns: one host of the demo: its files, its process, its socket. Refuses to know: what the demo shows.
import Glibc
import TallyAdmin
import TallyCrypto
import TallyGossip

final class DemoHost {
  let name: String
  let layout: DataLayout
  let port: UInt16
  private(set) var pid: Int32?
  private var open: AdminClient?

  init(name: String, directory: String, port: UInt16) {
    self.name = name
    self.port = port
    layout = DataLayout(directory: "\(directory)/\(name)")
  }

  /// The files that `tally up --join` would make.
  func prepare(_ mesh: MeshFile, seed: String?) throws(ClientError) {
    let text = HostSetup.text(name: name, listen: ["127.0.0.1:\(port)"], advertise: [], seed: seed)
    do throws(PrivateFile.Fault) {
      try PrivateFile.makeDirectories(layout.directory)
      try PrivateFile.write(Array(text.utf8), to: layout.config, mode: 0o600)
    } catch { throw ClientError(.cannotCreate, "cannot make \(layout.directory)", why: error.description) }
    do throws(MeshFile.Fault) { try mesh.save(layout.mesh) } catch {
      throw ClientError(.cannotCreate, "cannot write \(error.path)", why: error.why)
    }
  }

  /// Starts the daemon; gives the pipe on which it says that it is ready.
  func start(keeps: Bool) throws(ClientError) -> Int32 {
    let pipe = try Spawn.pipe()
    defer { Spawn.close(pipe.writing) }
    pid = try DemoProcess.start(
      Spawn.sibling("tallyd"), ["--data", layout.directory], log: layout.daemonLog, ready: pipe.writing, keeps: keeps)
    return pipe.reading
  }

  /// Waits until the daemon is ready.
  func awaitReady(_ pipe: Int32) throws(ClientError) {
    defer { Spawn.close(pipe) }
    guard let line = Spawn.readLine(pipe, timeoutMs: 10_000), !line.isEmpty else {
      throw ClientError(.unavailable, "the host \(name) did not start", fix: "look into \(layout.daemonLog)")
    }
  }

  func client() throws(ClientError) -> AdminClient {
    if let open { return open }
    let client = try AdminClient(path: layout.adminSocket)
    open = client
    return client
  }

  func status() throws(ClientError) -> StatusResult { try client().call("status", as: StatusResult.self) }

  /// Ends at once, as by a power cut.
  func kill() {
    open = nil
    guard let pid else { return }
    Spawn.signal(pid, SIGKILL)
    _ = Spawn.reap(pid, noWait: false)
    self.pid = nil
  }

  func forgetProcess() {
    open = nil
    pid = nil
  }
}

enum DemoProcess {
  static func start(
    _ path: String, _ arguments: [String], log: String, ready: Int32?, keeps: Bool
  ) throws(ClientError) -> Int32 {
    let file = try Spawn.openLog(log)
    let null = Spawn.openNull()
    defer {
      Spawn.close(file)
      Spawn.close(null)
    }
    var environment: [String: String] = [:]
    if !keeps { environment["TALLY_DIE_WITH_PARENT"] = "1" }
    var inherit: [(parent: Int32, child: Int32)] = [(null, 0), (file, 1), (file, 2)]
    if let ready {
      environment["TALLY_READY_FD"] = "3"
      inherit.append((ready, 3))
    }
    return try Spawn.start(
      path, arguments, environment: Spawn.environment(environment), inherit: inherit, newSession: true)
  }

  /// Runs a program to its end and gives what it printed.
  static func run(
    _ path: String, _ arguments: [String], directory: String
  ) throws(ClientError) -> (code: Int32, output: String) {
    let pipe = try Spawn.pipe()
    defer { Spawn.close(pipe.reading) }
    let pid = try spawn(path, arguments, directory, pipe.writing)
    let output = String(decoding: Spawn.readAll(pipe.reading), as: UTF8.self)
    let end = Spawn.reap(pid, noWait: false)
    return (end.map { $0.signal == 0 ? $0.code : 128 + $0.signal } ?? 1, output)
  }

  private static func spawn(
    _ path: String, _ arguments: [String], _ directory: String, _ writing: Int32
  ) throws(ClientError) -> Int32 {
    let null = Spawn.openNull()
    defer {
      Spawn.close(writing)
      Spawn.close(null)
    }
    return try Spawn.start(
      path, arguments, environment: Spawn.environment(["TALLY_HOME": "/nonexistent", "TALLY_SOCKET": ""]),
      inherit: [(null, 0), (writing, 1), (writing, 2)], newSession: false, directory: directory)
  }
}
