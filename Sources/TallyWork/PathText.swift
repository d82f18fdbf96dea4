// Owns: what a path inside a tree or an output may be, and how it is written in a line of text.
// Refuses to know: file systems. A path here is bytes, relative, and cannot leave its directory.

public enum PathText {
  /// Why `path` may not stand in a tree or manifest; nil when it may. Relative, no empty part, no `.`, no `..`,
  /// no NUL, parts ≤ 255 bytes, ≤ 4,096 bytes in all.
  public static func problem(_ path: [UInt8]) -> String? {
    if path.isEmpty { return "an empty path" }
    if path.count > TextLimits.pathBytes {
      return "a path of \(path.count) bytes, the limit is \(TextLimits.pathBytes)"
    }
    if path.contains(0) { return "a NUL in a path" }
    if path[0] == 0x2f { return "an absolute path" }
    for part in path.split(separator: 0x2f, omittingEmptySubsequences: false) {
      if part.isEmpty { return "an empty part in a path" }
      if part == [0x2e] { return "a part . in a path" }
      if part == [0x2e, 0x2e] { return "a part .. in a path" }
      if part.count > TextLimits.partBytes {
        return "a part of \(part.count) bytes in a path, the limit is \(TextLimits.partBytes)"
      }
    }
    return nil
  }

  /// The directory that holds `path`; nil for a path of one part.
  public static func parent(_ path: [UInt8]) -> [UInt8]? {
    path.lastIndex(of: 0x2f).map { Array(path[..<$0]) }
  }

  /// GNU sha256sum's escapes: `\\`, `\n`, `\r`.
  static func needsEscape(_ path: [UInt8]) -> Bool { path.contains { $0 == 0x5c || $0 == 0x0a || $0 == 0x0d } }

  /// `beforeArrow`: also writes a space before `->` as `\ `, so that the first ` -> ` of a link line separates.
  static func append(_ path: [UInt8], beforeArrow: Bool = false, to text: inout [UInt8]) {
    for (index, byte) in path.enumerated() {
      switch byte {
      case 0x5c: text.append(contentsOf: [0x5c, 0x5c])
      case 0x0a: text.append(contentsOf: [0x5c, 0x6e])
      case 0x0d: text.append(contentsOf: [0x5c, 0x72])
      case 0x20 where beforeArrow && path.dropFirst(index + 1).starts(with: [0x2d, 0x3e]):
        text.append(contentsOf: [0x5c, 0x20])
      default: text.append(byte)
      }
    }
  }

  /// The way back; nil for an escape that `append` does not write. Whether the spelling is the canonical one is checked
  /// by writing the whole text again.
  static func unescape(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    var path: [UInt8] = []
    path.reserveCapacity(text.count)
    var isEscaped = false
    for byte in text {
      if isEscaped {
        switch byte {
        case 0x5c, 0x20: path.append(byte)
        case 0x6e: path.append(0x0a)
        case 0x72: path.append(0x0d)
        default: return nil
        }
        isEscaped = false
      } else if byte == 0x5c {
        isEscaped = true
      } else {
        path.append(byte)
      }
    }
    return isEscaped ? nil : path
  }

  /// `P -> T` at its first unescaped ` -> `.
  static func splitLink(_ text: ArraySlice<UInt8>) -> (path: [UInt8], target: [UInt8])? {
    let arrow: [UInt8] = [0x20, 0x2d, 0x3e, 0x20]
    var index = text.startIndex
    while index < text.endIndex {
      if text[index] == 0x5c {
        index += 2
        continue
      }
      if text[index...].starts(with: arrow) {
        guard let path = unescape(text[..<index]), let target = unescape(text[(index + 4)...]) else { return nil }
        return (path, target)
      }
      index += 1
    }
    return nil
  }

  /// Why `target` may not be a symbolic link's; nil when it may. It is not interpreted.
  static func targetProblem(_ target: [UInt8]) -> String? {
    if target.isEmpty { return "an empty link target" }
    if target.count > TextLimits.pathBytes { return "a link target of \(target.count) bytes" }
    return target.contains(0) ? "a NUL in a link target" : nil
  }
}

/// What is wrong with a manifest or a tree.
public struct TextError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Counted from 1; 0 for the whole.
  public let line: Int
  public let problem: String

  public init(line: Int, problem: String) {
    self.line = line
    self.problem = problem
  }

  public var description: String { line == 0 ? problem : "line \(line): \(problem)" }
}

/// Lines that each end in LF, with their numbers.
struct TextLines {
  private let bytes: [UInt8]
  private var position = 0
  private(set) var number = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  /// Without its LF. A text whose last line has none is refused.
  mutating func next() throws(TextError) -> ArraySlice<UInt8> {
    number += 1
    guard let end = bytes[position...].firstIndex(of: 0x0a) else {
      throw TextError(line: number, problem: "a line without its end")
    }
    defer { position = end + 1 }
    return bytes[position..<end]
  }
}
