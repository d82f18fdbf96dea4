// Owns: the path of a Unix listener: its lock, its birth, its mode and its removal. Refuses to know: connections.
import CLinux
import Glibc

/// A socket file that this process made. Beside it lies `PATH.lock`, locked as long as this value lives, so that two
/// daemons never argue about whose socket it is. Both files are removed at the end.
final class UnixSocketFile: Sendable {
  let path: String
  private let lockPath: String
  private let lock: Descriptor
  private let device: UInt64
  private let inode: UInt64

  private init(path: String, lock: consuming Descriptor, device: UInt64, inode: UInt64) {
    self.path = path
    lockPath = path + ".lock"
    self.lock = lock
    self.device = device
    self.inode = inode
  }

  deinit {
    // Only our own: an operator may have put something else there meanwhile.
    if Self.identity(path) == (device, inode) { _ = unsafe clinux_unlink(path) }  // Safe: a NUL-terminated copy.
    _ = unsafe clinux_unlink(lockPath)
  }

  /// Binds and listens at `path` with `mode` (0600 and the like) and, when given, `group`. EADDRINUSE: somebody answers
  /// there, holds the lock, or something that is no socket has that name. ENAMETOOLONG: over 107 bytes.
  static func listen(path: String, mode: UInt32, group: UInt32?, label: Int) throws(SystemError) -> Listener {
    guard path.utf8.count <= Int(clinux_unix_path_max()), !path.isEmpty, !path.utf8.contains(0) else {
      let about = "\(path): a socket's path has 1 to \(clinux_unix_path_max()) bytes, this one \(path.utf8.count)"
      throw SystemError(call: "bind", code: ENAMETOOLONG, about: about)
    }
    do throws(SystemError) {
      return try make(path: path, mode: mode, group: group, label: label)
    } catch {
      throw error.about.isEmpty ? error.about(path) : error
    }
  }

  private static func make(
    path: String, mode: UInt32, group: UInt32?, label: Int
  ) throws(SystemError) -> Listener {
    let lock = try takeLock(path + ".lock")
    try removeStale(path)
    let socket = Descriptor(taking: try required("socket") { clinux_unix_socket() })
    let number = socket.number
    // Safe, here and below: Swift passes a NUL-terminated copy of the path for the call's duration.
    // Born for its owner alone; it is opened to others only when everything about it is right.
    try required("bind", outsideAddress: true) { unsafe clinux_unix_bind(number, path, mode & 0o600) }
    let (device, inode) = identity(path)
    let file = UnixSocketFile(path: path, lock: lock, device: device, inode: inode)
    try required("listen") { clinux_listen(number, CInt(NetLimits.backlog)) }
    if let group { try required("chown", outsideAddress: true) { unsafe clinux_chown_group(path, group) } }
    try required("chmod", outsideAddress: true) { unsafe clinux_chmod(path, mode) }
    return try Listener(.unix(label: label), socket, file: file)
  }

  private static func takeLock(_ path: String) throws(SystemError) -> Descriptor {
    var attempts = 8
    while true {
      do throws(SystemError) {
        return Descriptor(taking: try required("flock", outsideAddress: true) { unsafe clinux_lock_file(path) })
      } catch {
        if error.code == EAGAIN {
          throw SystemError(call: "bind", code: EADDRINUSE, about: "\(path) is held by another process")
        }
        attempts -= 1
        guard error.code == ESTALE, attempts > 0 else { throw error.about(path) }
      }
    }
  }

  /// Removes what an earlier daemon left behind: a socket on which nobody answers. Anything else stays.
  private static func removeStale(_ path: String) throws(SystemError) {
    let kind = try required("lstat", outsideAddress: true) { unsafe clinux_path_kind(path) }
    if kind == CLINUX_ABSENT { return }
    guard kind == CLINUX_IS_SOCKET else {
      throw SystemError(call: "bind", code: EADDRINUSE, about: "\(path), which is no socket")
    }
    let probe = Descriptor(taking: try required("socket") { clinux_unix_socket() })
    let number = probe.number
    do throws(SystemError) {
      try required("connect", outsideAddress: true) { unsafe clinux_unix_connect(number, path) }
    } catch {
      // EAGAIN is a full backlog: somebody lives there.
      guard error.code == ECONNREFUSED else {
        throw SystemError(call: "bind", code: EADDRINUSE, about: "\(path), where somebody listens")
      }
      try required("unlink", outsideAddress: true) { unsafe clinux_unlink(path) }
      return
    }
    throw SystemError(call: "bind", code: EADDRINUSE, about: "\(path), where somebody answers")
  }

  /// Device and inode; zeros when there is no such file.
  private static func identity(_ path: String) -> (UInt64, UInt64) {
    var file = clinux_file_id()
    // Safe: the shim fills one struct.
    _ = unsafe clinux_file_identity(path, &file)
    return (file.device, file.inode)
  }
}
