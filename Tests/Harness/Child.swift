// Owns: one process that a test started: its standard error in a file, its end, its reaping.
// Refuses to know: what the process is.
import CLinux
import Foundation
import Glibc

public final class Child {
  public struct End: CustomStringConvertible {
    /// -1 when a signal ended it.
    public let code: Int32
    public let signal: Int32
    public let cpuMicros: Int64
    public let residentKiBMax: Int64
    public var description: String { signal == 0 ? "exit \(code)" : "signal \(signal)" }
  }

  public let pid: Int32
  public private(set) var end: End?

  /// Starts `path`; its standard output and error are added to the file `log`.
  public init(
    _ path: String, _ arguments: [String], environment: [String: String] = [:], log: String
  ) throws {
    let output = unsafe open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    try demand(output >= 0, "cannot write \(log): errno \(errno)")
    defer { close(output) }
    let words = [path] + arguments
    var variables = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "SWIFT_BACKTRACE=enable=no"]
    for (name, value) in environment.sorted(by: { $0.key < $1.key }) { variables.append("\(name)=\(value)") }
    let inherited = [clinux_inherit(parent: output, child: 1), clinux_inherit(parent: output, child: 2)]
    // Safe: every array outlives the call, and the counts are those of the strings in them.
    let started = unsafe clinux_spawn(
      path, Self.packed(words), Int32(words.count), Self.packed(variables), Int32(variables.count), inherited, 2, nil, 0)
    try demand(started > 0, "cannot start \(path): errno \(-started)")
    pid = started
  }

  private static func packed(_ strings: [String]) -> [CChar] {
    strings.flatMap { $0.utf8.map { CChar(bitPattern: $0) } + [0] }
  }

  public var isRunning: Bool { poll() == nil }

  /// How it ended; nil while it runs.
  @discardableResult
  public func poll() -> End? {
    if end == nil { reap(noWait: true) }
    return end
  }

  private func reap(noWait: Bool) {
    var exit = clinux_exit()
    // Safe: the shim fills one struct.
    let result = unsafe clinux_reap(pid, noWait ? 1 : 0, &exit)
    guard result == 1 else { return }
    end = End(
      code: exit.code, signal: exit.signal, cpuMicros: exit.user_micros + exit.system_micros,
      residentKiBMax: exit.resident_kib_max)
  }

  /// Waits for its end.
  public func wait(within seconds: Double) throws -> End {
    try eventually("process \(pid) ends", within: seconds, everyMs: 1) { poll() != nil }
    return try demand(end, "process \(pid) ended without a status")
  }

  public func signal(_ number: Int32) { if end == nil { _ = clinux_kill(pid, number) } }

  /// Ends it now, whatever it does, and reaps it.
  @discardableResult
  public func kill() -> End? {
    if poll() == nil {
      signal(SIGKILL)
      reap(noWait: false)
    }
    return end
  }

  /// Resident memory now, KiB.
  public var residentKiB: Int { Self.status(pid, "VmRSS:") }
  public var openFiles: Int { Files.list("/proc/\(pid)/fd").count }

  private static func status(_ pid: Int32, _ name: String) -> Int {
    let lines = Files.text("/proc/\(pid)/status").split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix(name) }) else { return 0 }
    return Int(line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first ?? "0") ?? 0
  }

  /// Runs a program to its end; gives its exit code and what it printed.
  public static func run(_ path: String, _ arguments: [String], within seconds: Double = 20) throws -> (Int32, String) {
    let log = NSTemporaryDirectory() + "/tally-run-\(getpid())-\(microsNow())"
    defer { Files.remove(log) }
    let child = try Child(path, arguments, log: log)
    defer { child.kill() }
    let end = try child.wait(within: seconds)
    return (end.code, Files.text(log))
  }
}
