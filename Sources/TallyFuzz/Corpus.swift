// Owns: where inputs lie: golden frames and the corpus of the repository. Refuses to know: targets' meaning.
import Foundation

public struct CorpusFolder: Sendable {
  /// The repository's `Fixtures`.
  public let path: String

  public init(_ path: String) { self.path = path }

  /// Beside the sources of this checkout.
  public static let ofRepository = CorpusFolder(
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Fixtures").standardizedFileURL.path)

  /// The inputs kept for one target, by file name.
  public func inputs(_ target: String) throws -> [(name: String, bytes: [UInt8])] {
    try files("\(path)/corpus/\(target)")
  }

  /// All golden frames and receipts: what a target accepts of them is worth mutating.
  public func golden() throws -> [[UInt8]] {
    var frames: [[UInt8]] = []
    for folder in ["log", "mesh", "work"] {
      for (name, text) in try files("\(path)/frames/\(folder)") where name.hasSuffix(".hex") {
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("#") }
        if let bytes = Self.hexadecimal(lines.joined()) { frames.append(bytes) }
      }
    }
    return frames + (try files("\(path)/receipts").map(\.bytes))
  }

  /// Golden frames that `target` accepts, and its corpus.
  public func pool(for target: FuzzTarget) throws -> [[UInt8]] {
    let frames = try golden().filter { frame in
      guard frame.count <= target.sizeMax, case .accepted = target.check(frame) else { return false }
      return true
    }
    return frames + (try inputs(target.name).map(\.bytes))
  }

  private func files(_ folder: String) throws -> [(name: String, bytes: [UInt8])] {
    guard FileManager.default.fileExists(atPath: folder) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().compactMap { name in
      FileManager.default.contents(atPath: "\(folder)/\(name)").map { (name, [UInt8]($0)) }
    }
  }

  private static func hexadecimal(_ text: String) -> [UInt8]? {
    let digits = text.utf8.filter { $0 != 0x20 && $0 != 0x0d }
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
