// Owns: small files that are read whole and replaced whole: written beside, synced, renamed. Modes are set at birth, so
// that a secret is never readable for a moment. Refuses to know: what is in them.
import Glibc

public enum PrivateFile {
  public struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
    public let call: String
    public let path: String
    public let code: Int32

    public var description: String { "\(call) \(path): \(PosixText.error(code))" }
  }

  /// Nothing larger is read.
  public static let sizeMax = 1 << 20

  /// Replaces `path` with `bytes` and makes that last over a power cut.
  public static func write(_ bytes: [UInt8], to path: String, mode: UInt32) throws(Fault) {
    let temporary = "\(path).\(getpid()).new"
    // Safe: Swift passes a NUL-terminated copy of the path for the call.
    let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
    if descriptor < 0 { throw Fault(call: "open", path: temporary, code: errno) }
    let fault = fill(descriptor, bytes, mode: mode, temporary)
    _ = close(descriptor)
    if let fault {
      // Safe: as above.
      _ = unsafe unlink(temporary)
      throw fault
    }
    // Safe: as above.
    if unsafe rename(temporary, path) != 0 { throw Fault(call: "rename", path: path, code: errno) }
    let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    // Safe: as above.
    let directory = unsafe open(parent.isEmpty ? "/" : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if directory < 0 { throw Fault(call: "open", path: parent, code: errno) }
    let code = fsync(directory) == 0 ? 0 : errno
    _ = close(directory)
    if code != 0 { throw Fault(call: "fsync", path: parent, code: code) }
  }

  private static func fill(_ descriptor: Int32, _ bytes: [UInt8], mode: UInt32, _ path: String) -> Fault? {
    if fchmod(descriptor, mode) != 0 { return Fault(call: "fchmod", path: path, code: errno) }
    var offset = 0
    while offset < bytes.count {
      let start = offset
      // Safe: the pointer stays inside the array: `start` < count and count - start bytes follow it.
      let done = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: start), $0.count - start)
      }
      if done < 0 && errno == EINTR { continue }
      if done < 0 { return Fault(call: "write", path: path, code: errno) }
      offset += done
    }
    return fsync(descriptor) == 0 ? nil : Fault(call: "fsync", path: path, code: errno)
  }

  /// The whole file; nil when there is none. Larger than `sizeMax` is EFBIG. `isSecret`: refuses (EPERM) a file that
  /// group or others may read.
  public static func readIfAny(_ path: String, isSecret: Bool = false) throws(Fault) -> [UInt8]? {
    // Safe: Swift passes a NUL-terminated copy of the path for the call.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 {
      if errno == ENOENT { return nil }
      throw Fault(call: "open", path: path, code: errno)
    }
    defer { _ = close(descriptor) }
    var status = stat()
    // Safe: one structure of ours.
    if unsafe fstat(descriptor, &status) != 0 { throw Fault(call: "fstat", path: path, code: errno) }
    if isSecret && status.st_mode & 0o077 != 0 { throw Fault(call: "read", path: path, code: EPERM) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      // Safe: at most the buffer's size is written.
      let count = unsafe read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw Fault(call: "read", path: path, code: errno) }
      if count == 0 { return bytes }
      bytes += buffer[..<count]
      if bytes.count > sizeMax { throw Fault(call: "read", path: path, code: EFBIG) }
    }
  }

  /// Makes a directory and its missing parents. The last is 0700.
  public static func makeDirectories(_ path: String) throws(Fault) {
    var partial = path.hasPrefix("/") ? "/" : ""
    let parts = path.split(separator: "/")
    for (place, part) in parts.enumerated() {
      partial += partial.isEmpty || partial.hasSuffix("/") ? String(part) : "/" + part
      // Safe: as above.
      let result = unsafe mkdir(partial, place == parts.count - 1 ? 0o700 : 0o755)
      if result != 0 && errno != EEXIST { throw Fault(call: "mkdir", path: partial, code: errno) }
    }
  }
}
