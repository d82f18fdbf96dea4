// Owns: a directory that goes away with its owner. Refuses to know: what is put into it.
import Foundation

final class Scratch {
  let path: String

  init() throws {
    let base = FileManager.default.temporaryDirectory.path
    path = "\(base)/tally-bench-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0...UInt32.max))"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { print("left behind: \(path): \(error)") }
  }

  /// Bytes of the files whose name begins with `prefix`, in the directory `name` below this one.
  func bytes(in name: String, prefix: String) throws -> Int {
    var total = 0
    for file in try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(name)") where file.hasPrefix(prefix) {
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)/\(file)")
      total += (attributes[.size] as? Int) ?? 0
    }
    return total
  }
}
