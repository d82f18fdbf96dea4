// Owns: finding and reading vector files. Fixtures/vectors is part of the repository and must be there; the shared
// folder may be missing, and then a test says SKIP aloud.

import FoundationEssentials
import TallyBase
import Testing

enum Vectors {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func fixture<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
    let path = root.appendingPathComponent("Fixtures/vectors/\(name)").path
    return try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private static var sharedFolder: String {
    if let path = ProcessInfo.processInfo.environment["TALLY_VECTORS"] { return path }
    return root.deletingLastPathComponent().appendingPathComponent("shared/vectors").path
  }

  /// The bytes of a shared file; nil, said aloud, when the folder is not there.
  static func sharedData(_ name: String, suite: String) throws -> Data? {
    let folder = sharedFolder
    guard FileManager.default.fileExists(atPath: folder) else {
      print("SKIP \(suite): no folder \(folder)")
      return nil
    }
    return try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
  }

  static func shared<Value: Decodable>(
    _ name: String, suite: String, as type: Value.Type = Value.self
  ) throws -> Value? {
    try sharedData(name, suite: suite).map { try JSONDecoder().decode(type, from: $0) }
  }
}

func hex(_ text: String) -> [UInt8] { Hex.decode(text)! }
func bytes32(_ text: String) -> Bytes32 { Bytes32(hex(text))! }
