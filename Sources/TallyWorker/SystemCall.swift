// Owns: the way from Swift values to CWorker and Glibc and back: names with a NUL, errno as a fault.
// Refuses to know: what the calls are for.

import CWorker
import Glibc

enum SystemCall {
  /// The kernel's words for an errno.
  static func words(for code: Int32) -> String {
    // Safe: strerror returns a string that lives until the next call in this thread; it is copied at once.
    guard let text = unsafe strerror(code) else { return "errno \(code)" }
    return unsafe String(cString: text)
  }

  /// A C string of `bytes`, which hold no NUL.
  static func name(_ bytes: some Collection<UInt8>) -> [CChar] {
    precondition(!bytes.contains(0), "a path holds NUL")
    return bytes.map { CChar(bitPattern: $0) } + [0]
  }

  static func name(_ text: String) -> [CChar] { name(Array(text.utf8)) }

  /// Words one after the other, each with a NUL behind it.
  static func terminated(_ words: [String]) -> [UInt8] {
    var bytes: [UInt8] = []
    for word in words {
      bytes += word.utf8
      bytes.append(0)
    }
    return bytes
  }

  /// Text of bytes that may not be UTF-8, for messages.
  static func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  /// `result` when it is not negative; else the fault that it names.
  @discardableResult
  static func check(_ result: Int32, _ call: String, _ path: some Collection<UInt8>) throws(WorkerFault) -> Int32 {
    if result < 0 { throw .system(call: call, path: text(path), code: -result) }
    return result
  }

  /// `result` of a Glibc call: errno is read when it is negative.
  @discardableResult
  static func checkErrno(_ result: Int32, _ call: String, _ path: some Collection<UInt8>) throws(WorkerFault) -> Int32 {
    if result < 0 { throw .system(call: call, path: text(path), code: errno) }
    return result
  }

  static func openDirectory(path: String) throws(WorkerFault) -> Descriptor {
    // Safe: the name ends with NUL and lives through the call.
    Descriptor(try check(unsafe worker_open_directory_path(name(path)), "open", path.utf8))
  }

  static func openDirectory(_ name: [UInt8], in directory: Descriptor) throws(WorkerFault) -> Descriptor {
    // Safe: as above.
    Descriptor(try check(unsafe worker_open_directory(directory.number, Self.name(name)), "open", name))
  }

  static func openFile(_ name: [UInt8], in directory: Descriptor) throws(WorkerFault) -> Descriptor {
    // Safe: as above.
    Descriptor(try check(unsafe worker_open_file(directory.number, Self.name(name)), "open", name))
  }

  static func openFile(path: String) throws(WorkerFault) -> Descriptor {
    // Safe: as above.
    Descriptor(try check(unsafe worker_open_path(name(path), 0), "open", path.utf8))
  }

  static func openControl(path: String) throws(WorkerFault) -> Descriptor {
    // Safe: as above.
    Descriptor(try check(unsafe worker_open_path(name(path), 1), "open", path.utf8))
  }

  /// What `name` in `directory` is; never follows a link. An empty name means the directory itself.
  static func look(_ name: [UInt8], in directory: Descriptor) throws(WorkerFault) -> worker_file {
    var file = worker_file()
    // Safe: the name ends with NUL; `file` is ours for the call.
    try check(unsafe worker_look(directory.number, Self.name(name), &file), "fstatat", name)
    return file
  }

  /// What `path` leads to, links followed.
  static func look(through path: String) throws(WorkerFault) -> worker_file {
    var file = worker_file()
    // Safe: as above.
    try check(unsafe worker_look_through(name(path), &file), "stat", path.utf8)
    return file
  }

  /// The names in a directory, sorted by bytes.
  static func names(in directory: Descriptor) throws(WorkerFault) -> [[UInt8]] {
    var room = 32 << 10
    while true {
      var buffer = [UInt8](repeating: 0, count: room)
      // Safe: `room` bytes of buffer.
      let used = unsafe worker_names(directory.number, &buffer, room)
      if used == -Int64(E2BIG), room < WorkerLimits.directoryBytesMax {
        room *= 4
        continue
      }
      if used < 0 { throw .system(call: "readdir", path: "", code: Int32(truncatingIfNeeded: -used)) }
      var names = buffer[..<Int(used)].split(separator: 0).map { Array($0) }
      names.sort { $0.lexicographicallyPrecedes($1) }
      return names
    }
  }

  /// The target of a symbolic link.
  static func linkTarget(_ name: [UInt8], in directory: Descriptor) throws(WorkerFault) -> [UInt8] {
    var buffer = [CChar](repeating: 0, count: WorkerLimits.pathBytesMax + 1)
    // Safe: the name ends with NUL; the buffer's room is passed.
    let count = unsafe readlinkat(directory.number, Self.name(name), &buffer, buffer.count)
    if count < 0 { throw .system(call: "readlinkat", path: text(name), code: errno) }
    return buffer[..<count].map { UInt8(bitPattern: $0) }
  }

  /// At most `count` bytes; empty at the end. nil when nothing is there yet (non-blocking descriptors).
  static func read(_ descriptor: Int32, count: Int) throws(WorkerFault) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: count)
    while true {
      // Safe: `count` bytes of buffer.
      let got = unsafe Glibc.read(descriptor, &buffer, count)
      if got >= 0 { return Array(buffer[..<got]) }
      if errno == EAGAIN { return nil }
      if errno != EINTR { throw .system(call: "read", path: "", code: errno) }
    }
  }

  /// Exactly `count` bytes, or fewer at the end of the file.
  static func readFull(_ descriptor: Int32, count: Int) throws(WorkerFault) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      guard let more = try read(descriptor, count: count - bytes.count), !more.isEmpty else { break }
      if bytes.isEmpty { bytes = more } else { bytes += more }
    }
    return bytes
  }

  static func write(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(WorkerFault) {
    var offset = 0
    while offset < bytes.count {
      let start = offset
      // Safe: reads within `bytes`.
      let done = unsafe bytes[start...].withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if done < 0, errno == EINTR { continue }
      if done < 0 { throw .system(call: "write", path: path, code: errno) }
      offset += done
    }
  }

  /// A small text file (/proc, /sys) whole; nil when it cannot be read, as when its process has ended.
  static func contents(ofSmall path: String) -> [UInt8]? {
    // Safe: the name ends with NUL.
    let number = unsafe worker_open_path(name(path), 0)
    guard number >= 0 else { return nil }
    let descriptor = Descriptor(number)
    do { return try readFull(descriptor.number, count: 64 << 10) } catch { return nil }
  }

  static func pipe() throws(WorkerFault) -> (read: Descriptor, write: Descriptor) {
    var read: Int32 = -1
    var write: Int32 = -1
    // Safe: two integers of ours.
    try check(unsafe worker_pipe(&read, &write), "pipe2", "".utf8)
    return (Descriptor(read), Descriptor(write))
  }

  static var nowMicros: Int64 { worker_now_micros() }
}

extension SystemCall {
  /// A regular file to read, or /dev/null.
  static func openFileOrNull(_ path: String?) throws(WorkerFault) -> Descriptor {
    if let path { return try openFile(path: path) }
    // Safe: a constant name with NUL.
    return Descriptor(try checkErrno(unsafe open("/dev/null", O_RDONLY | O_CLOEXEC), "open", "/dev/null".utf8))
  }

  static func memoryFile(_ bytes: [UInt8]) throws(WorkerFault) -> Descriptor {
    // Safe: `bytes.count` bytes to read.
    Descriptor(try check(unsafe worker_memory_file(bytes, bytes.count), "memfd_create", "".utf8))
  }

  /// The seccomp program of every job.
  static func filter() throws(WorkerFault) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 1024)
    // Safe: the buffer's room is passed.
    let count = unsafe worker_filter(&buffer, buffer.count)
    precondition(count > 0 && count <= buffer.count, "the seccomp program has \(count) bytes")
    return Array(buffer[..<Int(count)])
  }

  static func room(of descriptor: Descriptor) throws(WorkerFault) -> worker_room {
    var room = worker_room()
    // Safe: `room` is ours for the call.
    try check(unsafe worker_room_of(descriptor.number, &room), "fstatfs", "".utf8)
    return room
  }
}

extension SystemCall {
  /// A file without a name in `directory`, for reading and writing.
  static func unnamedFile(in directory: String) throws(WorkerFault) -> Descriptor {
    // Safe: the name ends with NUL.
    Descriptor(try check(unsafe worker_unnamed_file(name(directory)), "open", directory.utf8))
  }
}
