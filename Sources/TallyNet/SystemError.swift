// Owns: what is said when the world refuses a call. Refuses to know: what to do about it.
import CLinux
import Glibc

/// A system call the kernel refused, by name and errno. The world's fault: every place that sees one has a policy.
public struct SystemError: Error, Hashable, Sendable {
  /// The call as in its manual page: `connect`, `sendmmsg`.
  public let call: String
  /// The errno; positive.
  public let code: CInt
  /// What the call was about (a path, an endpoint) and what would help; empty when the call says it all.
  public let about: String

  public init(call: String, code: CInt, about: String = "") {
    self.call = call
    self.code = code
    self.about = about
  }

  /// The same error, with what it was about.
  public func about(_ subject: String) -> SystemError { SystemError(call: call, code: code, about: subject) }

  /// `ECONNREFUSED`.
  public var name: String {
    // Safe: the shim returns a NUL-terminated constant for every number.
    unsafe String(cString: clinux_error_name(code))
  }

  /// `Connection refused`.
  public var text: String {
    var buffer = [CChar](repeating: 0, count: 128)
    let capacity = buffer.count
    // Safe: the shim writes at most `capacity` bytes, NUL included, and returns how many come before the NUL.
    let count = unsafe clinux_error_text(code, &buffer, capacity)
    return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension SystemError: CustomStringConvertible {
  /// `connect 192.0.2.1:8255: Connection refused (ECONNREFUSED)`.
  public var description: String { (about.isEmpty ? call : "\(call) \(about)") + ": \(text) (\(name))" }
}
