// Owns: finding the shared vectors, and saying aloud when they are not there.
import Foundation

enum Vectors {
  /// Beside the repository, or where TALLY_VECTORS says.
  static let folder: URL = {
    if let path = ProcessInfo.processInfo.environment["TALLY_VECTORS"] { return URL(fileURLWithPath: path) }
    return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/vectors")
  }()

  /// The folder `name`; nil, said aloud, when it is not there.
  static func find(_ name: String) -> URL? {
    let url = folder.appendingPathComponent(name)
    if FileManager.default.fileExists(atPath: url.path) { return url }
    print("SKIP \(name): no folder \(url.path)")
    return nil
  }
}
