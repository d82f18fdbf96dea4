// Owns: making and removing directories one step at a time, never through a symbolic link.

import CWorker
import Glibc

/// Directories by descriptor. No call here takes a path of a tree whole, so no link in it is ever followed.
enum Folders {
  /// Makes the directory at `path` (its parent exists, the operator named it) and opens it.
  static func make(_ path: String) throws(WorkerFault) -> Descriptor {
    // Safe: the name ends with NUL.
    let isNew = unsafe mkdir(SystemCall.name(path), 0o755) == 0
    if !isNew, errno != EEXIST { throw .system(call: "mkdir", path: path, code: errno) }
    let opened = try SystemCall.openDirectory(path: path)
    if isNew { try open(opened, toAll: path.utf8) }
    return opened
  }

  /// Mode 0755 whatever our umask is: the job user has to read what we unpack.
  private static func open(_ directory: Descriptor, toAll path: some Collection<UInt8>) throws(WorkerFault) {
    try SystemCall.checkErrno(fchmod(directory.number, 0o755), "fchmod", path)
  }

  /// Makes a directory that must not be there yet, and opens it.
  static func makeNew(_ name: [UInt8], in directory: Descriptor) throws(WorkerFault) -> Descriptor {
    // Safe: the name ends with NUL.
    try SystemCall.checkErrno(unsafe mkdirat(directory.number, SystemCall.name(name), 0o755), "mkdirat", name)
    let opened = try SystemCall.openDirectory(name, in: directory)
    try open(opened, toAll: name)
    return opened
  }

  /// The directory at `names` beneath `top`, made where it is not there. A link or file on the way is a fault.
  static func descend(_ names: [[UInt8]], in top: Descriptor) throws(WorkerFault) -> Descriptor {
    var here = top
    for name in names {
      precondition(TreePath.isPlain(name), "a name that was not checked: \(SystemCall.text(name))")
      do {
        here = try makeNew(name, in: here)
      } catch .system("mkdirat", _, EEXIST) {
        here = try SystemCall.openDirectory(name, in: here)
      }
    }
    return here
  }

  /// A new file; a file or link that has the name already goes away, a directory is a fault.
  static func create(_ name: [UInt8], mode: UInt32, in directory: Descriptor) throws(WorkerFault) -> Descriptor {
    try clear(name, in: directory)
    // Safe: the name ends with NUL.
    return Descriptor(
      try SystemCall.check(unsafe worker_create_file(directory.number, SystemCall.name(name), mode), "openat", name))
  }

  static func link(_ name: [UInt8], to target: [UInt8], in directory: Descriptor) throws(WorkerFault) {
    try clear(name, in: directory)
    // Safe: both names end with NUL.
    let result = unsafe symlinkat(SystemCall.name(target), directory.number, SystemCall.name(name))
    try SystemCall.checkErrno(result, "symlinkat", name)
  }

  private static func clear(_ name: [UInt8], in directory: Descriptor) throws(WorkerFault) {
    // Safe: the name ends with NUL.
    if unsafe unlinkat(directory.number, SystemCall.name(name), 0) != 0, errno != ENOENT {
      throw .system(call: "unlinkat", path: SystemCall.text(name), code: errno)
    }
  }

  static func isDirectory(_ file: worker_file) -> Bool { file.mode & UInt32(S_IFMT) == UInt32(S_IFDIR) }
  static func isRegular(_ file: worker_file) -> Bool { file.mode & UInt32(S_IFMT) == UInt32(S_IFREG) }
  static func isLink(_ file: worker_file) -> Bool { file.mode & UInt32(S_IFMT) == UInt32(S_IFLNK) }

  /// Removes `path` and everything beneath it, itself included; what is not there is no fault.
  static func remove(_ path: String) throws(WorkerFault) {
    do {
      let directory = try SystemCall.openDirectory(path: path)
      try removeContents(of: directory, depth: 0)
    } catch .system(_, _, ENOENT) {
      return
    }
    // Safe: the name ends with NUL.
    try SystemCall.checkErrno(unsafe rmdir(SystemCall.name(path)), "rmdir", path.utf8)
  }

  private static func removeContents(of directory: Descriptor, depth: Int) throws(WorkerFault) {
    guard depth <= WorkerLimits.depthMax + 8 else { throw .limit(name: "directories deep", value: UInt64(depth)) }
    _ = fchmod(directory.number, 0o700)
    for name in try SystemCall.names(in: directory) {
      let isDirectory = isDirectory(try SystemCall.look(name, in: directory))
      if isDirectory { try removeContents(of: SystemCall.openDirectory(name, in: directory), depth: depth + 1) }
      // Safe: the name ends with NUL.
      let result = unsafe unlinkat(directory.number, SystemCall.name(name), isDirectory ? AT_REMOVEDIR : 0)
      try SystemCall.checkErrno(result, "unlinkat", name)
    }
  }
}
