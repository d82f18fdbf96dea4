// Owns: one blocking connection of a client to a Unix socket. Refuses to know: what is said on it.
import CLinux
import Glibc

/// Closed with its owner. Every wait has an end.
public struct UnixSocket: ~Copyable {
  /// A failed call and its errno.
  public struct Fault: Error, Hashable, Sendable {
    public let call: String
    public let code: Int32

    public var words: String { PosixText.error(code) }
  }

  private let descriptor: Int32

  public init(path: String) throws(Fault) {
    let number = clinux_unix_socket()
    if number < 0 { throw Fault(call: "socket", code: -number) }
    // Safe: Swift passes a NUL-terminated copy of the path for the call.
    let result = unsafe clinux_unix_connect(number, path)
    if result < 0 {
      _ = clinux_close(number)
      throw Fault(call: "connect", code: -result)
    }
    descriptor = number
  }

  deinit { _ = clinux_close(descriptor) }

  /// For a caller that waits for several things at once; it stays the socket's.
  public var number: Int32 { descriptor }

  /// Sends everything, waiting for room for at most `timeoutMs` between two pieces.
  public func send(_ bytes: [UInt8], timeoutMs: Int32) throws(Fault) {
    var offset = 0
    while offset < bytes.count {
      // Safe: the shim reads `count` bytes from `offset`, which ends with the array.
      let sent = unsafe clinux_send(descriptor, bytes, offset, bytes.count - offset)
      if sent >= 0 {
        offset += Int(sent)
      } else if sent == -Int64(EAGAIN) {
        try waitWritable(timeoutMs)
      } else if sent != -Int64(EINTR) {
        throw Fault(call: "send", code: Int32(truncatingIfNeeded: -sent))
      }
    }
  }

  /// What has come, at most 64 KiB; empty at the end; nil when nothing came in time, or a signal came first.
  public func receive(timeoutMs: Int32) throws(Fault) -> [UInt8]? {
    let ready = clinux_wait_readable(descriptor, timeoutMs)
    if ready == 0 || ready == -EINTR { return nil }
    if ready < 0 { throw Fault(call: "poll", code: -ready) }
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let capacity = buffer.count
    // Safe: the shim writes at most `capacity` bytes, which is the array's size.
    let count = unsafe clinux_receive(descriptor, &buffer, capacity)
    if count == -Int64(EAGAIN) || count == -Int64(EINTR) { return nil }
    if count == -Int64(ECONNRESET) { return [] }
    if count < 0 { throw Fault(call: "recv", code: Int32(truncatingIfNeeded: -count)) }
    buffer.removeLast(capacity - Int(count))
    return buffer
  }

  private func waitWritable(_ timeoutMs: Int32) throws(Fault) {
    var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    // Safe: one structure of ours.
    let ready = unsafe poll(&watched, 1, timeoutMs)
    if ready == 0 { throw Fault(call: "send", code: ETIMEDOUT) }
    if ready < 0 && errno != EINTR { throw Fault(call: "poll", code: errno) }
  }
}

/// Texts that C knows.
public enum PosixText {
  public static func error(_ code: Int32) -> String {
    // Safe: strerror's text is copied at once.
    unsafe String(cString: strerror(code))
  }

  /// The value of an environment variable; nil when it is not set.
  public static func variable(_ name: String) -> String? {
    // Safe: the environment is not changed while another thread runs; the text is copied at once.
    guard let text = unsafe getenv(name) else { return nil }
    return unsafe String(cString: text)
  }

  /// With TALLY_DIE_WITH_PARENT=1 this process gets SIGTERM when the one that started it ends: for `tally demo` and
  /// the worker's supervisor, which must leave nothing behind even when they are killed.
  public static func obeyParent() {
    if variable("TALLY_DIE_WITH_PARENT") == "1" { _ = clinux_die_with_parent(SIGTERM) }
  }

  /// Writes text to standard output (1) or error (2). False when nobody reads it any more.
  @discardableResult
  public static func put(_ text: String, to descriptor: Int32) -> Bool { put(Array(text.utf8), to: descriptor) }

  @discardableResult
  public static func put(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var offset = 0
    while offset < bytes.count {
      let start = offset
      // Safe: the pointer stays inside the array: `start` < count and count - start bytes follow it.
      let done = unsafe bytes.withUnsafeBytes {
        unsafe write(descriptor, $0.baseAddress?.advanced(by: start), $0.count - start)
      }
      if done < 0 && (errno == EINTR || errno == EAGAIN) { continue }
      if done < 0 { return false }
      offset += done
    }
    return true
  }
}
