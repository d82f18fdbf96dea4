// Owns: the file calls of the store, one checked function a chore; EINTR is retried, everything else is an error
// that names call, path and errno. Refuses to know: what is in the files.
import Glibc
import TallyLog

/// A failed call on a file.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
  public let call: String
  public let path: String
  public let code: CInt

  /// As a store fault. A failed sync is never "full": what is on disk is then unknown.
  public var fault: StoreFault {
    let isFull = (code == ENOSPC || code == EDQUOT) && call != "fsync"
    return isFull ? .full(detail: description) : .broken(detail: description)
  }

  // Safe: strerror's text is copied at once.
  public var description: String { unsafe "\(call) \(path): \(String(cString: strerror(code)))" }
}

/// Owns one descriptor of a regular file or directory.
struct FileHandle: ~Copyable, Sendable {
  let descriptor: CInt
  let path: String

  /// `flags` as of open(2); O_CLOEXEC is added.
  init(_ path: String, _ flags: CInt, mode: mode_t = 0o600) throws(FileError) {
    self.path = path
    // Safe: the path is only read during the call.
    descriptor = try FileStorage.call("open", path) { unsafe open(path, flags | O_CLOEXEC, mode) }
  }

  deinit {
    let code = close(descriptor)
    precondition(code == 0 || errno != EBADF, "\(path): descriptor \(descriptor) was closed by somebody else")
  }

  func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let start = done
      // Safe: the pointer stays inside the array: `start` < count and count - start bytes follow it.
      done += try FileStorage.call("write", path) {
        unsafe bytes.withUnsafeBytes {
          unsafe pwrite(descriptor, $0.baseAddress?.advanced(by: start), $0.count - start, offset + start)
        }
      }
    }
  }

  /// Up to `count` bytes; fewer only at the end of the file.
  func read(_ count: Int, at offset: Int) throws(FileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let start = done
      // Safe: as in `write`.
      let taken = try FileStorage.call("read", path) {
        unsafe bytes.withUnsafeMutableBytes {
          unsafe pread(descriptor, $0.baseAddress?.advanced(by: start), count - start, offset + start)
        }
      }
      if taken == 0 { break }
      done += taken
    }
    if done < count { bytes.removeLast(count - done) }
    return bytes
  }

  func sync() throws(FileError) { _ = try FileStorage.call("fsync", path) { fsync(descriptor) } }

  func truncate(to size: Int) throws(FileError) {
    _ = try FileStorage.call("ftruncate", path) { ftruncate(descriptor, size) }
  }

  /// Marks the file as used now; the order of use survives a restart in its modification time.
  func touch() throws(FileError) {
    _ = try FileStorage.call("futimens", path) { futimens(descriptor, nil) }
  }

  func size() throws(FileError) -> Int { try FileStorage.status(path).size }

  /// True when nobody else holds the lock; it goes with the descriptor.
  func tryLock() throws(FileError) -> Bool {
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return false }
      if errno != EINTR { throw FileError(call: "flock", path: path, code: errno) }
    }
    return true
  }
}

enum FileStorage {
  struct Status {
    let size: Int
    let mode: mode_t
    let modifiedNanos: Int64
    var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
    var permissions: mode_t { mode & 0o777 }
  }

  /// Every call goes through here: a result below zero is an error, EINTR is retried.
  static func call<Result: SignedInteger>(
    _ name: String, _ path: String, _ body: () -> Result
  ) throws(FileError) -> Result {
    while true {
      let result = body()
      if result >= 0 { return result }
      let code = errno
      if code == EINTR { continue }
      precondition(code != EBADF && code != EFAULT, "\(name) \(path): errno \(code) is our own mistake")
      throw FileError(call: name, path: path, code: code)
    }
  }

  static func status(_ path: String) throws(FileError) -> Status {
    var result = stat()
    // Safe: the path is read and the struct filled during the call.
    _ = try call("stat", path) { unsafe lstat(path, &result) }
    let nanos = Int64(result.st_mtim.tv_sec) * 1_000_000_000 + Int64(result.st_mtim.tv_nsec)
    return Status(size: Int(result.st_size), mode: result.st_mode, modifiedNanos: nanos)
  }

  /// nil when nothing has this name.
  static func statusIfAny(_ path: String) throws(FileError) -> Status? {
    do throws(FileError) { return try status(path) } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
  }

  // Safe (the calls below): paths are only read during the call.
  static func makeDirectory(_ path: String) throws(FileError) {
    _ = try call("mkdir", path) { unsafe mkdir(path, 0o700) }
  }

  static func setPermissions(_ path: String, _ mode: mode_t) throws(FileError) {
    _ = try call("chmod", path) { unsafe chmod(path, mode) }
  }

  static func rename(_ source: String, to target: String) throws(FileError) {
    // Safe: as above.
    _ = try call("rename", target) { unsafe Glibc.rename(source, target) }
  }

  /// Nothing to remove is no error.
  static func remove(_ path: String) throws(FileError) {
    do throws(FileError) { _ = try call("unlink", path) { unsafe unlink(path) } } catch {
      if error.code != ENOENT { throw error }
    }
  }

  /// Makes names in `path` durable: renames, new and removed files.
  static func syncDirectory(_ path: String) throws(FileError) {
    try FileHandle(path, O_RDONLY | O_DIRECTORY).sync()
  }

  /// Names in a directory, sorted by bytes.
  static func list(_ path: String) throws(FileError) -> [String] {
    // Safe: the stream is checked, used by this function only and closed; each name is copied before the next read.
    guard let stream = unsafe opendir(path) else { throw FileError(call: "opendir", path: path, code: errno) }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else { break }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    if errno != 0 { throw FileError(call: "readdir", path: path, code: errno) }
    return names.sorted()
  }

  /// The whole file, at most `limit` bytes; nil when there is none.
  static func readIfAny(_ path: String, limit: Int) throws(FileError) -> [UInt8]? {
    do throws(FileError) { return try FileHandle(path, O_RDONLY).read(limit, at: 0) } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
  }

  static func environment(_ name: String) -> String? {
    // Safe: the text is copied at once.
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }
}
