// Manifests and trees: exact texts, what sha256sum itself says of them, escapes, refusals, limits.
import Foundation
import TallyBase
import TallyCrypto
import Testing

@testable import TallyWork

struct ManifestTests {
  static let work = Digest(raw: Bytes32([UInt8](repeating: 0x11, count: 32))!)
  static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
  static func sum(_ text: String) -> Digest { SHA256Hash.hash(bytes(text)) }

  static let contents: [(String, String)] = [
    ("plain", "one\n"), ("sub/with space", "two"), ("new\nline", "three"), ("back\\slash", "four"),
    ("car\rriage", "five"), ("sub/a -> b", "six"), (" leading", "seven"), ("#hash", ""),
  ]

  static let manifest = Manifest(
    workHash: work, index: 3, exit: -9,
    files: contents.map { Manifest.File(path: bytes($0.0), sha256: sum($0.1), isExecutable: $0.0 == "plain") },
    links: [
      Manifest.Link(path: bytes("l"), target: bytes("../etc/x -> y\\z")),
      Manifest.Link(path: bytes("odd -> name ->"), target: bytes("-> t")),
    ],
    directories: [bytes("sub"), bytes("sub/empty\n")])

  @Test func the_text_is_exactly_this() throws {
    let small = Manifest(
      workHash: Self.work, index: 0, exit: 0, stdout: Self.sum("out"),
      files: [
        Manifest.File(path: Self.bytes("d/x"), sha256: Self.sum("x"), isExecutable: true),
        Manifest.File(path: Self.bytes("a\\b\nc"), sha256: Self.sum("y"), isExecutable: false),
      ],
      links: [Manifest.Link(path: Self.bytes("a -> b"), target: Self.bytes("t"))], directories: [Self.bytes("d")])
    let expected = """
      # tally-manifest/1 work=\(Self.work.hex) index=0 exit=0
      # This is what running that work gave on my machine. It does not say that the work is what you want.
      # stdout \(Self.sum("out").hex)
      # exec d/x
      # link a\\ -> b -> t
      # dir d
      \\\(Self.sum("y").hex)  a\\\\b\\nc
      \(Self.sum("x").hex)  d/x

      """
    #expect(String(decoding: try small.text(), as: UTF8.self) == expected)
    #expect(try Manifest.parse(try small.text()) == small)
  }

  @Test func an_empty_output_has_two_lines() throws {
    let empty = Manifest(workHash: Self.work, index: 0, exit: 1)
    let text = try empty.text()
    #expect(text.split(separator: 10).count == 2 && text.last == 10)
    #expect(empty.isEmpty)
    #expect(try Manifest.parse(text) == empty)
  }

  @Test func what_is_written_is_read_back_and_the_digest_is_salted() throws {
    let text = try Self.manifest.text()
    #expect(try Manifest.parse(text) == Self.manifest)
    let salt = Bytes32([UInt8](repeating: 5, count: 32))!
    #expect(Manifest.digest(salt: salt, text: text) == SHA256Hash.hash(salt.bytes + text))
  }

  /// GNU coreutils writes the same lines for the same files, and `-c` accepts ours.
  @Test func sha256sum_itself_accepts_it() throws {
    let tool = "/usr/bin/sha256sum"
    guard FileManager.default.isExecutableFile(atPath: tool) else {
      print("SKIP sha256sum: not at \(tool)")
      return
    }
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("tally-manifest-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("sub"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in Self.contents {
      try Data(text.utf8).write(to: folder.appendingPathComponent(name))
    }
    let listFile = folder.appendingPathComponent("MANIFEST")
    try Data(try Self.manifest.text()).write(to: listFile)
    let check = try run(tool, ["--strict", "--quiet", "-c", "MANIFEST"], in: folder)
    #expect(check.status == 0, "\(check.output)")
    try Data("changed".utf8).write(to: folder.appendingPathComponent("new\nline"))
    #expect(try run(tool, ["--strict", "--quiet", "-c", "MANIFEST"], in: folder).status == 1)
    let names = Self.manifest.files.map { String(decoding: $0.path, as: UTF8.self) }
    try Data("three".utf8).write(to: folder.appendingPathComponent("new\nline"))
    let theirs = try run(tool, ["--"] + names, in: folder).output
    let ours = String(decoding: try Self.manifest.text(), as: UTF8.self).split(separator: "\n")
      .filter { !$0.hasPrefix("# ") }.joined(separator: "\n")
    #expect(theirs == ours + "\n")
  }

  private func run(_ tool: String, _ arguments: [String], in folder: URL) throws -> (status: Int32, output: String) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  @Test func every_changed_byte_is_refused_or_is_another_manifest_in_its_one_form() throws {
    let text = try Self.manifest.text()
    var generator = Generator(seed: .zero, stream: 3)
    for position in text.indices {
      for _ in 0..<4 {
        var changed = text
        changed[position] ^= UInt8(1 + generator.below(255))
        if let other = try? Manifest.parse(changed) {
          #expect(other != Self.manifest)
          #expect(try other.text() == changed)
        }
      }
    }
    for count in 0..<text.count { #expect((try? Manifest.parse(Array(text.prefix(count)))) != Self.manifest) }
  }

  @Test(arguments: ["", "/a", "a//b", "a/", "../a", "a/../b", ".", "a/./b", "nul\0", String(repeating: "x", count: 256)])
  func unsafe_paths_are_refused(path: String) {
    let file = Manifest(
      workHash: Self.work, index: 0, exit: 0,
      files: [Manifest.File(path: Self.bytes(path), sha256: Self.work, isExecutable: false)])
    #expect(throws: TextError.self) { _ = try file.text() }
    let tree = Tree(lines: [Tree.Line(path: Self.bytes(path), node: .directory)])
    #expect(throws: TextError.self) { _ = try tree.text() }
  }

  @Test func doubled_paths_and_missing_directories_are_refused() {
    func file(_ path: String) -> Manifest.File {
      Manifest.File(path: Self.bytes(path), sha256: Self.work, isExecutable: false)
    }
    let doubled = Manifest(workHash: Self.work, index: 0, exit: 0, files: [file("a"), file("a")])
    #expect(throws: TextError.self) { _ = try doubled.text() }
    let both = Manifest(workHash: Self.work, index: 0, exit: 0, files: [file("a")], directories: [Self.bytes("a")])
    #expect(throws: TextError.self) { _ = try both.text() }
    let orphan = Manifest(workHash: Self.work, index: 0, exit: 0, files: [file("a/b")])
    #expect(throws: TextError.self) { _ = try orphan.text() }
  }

  @Test func long_paths_and_many_lines_hit_their_limits() {
    let part = String(repeating: "x", count: 255)
    let path = (0..<17).map { _ in part }.joined(separator: "/")
    #expect(PathText.problem(Self.bytes(path))?.contains("4096") == true)
    let names = (0...TextLimits.manifestLines).map { Self.bytes("d\($0)") }
    let many = Manifest(workHash: Self.work, index: 0, exit: 0, directories: names)
    #expect(throws: TextError.self) { _ = try many.text() }
    #expect(throws: TextError.self) {
      _ = try Manifest.parse([UInt8](repeating: 10, count: TextLimits.manifestBytes + 1))
    }
    #expect(throws: TextError.self) { _ = try Tree.parse([UInt8](repeating: 10, count: TextLimits.treeBytes + 1)) }
  }
}

struct TreeTests {
  static let content = ContentID(raw: Bytes32([UInt8](repeating: 0x22, count: 32))!)
  static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  static let tree = Tree(lines: [
    Tree.Line(path: bytes("usr/bin/sh"), node: .link(target: bytes("/bin/../dash\n"))),
    Tree.Line(path: bytes("usr"), node: .directory),
    Tree.Line(path: bytes("usr/bin"), node: .directory),
    Tree.Line(path: bytes("usr/bin/dash"), node: .file(content, size: 1_099_511_627_775, isExecutable: true)),
    Tree.Line(path: bytes("usr-x"), node: .file(content, size: 0, isExecutable: false)),
    Tree.Line(path: bytes("a\\ \n -> b"), node: .link(target: bytes("x -> y"))),
  ])

  @Test func the_text_is_exactly_this_and_is_read_back() throws {
    let cid = Self.content.hex
    let expected = """
      l a\\\\ \\n\\ -> b -> x -> y
      d usr
      f \(cid) 0 usr-x
      d usr/bin
      x \(cid) 1099511627775 usr/bin/dash
      l usr/bin/sh -> /bin/../dash\\n

      """
    let text = try Self.tree.text()
    #expect(String(decoding: text, as: UTF8.self) == expected)
    #expect(try Tree.parse(text) == Self.tree)
    #expect(Self.tree.totalSize == 1_099_511_627_775)
    #expect(try Tree.parse([]) == Tree(lines: []))
  }

  @Test func other_spellings_are_refused() {
    let cid = Self.content.hex
    for text in [
      "d b\nd a\n", "d a\nd a\n", "d a", "f \(cid) 01 a\n", "f \(cid) +1 a\n", "f \(cid) 1099511627776 a\n",
      "f \(String(repeating: "AB", count: 32)) 1 a\n", "q a\n", "l a\n", "l a -> \n", "d a\\x\n", "d a/b\n", "f \(cid) 1 a\nd a/b\n",
      "d ..\n", "d /a\n", "l a\\ b -> c\n", "d \n", "\n",
    ] {
      #expect(throws: TextError.self, "\(text)") { _ = try Tree.parse(Self.bytes(text)) }
    }
  }

  @Test func every_changed_byte_is_refused_or_is_another_tree_in_its_one_form() throws {
    let text = try Self.tree.text()
    for position in text.indices {
      for bit in 0..<8 {
        var changed = text
        changed[position] ^= UInt8(1 << bit)
        if let other = try? Tree.parse(changed) { #expect(try other.text() == changed && other != Self.tree) }
      }
    }
  }
}
