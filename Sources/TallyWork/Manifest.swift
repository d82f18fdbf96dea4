// Owns: what is compared and signed of a result: a valid SHA256SUMS file with comments. DESIGN section 10.
// Refuses to know: where the files are. PROTOCOL.md, chapter "Work", gives the lines.

import TallyBase
import TallyCrypto

public struct Manifest: Hashable, Sendable {
  public struct File: Hashable, Sendable {
    public var path: [UInt8]
    /// SHA-256 of the file's bytes, as sha256sum prints it.
    public var sha256: Digest
    public var isExecutable: Bool
    public init(path: [UInt8], sha256: Digest, isExecutable: Bool) {
      self.path = path
      self.sha256 = sha256
      self.isExecutable = isExecutable
    }
  }

  public struct Link: Hashable, Sendable {
    public var path: [UInt8]
    public var target: [UInt8]
    public init(path: [UInt8], target: [UInt8]) {
      self.path = path
      self.target = target
    }
  }

  public var workHash: Digest
  /// The task's index in its post.
  public var index: UInt32
  /// 0 … 255, or minus the signal's number.
  public var exit: Int32
  /// SHA-256 of standard output; only when the terms agree on it too.
  public var stdout: Digest?
  /// Each sorted by the bytes of its path.
  public var files: [File]
  public var links: [Link]
  public var directories: [[UInt8]]

  static let sentence =
    "# This is what running that work gave on my machine. It does not say that the work is what you want."

  /// Sorts; `text` checks.
  public init(
    workHash: Digest, index: UInt32, exit: Int32, stdout: Digest? = nil, files: [File] = [], links: [Link] = [],
    directories: [[UInt8]] = []
  ) {
    self.workHash = workHash
    self.index = index
    self.exit = exit
    self.stdout = stdout
    self.files = files.sorted { $0.path.lexicographicallyPrecedes($1.path) }
    self.links = links.sorted { $0.path.lexicographicallyPrecedes($1.path) }
    self.directories = directories.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// SHA-256(task salt ‖ text): what a claim holds.
  public static func digest(salt: Bytes32, text: [UInt8]) -> Digest {
    WorkHash.claimDigest(salt: salt, manifest: text)
  }

  /// True when `/out` held nothing at all; then people read `no files`.
  public var isEmpty: Bool { files.isEmpty && links.isEmpty && directories.isEmpty }

  /// The canonical text. Throws for unsafe, doubled or unsorted paths, a missing parent directory, or a limit.
  public func text() throws(TextError) -> [UInt8] {
    try check()
    var text = Array("# tally-manifest/1 work=\(workHash.hex) index=\(index) exit=\(exit)\n\(Self.sentence)\n".utf8)
    if let stdout { text.append(contentsOf: Array("# stdout \(stdout.hex)\n".utf8)) }
    for file in files where file.isExecutable {
      text.append(contentsOf: Array("# exec ".utf8))
      PathText.append(file.path, to: &text)
      text.append(0x0a)
    }
    for link in links {
      text.append(contentsOf: Array("# link ".utf8))
      PathText.append(link.path, beforeArrow: true, to: &text)
      text.append(contentsOf: Array(" -> ".utf8))
      PathText.append(link.target, to: &text)
      text.append(0x0a)
    }
    for directory in directories {
      text.append(contentsOf: Array("# dir ".utf8))
      PathText.append(directory, to: &text)
      text.append(0x0a)
    }
    for file in files {
      if PathText.needsEscape(file.path) { text.append(0x5c) }
      text.append(contentsOf: Array("\(file.sha256.hex)  ".utf8))
      PathText.append(file.path, to: &text)
      text.append(0x0a)
    }
    guard text.count <= TextLimits.manifestBytes else {
      throw TextError(line: 0, problem: "a manifest of \(text.count) bytes, the limit is \(TextLimits.manifestBytes)")
    }
    return text
  }

  private func check() throws(TextError) {
    let count = files.count + links.count + directories.count
    guard count <= TextLimits.manifestLines else {
      throw TextError(line: 0, problem: "\(count) paths, the limit is \(TextLimits.manifestLines)")
    }
    try Self.checkOrder(files.map(\.path))
    try Self.checkOrder(links.map(\.path))
    try Self.checkOrder(directories)
    for link in links {
      if let problem = PathText.targetProblem(link.target) { throw TextError(line: 0, problem: problem) }
    }
    let known = Set(directories)
    var seen = known
    for path in directories + files.map(\.path) + links.map(\.path) {
      if let parent = PathText.parent(path), !known.contains(parent) {
        throw TextError(line: 0, problem: "\(Shown.bytes(path)) without its directory")
      }
    }
    for path in files.map(\.path) + links.map(\.path) where !seen.insert(path).inserted {
      throw TextError(line: 0, problem: "\(Shown.bytes(path)) twice")
    }
  }

  private static func checkOrder(_ paths: [[UInt8]]) throws(TextError) {
    for (index, path) in paths.enumerated() {
      if let problem = PathText.problem(path) {
        throw TextError(line: 0, problem: "\(problem): \(Shown.bytes(path))")
      }
      if index > 0 && !paths[index - 1].lexicographicallyPrecedes(path) {
        throw TextError(line: 0, problem: "paths that do not ascend: \(Shown.bytes(path))")
      }
    }
  }
}
