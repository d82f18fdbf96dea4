// Owns: a directory tree as a text of lines, which is itself a blob: its CID names every byte below it.
// Refuses to know: file systems. PROTOCOL.md, chapter "Work". No times, no owners, no modes but the execute bit.

import TallyBase

/// `d P` · `f CID SIZE P` · `x CID SIZE P` · `l P -> T`, sorted by the bytes of P.
public struct Tree: Hashable, Sendable {
  public enum Node: Hashable, Sendable {
    case directory
    /// `size` in bytes, below 2^40.
    case file(ContentID, size: UInt64, isExecutable: Bool)
    /// Not interpreted: it may be absolute or lead out. Only a sandbox follows it.
    case link(target: [UInt8])
  }

  public struct Line: Hashable, Sendable {
    public var path: [UInt8]
    public var node: Node
    public init(path: [UInt8], node: Node) {
      self.path = path
      self.node = node
    }
  }

  public var lines: [Line]

  /// Sorts; `text` checks.
  public init(lines: [Line]) { self.lines = lines.sorted { $0.path.lexicographicallyPrecedes($1.path) } }

  /// Bytes of all files together; saturates.
  public var totalSize: UInt64 {
    lines.reduce(0) { sum, line in
      guard case .file(_, let size, _) = line.node else { return sum }
      let (total, overflow) = sum.addingReportingOverflow(size)
      return overflow ? .max : total
    }
  }

  /// The canonical text. Throws for unsafe, doubled or unsorted paths, a missing parent directory, or a limit.
  public func text() throws(TextError) -> [UInt8] {
    try check()
    var text: [UInt8] = []
    for line in lines { Self.append(line, to: &text) }
    guard text.count <= TextLimits.treeBytes else {
      throw TextError(line: 0, problem: "a tree of \(text.count) bytes, the limit is \(TextLimits.treeBytes)")
    }
    return text
  }

  /// Reads exactly what `text` writes.
  public static func parse(_ bytes: [UInt8]) throws(TextError) -> Tree {
    guard bytes.count <= TextLimits.treeBytes else {
      throw TextError(line: 0, problem: "a tree of \(bytes.count) bytes, the limit is \(TextLimits.treeBytes)")
    }
    var cursor = TextLines(bytes)
    var lines: [Line] = []
    while !cursor.isAtEnd {
      let text = try cursor.next()
      guard lines.count < TextLimits.treeLines else {
        throw TextError(line: cursor.number, problem: "more than \(TextLimits.treeLines) lines")
      }
      guard let line = parse(line: text) else {
        throw TextError(line: cursor.number, problem: "not a line of a tree: \(Shown.bytes(Array(text)))")
      }
      lines.append(line)
    }
    // Not `init(lines:)`: that would sort what must be sorted already.
    var tree = Tree(lines: [])
    tree.lines = lines
    guard try tree.text() == bytes else { throw TextError(line: 0, problem: "a tree that is not in canonical form") }
    return tree
  }

  private func check() throws(TextError) {
    guard lines.count <= TextLimits.treeLines else {
      throw TextError(line: 0, problem: "\(lines.count) lines, the limit is \(TextLimits.treeLines)")
    }
    var directories: Set<[UInt8]> = []
    var last: [UInt8] = []
    for (index, line) in lines.enumerated() {
      if let problem = Self.problem(line) { throw TextError(line: index + 1, problem: problem) }
      if index > 0 && !last.lexicographicallyPrecedes(line.path) {
        throw TextError(line: index + 1, problem: "paths that do not ascend: \(Shown.bytes(line.path))")
      }
      if let parent = PathText.parent(line.path), !directories.contains(parent) {
        throw TextError(line: index + 1, problem: "no directory \(Shown.bytes(parent)) before it")
      }
      if line.node == .directory { directories.insert(line.path) }
      last = line.path
    }
  }

  private static func problem(_ line: Line) -> String? {
    if let problem = PathText.problem(line.path) { return problem }
    switch line.node {
    case .directory: return nil
    case .file(_, let size, _): return size < TextLimits.fileSizeEnd ? nil : "a file of 2^40 bytes or more"
    case .link(let target): return PathText.targetProblem(target)
    }
  }

  private static func append(_ line: Line, to text: inout [UInt8]) {
    switch line.node {
    case .directory:
      text.append(contentsOf: [0x64, 0x20])
      PathText.append(line.path, to: &text)
    case .file(let content, let size, let isExecutable):
      text.append(contentsOf: [isExecutable ? 0x78 : 0x66, 0x20])
      text.append(contentsOf: Array("\(content.hex) \(size) ".utf8))
      PathText.append(line.path, to: &text)
    case .link(let target):
      text.append(contentsOf: [0x6c, 0x20])
      PathText.append(line.path, beforeArrow: true, to: &text)
      text.append(contentsOf: [0x20, 0x2d, 0x3e, 0x20])
      PathText.append(target, to: &text)
    }
    text.append(0x0a)
  }

  private static func parse(line: ArraySlice<UInt8>) -> Line? {
    guard line.count > 2, let type = line.first, line[line.startIndex + 1] == 0x20 else { return nil }
    let rest = line.dropFirst(2)
    switch type {
    case 0x64: return PathText.unescape(rest).map { Line(path: $0, node: .directory) }
    case 0x66, 0x78:
      let words = rest.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
      guard words.count == 3, let content = ContentID(hex: String(decoding: words[0], as: UTF8.self)),
        let size = UInt64(String(decoding: words[1], as: UTF8.self)), let path = PathText.unescape(words[2])
      else { return nil }
      return Line(path: path, node: .file(content, size: size, isExecutable: type == 0x78))
    case 0x6c:
      return PathText.splitLink(rest).map { Line(path: $0.path, node: .link(target: $0.target)) }
    default: return nil
    }
  }
}
