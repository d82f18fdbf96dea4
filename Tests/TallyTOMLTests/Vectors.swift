// Owns: finding the shared TOML vectors and reading what they expect.
import FoundationEssentials
import TallyTOML

enum Vectors {
  private static var folder: String {
    if let path = ProcessInfo.processInfo.environment["TALLY_VECTORS"] { return path + "/toml" }
    return URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("shared/vectors/toml").path
  }

  /// Paths of the documents below `verdict`, sorted; nil, said aloud, when the folder is not there.
  static func documents(_ verdict: String, suite: String) throws -> [String]? {
    let path = folder + "/" + verdict
    guard FileManager.default.fileExists(atPath: path) else {
      print("SKIP \(suite): no folder \(path)")
      return nil
    }
    return try FileManager.default.subpathsOfDirectory(atPath: path).filter { $0.hasSuffix(".toml") }.sorted()
      .map { path + "/" + $0 }
  }

  static func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

  static func expected(of document: String) throws -> Expected {
    let path = document.dropLast(5) + ".json"
    return try JSONDecoder().decode(Expected.self, from: Data(contentsOf: URL(fileURLWithPath: String(path))))
  }
}
