// Owns: the two conventions of systemd: sockets that are passed in, and news that are passed out.
// Refuses to know: what the news mean. sd_listen_fds(3), sd_notify(3).
import CLinux
import Glibc
import TallyBase

/// The service manager that started this process, if one did.
public struct ServiceManager: Sendable {
  private let notifyPath: String
  /// How often `WATCHDOG=1` is due: half of what the manager allows; nil when it does not watch.
  public let watchdogInterval: Interval?

  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Nil when nobody wants to be told.
  public init?() {
    guard let path = Self.variable("NOTIFY_SOCKET"), path.hasPrefix("/") || path.hasPrefix("@") else { return nil }
    let isOurs = Self.variable("WATCHDOG_PID").map { Int32($0) == getpid() } ?? true
    let allowed = Self.variable("WATCHDOG_USEC").flatMap { Int64($0) }.flatMap { $0 > 0 ? $0 : nil }
    self.init(notifyPath: path, watchdogInterval: isOurs ? allowed.map { Interval(micros: $0 / 2) } : nil)
  }

  init(notifyPath: String, watchdogInterval: Interval?) {
    self.notifyPath = notifyPath
    self.watchdogInterval = watchdogInterval
  }

  /// Sends lines such as `READY=1`, `STATUS=…`, `STOPPING=1`, `WATCHDOG=1`.
  public func notify(_ lines: [String]) throws(SystemError) {
    let text = lines.joined(separator: "\n")
    let count = text.utf8.count
    let path = notifyPath
    // Safe: Swift passes NUL-terminated copies; the shim reads `count` bytes of the text.
    try required("sendto", outsideAddress: true) { unsafe clinux_notify(path, text, count) }
  }

  /// `RELOADING=1` needs the monotonic time beside it, or systemd 253 and later wait for ever.
  public func notifyReloading() throws(SystemError) {
    try notify(["RELOADING=1", "MONOTONIC_USEC=\(clinux_monotonic_micros())"])
  }

  /// Calls `body` with the name (`FileDescriptorName=`, or `unknown`) and the descriptor of each socket passed by
  /// LISTEN_FDS, once: the variables are forgotten. Returns how many there were.
  @discardableResult
  public static func sockets(
    _ body: (String, consuming Descriptor) throws(SystemError) -> Void
  ) throws(SystemError) -> Int {
    let names = variable("LISTEN_FDNAMES").map { $0.split(separator: ":").map(String.init) } ?? []
    let count = Int(try required("LISTEN_FDS", outsideAddress: true) { clinux_listen_descriptors() })
    for index in 0..<count {
      try body(index < names.count ? names[index] : "unknown", Descriptor(taking: CInt(3 + index)))
    }
    return count
  }

  private static func variable(_ name: String) -> String? {
    // Safe: the environment is not changed while another thread runs; the text is copied at once.
    guard let text = unsafe getenv(name) else { return nil }
    return unsafe String(cString: text)
  }
}
