// Owns: the two processes of a host: started detached, found again by the locks they hold, ended in order.
import Glibc
import TallyAdmin
import TallyWorker

enum HostProcesses {
  /// Milliseconds that a daemon may take until it is ready: a long ledger is read first.
  static let readyMs: Int64 = 60_000
  static let endMs: Int64 = 20_000

  /// Starts tallyd and waits until it says that it is ready.
  static func startDaemon(_ layout: DataLayout, flags: [String], foreground: Bool) throws(ClientError) -> Int32 {
    let pipe = try Spawn.pipe()
    defer { Spawn.close(pipe.reading) }
    let pid = try startDaemon(layout, flags, ready: pipe.writing, foreground: foreground)
    let line = Spawn.readLine(pipe.reading, timeoutMs: readyMs)
    guard let line else {
      throw ClientError(
        .timeout, "tallyd (pid \(pid)) is not ready after \(readyMs / 1000) s", fix: "look into \(layout.daemonLog)")
    }
    if !line.isEmpty { return pid }
    Spawn.pause(ms: 20)
    let end = Spawn.reap(pid, noWait: false)
    throw ClientError(
      end.flatMap { ClientError.Code(rawValue: $0.code) } ?? .unavailable, "tallyd could not start",
      why: lastError(layout.daemonLog), fix: "look into \(layout.daemonLog)")
  }

  /// Closes its copy of the pipe, so that a daemon that ends is seen.
  private static func startDaemon(
    _ layout: DataLayout, _ flags: [String], ready: Int32, foreground: Bool
  ) throws(ClientError) -> Int32 {
    defer { Spawn.close(ready) }
    return try start(
      Spawn.sibling("tallyd"), ["--data", layout.directory] + flags, log: layout.daemonLog, ready: ready,
      foreground: foreground)
  }

  private static func start(
    _ path: String, _ arguments: [String], log: String, ready: Int32?, foreground: Bool
  ) throws(ClientError) -> Int32 {
    let null = Spawn.openNull()
    defer { Spawn.close(null) }
    var inherit: [(parent: Int32, child: Int32)] = [(null, 0)]
    var environment: [String: String] = [:]
    let file = foreground ? nil : try Spawn.openLog(log)
    defer { if let file { Spawn.close(file) } }
    inherit += [(file ?? 2, 1), (file ?? 2, 2)]
    if let ready {
      inherit.append((ready, 3))
      environment["TALLY_READY_FD"] = "3"
    }
    return try Spawn.start(
      path, arguments, environment: Spawn.environment(environment), inherit: inherit, newSession: !foreground)
  }

  /// The last thing a log says about an error.
  private static func lastError(_ path: String) -> String {
    let text: String
    do throws(PrivateFile.Fault) {
      text = String(decoding: try PrivateFile.readIfAny(path) ?? [], as: UTF8.self)
    } catch { return error.description }
    let lines = text.split(separator: "\n")
    let start = lines.lastIndex { $0.contains("error") } ?? max(0, lines.count - 1)
    return lines[start...].prefix(3).joined(separator: " ")
  }

  /// Starts a supervised worker; it finds the daemon by itself, now and after restarts.
  @discardableResult
  static func startWorker(_ layout: DataLayout, foreground: Bool) throws(ClientError) -> Int32? {
    guard let lock = try Spawn.lock(layout.workerPID) else { return nil }
    Spawn.close(lock)
    return try start(
      Spawn.ownPath(), ["worker", "--supervise", "--data", layout.directory], log: layout.workerLog, ready: nil,
      foreground: foreground)
  }

  /// Ends the worker that holds the lock. False when none does.
  static func stopWorker(_ layout: DataLayout) throws(ClientError) -> Bool {
    if access(layout.directory) != 0 { return false }
    if let lock = try Spawn.lock(layout.workerPID) {
      Spawn.close(lock)
      return false
    }
    let text: [UInt8]
    do throws(PrivateFile.Fault) { text = try PrivateFile.readIfAny(layout.workerPID) ?? [] } catch { text = [] }
    let digits = String(decoding: text, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
    guard let pid = Int32(digits), pid > 1 else { return false }
    Spawn.signal(pid, SIGTERM)
    let deadline = Spawn.nowMs + endMs
    while Spawn.nowMs < deadline {
      if let lock = try Spawn.lock(layout.workerPID) {
        Spawn.close(lock)
        return true
      }
      Spawn.pause(ms: 10)
    }
    throw ClientError(.timeout, "the worker (pid \(pid)) does not end", fix: "kill -9 \(pid)")
  }

  private static func access(_ path: String) -> Int32 {
    do throws(PrivateFile.Fault) { _ = try PrivateFile.readIfAny(path + "/lock") } catch { return error.code }
    return 0
  }

  /// Until the daemon has let go of its data directory.
  static func waitForEnd(_ layout: DataLayout) throws(ClientError) {
    let deadline = Spawn.nowMs + endMs
    while Spawn.nowMs < deadline {
      if let lock = try Spawn.lock(layout.directory + "/lock") {
        Spawn.close(lock)
        return
      }
      Spawn.pause(ms: 5)
    }
    throw ClientError(
      .timeout, "the daemon has not ended after \(endMs / 1000) s", fix: "look into \(layout.daemonLog)")
  }

  /// In the foreground: hands SIGINT and SIGTERM on, and ends with the daemon.
  static func attend(daemon: Int32, worker: Int32?) -> Int32 {
    let signals = Signals([SIGINT, SIGTERM, SIGCHLD])
    var code: Int32 = 0
    while true {
      if let number = signals.wait(ms: 5_000), number != SIGCHLD {
        Spawn.signal(daemon, SIGTERM)
        if let worker { Spawn.signal(worker, SIGTERM) }
      }
      if let end = Spawn.reap(daemon, noWait: true) {
        code = end.signal == 0 ? end.code : 128 + end.signal
        break
      }
    }
    if let worker {
      Spawn.signal(worker, SIGTERM)
      _ = Spawn.reap(worker, noWait: false)
    }
    return code
  }
}
