// Owns: the file calls of the command line, each with an error that names the path. Refuses to know: what files mean.
import Glibc
import TallyAdmin

enum PosixFile {
  static func isDirectory(_ path: String) throws(ClientError) -> Bool {
    var status = stat()
    // Safe: Swift passes a NUL-terminated copy of the path; one structure of ours.
    if unsafe stat(path, &status) != 0 {
      throw ClientError(.noInput, "cannot read \(path): \(PosixText.error(errno))", fix: "check the path")
    }
    return status.st_mode & S_IFMT == S_IFDIR
  }

  static func exists(_ path: String) -> Bool {
    // Safe: as above.
    unsafe access(path, F_OK) == 0
  }

  static func openToRead(_ path: String) throws(ClientError) -> Int32 {
    // Safe: as above.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 {
      throw ClientError(.noInput, "cannot read \(path): \(PosixText.error(errno))", fix: "check the path")
    }
    return descriptor
  }

  static func read(_ path: String) throws(ClientError) -> [UInt8] {
    let descriptor = try openToRead(path)
    defer { Spawn.close(descriptor) }
    return Spawn.readAll(descriptor)
  }

  /// A new file; a file or link that is there goes away first.
  static func create(_ path: String, isExecutable: Bool) throws(ClientError) -> Int32 {
    // Safe: as above.
    if unsafe unlink(path) != 0 && errno != ENOENT {
      throw ClientError(.cannotCreate, "cannot replace \(path): \(PosixText.error(errno))")
    }
    // Safe: as above.
    let descriptor = unsafe open(
      path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, isExecutable ? 0o755 : 0o644)
    if descriptor < 0 { throw ClientError(.cannotCreate, "cannot make \(path): \(PosixText.error(errno))") }
    return descriptor
  }

  static func write(_ bytes: [UInt8], to path: String) throws(ClientError) {
    let descriptor = try create(path, isExecutable: false)
    defer { Spawn.close(descriptor) }
    if !PosixText.put(bytes, to: descriptor) { throw ClientError(.cannotCreate, "cannot write \(path)") }
  }

  /// Made, or there already and no link.
  static func makeDirectory(_ path: String) throws(ClientError) {
    // Safe: as above.
    if unsafe mkdir(path, 0o755) == 0 { return }
    let code = errno
    var status = stat()
    // Safe: as above.
    if code == EEXIST, unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
    throw ClientError(.cannotCreate, "cannot make the directory \(path): \(PosixText.error(code))")
  }

  static func makeLink(_ path: String, to target: [UInt8]) throws(ClientError) {
    // Safe: as above; the target holds no NUL and gets one.
    if unsafe unlink(path) != 0 && errno != ENOENT {
      throw ClientError(.cannotCreate, "cannot replace \(path): \(PosixText.error(errno))")
    }
    let name = target.map { CChar(bitPattern: $0) } + [0]
    // Safe: as above.
    if unsafe symlink(name, path) != 0 {
      throw ClientError(.cannotCreate, "cannot make the link \(path): \(PosixText.error(errno))")
    }
  }
}
