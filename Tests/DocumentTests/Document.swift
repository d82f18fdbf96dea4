// Owns: reading the repository's documents and sources as text, and tables of Markdown.
import FoundationEssentials

struct Document {
  let lines: [String]

  /// A file of the repository, by its path from the root.
  init(_ path: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: Self.root + "/" + path))
    lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
  }

  static var root: String {
    URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().path
  }

  /// Paths of the files below `folder` whose name ends with `suffix`, from the root, sorted.
  static func files(below folder: String, ending suffix: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: root + "/" + folder).filter { $0.hasSuffix(suffix) }
      .map { folder + "/" + $0 }.sorted()
  }

  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root + "/" + path) }

  var text: String { lines.joined(separator: "\n") }

  /// The cells of the first table below the heading `title`, without heading and rule; empty when there is none.
  func table(below title: String) -> [[String]] {
    guard let start = lines.firstIndex(of: title) else { return [] }
    let rows = lines[(start + 1)...].drop { !$0.hasPrefix("|") }.prefix { $0.hasPrefix("|") }.dropFirst(2)
    return rows.map { row in
      row.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false).map { cell in
        String(cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      }
    }
  }

  /// What stands between `before` and `after` on each line that has both, in order.
  func matches(_ before: String, _ after: String) -> [String] {
    lines.compactMap { line in
      guard let start = line.firstRange(of: before), let end = line[start.upperBound...].firstRange(of: after) else {
        return nil
      }
      return String(line[start.upperBound..<end.lowerBound])
    }
  }
}
