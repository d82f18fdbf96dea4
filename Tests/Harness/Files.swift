// Owns: the few things tests do with files. Refuses to know: what is in them.
import Foundation
import Glibc

public enum Files {
  /// Empty when it cannot be read.
  public static func text(_ path: String) -> String { String(decoding: bytes(path), as: UTF8.self) }

  public static func bytes(_ path: String) -> [UInt8] {
    FileManager.default.contents(atPath: path).map { Array($0) } ?? []
  }

  public static func write(_ text: String, to path: String, mode: Int = 0o600) throws {
    try write(Array(text.utf8), to: path, mode: mode)
  }

  public static func write(_ bytes: [UInt8], to path: String, mode: Int = 0o600) throws {
    let made = FileManager.default.createFile(
      atPath: path, contents: Data(bytes), attributes: [.posixPermissions: mode])
    try demand(made, "cannot write \(path)")
  }

  public static func makeDirectory(_ path: String, mode: Int = 0o700) throws {
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: mode])
  }

  public static func list(_ path: String) -> [String] {
    do { return try FileManager.default.contentsOfDirectory(atPath: path).sorted() } catch { return [] }
  }

  public static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  /// A file or a whole directory; nothing there is fine.
  public static func remove(_ path: String) {
    do { try FileManager.default.removeItem(atPath: path) } catch { return }
  }

  /// A copy with modes, times and owners, as a backup would make it.
  public static func copy(_ from: String, to: String) throws {
    let (code, words) = try Child.run("/bin/cp", ["-a", from, to])
    try demand(code == 0, "cp -a \(from) \(to): \(words)")
  }
}
