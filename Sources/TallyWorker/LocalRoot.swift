// Owns: a small root made of this machine's own programs: a shell, some tools, and the libraries they need.
// Refuses to know: trees and blobs. Such a root differs from machine to machine: it is for demonstrations and tests.

import CWorker
import Glibc

public enum LocalRoot {
  /// What `make demo` and the tests use.
  public static let usualPrograms = [
    "sh", "cat", "tr", "sort", "uniq", "head", "tail", "sleep", "wc", "sed", "grep", "awk", "ls", "id", "env", "mkdir",
    "ln", "rm", "dd", "true", "false", "chmod", "touch", "seq", "cut", "cp", "uname", "nproc", "stat", "date",
  ]

  /// Makes a root in `directory`, which must not exist or be empty. Programs that this machine does not have are left
  /// out and returned.
  @discardableResult
  public static func make(at directory: String, programs: [String] = usualPrograms) throws(WorkerFault) -> [String] {
    var missing: [String] = []
    let top = try Folders.make(directory)
    for name in SandboxCommand.mountPoints { _ = try Folders.descend([Array(name.utf8)], in: top) }
    var copied: Set<String> = []
    for name in programs {
      guard TreePath.isPlain(Array(name.utf8)), let path = find(name) else {
        missing.append(name)
        continue
      }
      try copy(path, to: "bin/\(name)", mode: 0o755, in: top)
      for library in libraries(of: path) where copied.insert(library).inserted {
        try copy(library, to: String(library.drop { $0 == "/" }), mode: 0o755, in: top)
      }
    }
    return missing
  }

  private static func find(_ name: String) -> String? {
    for place in SandboxCommand.path.split(separator: ":") {
      let path = "\(place)/\(name)"
      // Safe: the name ends with NUL.
      if unsafe access(SystemCall.name(path), X_OK) == 0 { return path }
    }
    return nil
  }

  /// The absolute paths that ldd names; none for a static program.
  private static func libraries(of path: String) -> [String] {
    let words = SystemCall.terminated(["/usr/bin/ldd", path])
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    // Safe: both arrays' counts are passed.
    let count = unsafe worker_capture(words, words.count, &buffer, buffer.count)
    guard count > 0 else { return [] }
    return SystemCall.text(buffer[..<Int(count)]).split(separator: "\n").compactMap { (line: Substring) -> String? in
      line.split(whereSeparator: { $0 == " " || $0 == "\t" }).first { $0.hasPrefix("/") }.map(String.init)
    }
  }

  private static func copy(_ path: String, to place: String, mode: UInt32, in top: Descriptor) throws(WorkerFault) {
    guard let parts = TreePath(Array(place.utf8)), let name = parts.names.last else {
      throw .unsafeTree(path: place, why: "is not a relative path")
    }
    let directory = try Folders.descend(Array(parts.names.dropLast()), in: top)
    let source = try SystemCall.openFile(path: path)
    let target = try Folders.create(name, mode: mode, in: directory)
    while true {
      guard let bytes = try SystemCall.read(source.number, count: 1 << 20), !bytes.isEmpty else { break }
      try SystemCall.write(bytes, to: target.number, path: place)
    }
  }
}
