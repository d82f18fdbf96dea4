// Owns: where the built programs are.
import Foundation
import Glibc

public enum Programs {
  /// `TALLY_BIN` (a directory or tallyd itself), else beside the test bundle in the build directory; nil: not built.
  public static let tallyd: String? = {
    if let given = ProcessInfo.processInfo.environment["TALLY_BIN"] {
      return [given + "/tallyd", given].first { isProgram($0) }
    }
    let here = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
    return [here + "/tallyd"].first { isProgram($0) }
  }()

  private static func isProgram(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { return false }
    return !isDirectory.boolValue && FileManager.default.isExecutableFile(atPath: path)
  }
}
