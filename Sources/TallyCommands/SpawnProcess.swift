// Owns: starting, watching and ending other processes: the daemon, the worker, the demo's hosts.
// Refuses to know: what they do. Signals go to pids that we started, or that hold a lock we know.
import CLinux
import FoundationEssentials
import Glibc
import TallyAdmin

enum Spawn {
  /// Starts `path` with `arguments` (without its own name). Only `inherit`ed descriptors stay open.
  static func start(
    _ path: String, _ arguments: [String], environment: [String], inherit: [(parent: Int32, child: Int32)],
    newSession: Bool, directory: String? = nil
  ) throws(ClientError) -> Int32 {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let words = terminated([name] + arguments)
    let variables = terminated(environment)
    let inherited = inherit.map { clinux_inherit(parent: $0.parent, child: $0.child) }
    let session: Int32 = newSession ? 1 : 0
    // Safe: all texts end with NUL and live through the call; the counts are the arrays'.
    let pid = unsafe clinux_spawn(
      path, words, Int32(arguments.count + 1), variables, Int32(environment.count), inherited,
      Int32(inherited.count), directory, session)
    guard pid > 0 else {
      throw ClientError(
        .unavailable, "cannot start \(path): \(PosixText.error(-pid))",
        fix: "is it installed? tallyd and tally belong into one directory")
    }
    return pid
  }

  private static func terminated(_ words: [String]) -> [CChar] {
    var bytes: [CChar] = []
    for word in words {
      bytes += word.utf8.map { CChar(bitPattern: $0) }
      bytes.append(0)
    }
    return bytes.isEmpty ? [0] : bytes
  }

  /// nil while it still runs (only with `noWait`), or when it is no child of ours.
  static func reap(_ pid: Int32, noWait: Bool) -> (code: Int32, signal: Int32)? {
    var exit = clinux_exit()
    while true {
      // Safe: one structure of ours.
      let result = unsafe clinux_reap(pid, noWait ? 1 : 0, &exit)
      if result == -EINTR { continue }
      return result == 1 ? (exit.code, exit.signal) : nil
    }
  }

  static func signal(_ pid: Int32, _ number: Int32) { _ = clinux_kill(pid, number) }

  /// True while the process exists and is not a zombie of ours.
  static func isAlive(_ pid: Int32) -> Bool { clinux_kill(pid, 0) == 0 }

  /// The directory of this program, and this program.
  static func ownPath() -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    // Safe: the buffer's room is passed.
    let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
    guard count > 0 else { return "/usr/bin/tally" }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  static func sibling(_ name: String) -> String {
    let own = ownPath()
    return (own.lastIndex(of: "/").map { String(own[...$0]) } ?? "") + name
  }

  /// This process' environment, with `more` set.
  static func environment(_ more: [String: String] = [:]) -> [String] {
    var kept = ProcessInfo.processInfo.environment
    for (name, value) in more { kept[name] = value }
    return kept.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  }

  static func pipe() throws(ClientError) -> (reading: Int32, writing: Int32) {
    var reading: Int32 = -1
    var writing: Int32 = -1
    // Safe: two integers of ours.
    let result = unsafe clinux_pipe(&reading, &writing)
    if result < 0 { throw ClientError(.unavailable, "pipe: \(PosixText.error(-result))") }
    return (reading, writing)
  }

  static func close(_ descriptor: Int32) { _ = clinux_close(descriptor) }

  static func openNull() -> Int32 { clinux_open_null() }

  /// For a log: created 0600, written at its end.
  static func openLog(_ path: String) throws(ClientError) -> Int32 {
    // Safe: Swift passes a NUL-terminated copy of the path for the call.
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    if descriptor < 0 { throw ClientError(.cannotCreate, "cannot write \(path): \(PosixText.error(errno))") }
    return descriptor
  }

  /// What comes until a newline or the end, for at most `timeoutMs`; nil when the time is over.
  static func readLine(_ descriptor: Int32, timeoutMs: Int64) -> [UInt8]? {
    let deadline = nowMs + timeoutMs
    var line: [UInt8] = []
    while true {
      let left = deadline - nowMs
      if left <= 0 { return nil }
      if clinux_wait_readable(descriptor, Int32(left)) != 1 { continue }
      guard let bytes = read(descriptor, 512), !bytes.isEmpty else { return line }
      line += bytes
      if let end = line.firstIndex(of: 0x0a) { return Array(line[..<end]) }
    }
  }

  /// At most `count` bytes; empty at the end, nil when reading fails.
  static func read(_ descriptor: Int32, _ count: Int) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: count)
    while true {
      // Safe: `count` bytes of buffer.
      let got = unsafe Glibc.read(descriptor, &buffer, count)
      if got < 0 && errno == EINTR { continue }
      return got < 0 ? nil : Array(buffer[..<got])
    }
  }

  /// Everything until the end.
  static func readAll(_ descriptor: Int32) -> [UInt8] {
    var bytes: [UInt8] = []
    while let more = read(descriptor, 64 << 10), !more.isEmpty { bytes += more }
    return bytes
  }

  /// The lock of a file, made when it is not there; nil when another process holds it.
  static func lock(_ path: String) throws(ClientError) -> Int32? {
    while true {
      // Safe: Swift passes a NUL-terminated copy of the path for the call.
      let result = unsafe clinux_lock_file(path)
      if result >= 0 { return result }
      if result == -ESTALE || result == -EINTR { continue }
      if result == -EWOULDBLOCK { return nil }
      throw ClientError(.cannotCreate, "cannot lock \(path): \(PosixText.error(-result))")
    }
  }

  /// Replaces what a locked file says.
  static func write(_ text: String, toLocked descriptor: Int32) {
    _ = ftruncate(descriptor, 0)
    _ = lseek(descriptor, 0, SEEK_SET)
    PosixText.put(text, to: descriptor)
  }

  /// A tenth of a millisecond.
  static func pauseShortly() { _ = usleep(100) }

  static func pause(ms: Int64) { _ = usleep(UInt32(clamping: ms * 1000)) }

  /// Milliseconds of a clock that never goes back.
  static var nowMs: Int64 { clinux_monotonic_micros() / 1000 }

  static func random(_ count: Int) throws(ClientError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    // Safe: the buffer's room is passed.
    let got = unsafe clinux_random(&bytes, count)
    guard got == Int64(count) else { throw ClientError(.software, "the kernel gives no random bytes") }
    return bytes
  }
}

/// Signals read instead of suffered.
final class Signals {
  private let descriptor: Int32

  init(_ numbers: [Int32] = [SIGINT, SIGTERM]) {
    // Safe: the count is the array's.
    descriptor = unsafe clinux_signal_descriptor(numbers, Int32(numbers.count))
  }

  deinit { _ = clinux_close(descriptor) }

  /// The next signal since the last call; nil when none came.
  func next() -> Int32? {
    guard descriptor >= 0 else { return nil }
    let number = clinux_next_signal(descriptor)
    return number > 0 ? number : nil
  }

  /// Waits for a signal.
  func wait(ms: Int64) -> Int32? {
    if let number = next() { return number }
    guard descriptor >= 0, clinux_wait_readable(descriptor, Int32(clamping: ms)) == 1 else { return nil }
    return next()
  }
}
