// Owns: one daemon as a child process: started, timed until it is ready, asked of /proc, stopped.
// Refuses to know: what the daemon does. proc(5): smaps_rollup, stat.
import CBenchEcho
import Foundation

struct DaemonFailure: Error, CustomStringConvertible {
  let description: String
}

/// A running daemon. Whoever starts it stops it.
struct PosixDaemon {
  let pid: CInt
  let readyMs: Double

  init(program: String, directory: String, log: String) throws {
    // Safe: three strings that outlive the call, ended by zero as C wants them.
    let started = unsafe cbench_start(program, directory, log)
    guard started.pid > 0 else {
      let words = FileManager.default.contents(atPath: log).map { String(decoding: $0, as: UTF8.self) } ?? ""
      throw DaemonFailure(description: "\(program) was not ready (\(-started.pid)): \(words)")
    }
    pid = started.pid
    readyMs = Double(started.micros) / 1000
  }

  func stop() -> Bool { cbench_stop(pid) == 0 }

  private func read(_ file: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/\(file)") else {
      throw DaemonFailure(description: "/proc/\(pid)/\(file) cannot be read")
    }
    return String(decoding: data, as: UTF8.self)
  }

  /// KiB of one row of smaps_rollup.
  func memory(_ row: String) throws -> Double {
    for line in try read("smaps_rollup").split(separator: "\n") where line.hasPrefix(row + ":") {
      return line.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
    }
    throw DaemonFailure(description: "smaps_rollup has no row \(row)")
  }

  /// User and system seconds so far.
  func cpuSeconds() throws -> Double {
    // The second field may hold blanks; it ends at the last parenthesis.
    let fields = try read("stat").split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 13, let user = Double(fields[11]), let system = Double(fields[12]) else {
      throw DaemonFailure(description: "/proc/\(pid)/stat is not as proc(5) says")
    }
    return (user + system) / Double(cbench_clock_ticks())
  }
}

/// Bytes and packets of loopback in this process's network, from /proc/net/dev.
struct Loopback {
  let bytes: Double
  let packets: Double

  static func now() throws -> Loopback {
    let data = FileManager.default.contents(atPath: "/proc/thread-self/net/dev") ?? Data()
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(whereSeparator: { $0 == " " || $0 == ":" })
      if fields.first == "lo", fields.count > 10, let bytes = Double(fields[9]), let packets = Double(fields[10]) {
        return Loopback(bytes: bytes, packets: packets)
      }
    }
    throw DaemonFailure(description: "no loopback in /proc/thread-self/net/dev")
  }

  /// Standing TCP links of this process's network: each has two rows in state 01 (proc(5), tcp).
  static func links() -> Int {
    let data = FileManager.default.contents(atPath: "/proc/thread-self/net/tcp") ?? Data()
    let rows = String(decoding: data, as: UTF8.self).split(separator: "\n").dropFirst()
    return rows.count { $0.split(separator: " ").dropFirst(3).first == "01" } / 2
  }

  /// IP bytes since `before`: the interface counts 14 bytes of Ethernet header more.
  func ipBytes(since before: Loopback) -> Double { bytes - before.bytes - 14 * (packets - before.packets) }
}
