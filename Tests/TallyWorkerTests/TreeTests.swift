// Trees from directories, archives and image layouts, and back onto a disk: nothing leads out, in neither direction.

import CWorker
import Glibc
import TallyBase
import TallyWire
import TallyWork
import Testing

@testable import TallyWorker

@Suite(.serialized) struct TreeTests {
  private func write(_ bytes: [UInt8], to path: String) throws {
    let file = try Folders.create(
      Array(path.split(separator: "/").last!.utf8), mode: 0o644,
      in: SystemCall.openDirectory(path: "/" + path.split(separator: "/").dropLast().joined(separator: "/")))
    try SystemCall.write(bytes, to: file.number, path: path)
  }

  private func tree(of entries: [TarEntry], purpose: TreePurpose = .input) throws -> (Tree, MemoryBlobs) {
    let scratch = try Scratch("tar")
    try write(tar(entries), to: scratch.path + "/a.tar")
    var builder = TreeBuilder(purpose: purpose, sink: MemoryBlobs())
    try builder.add(archive: scratch.path + "/a.tar")
    return (builder.tree(), builder.sink)
  }

  private func names(_ tree: Tree) -> [String] { tree.lines.map { String(decoding: $0.path, as: UTF8.self) } }

  static let refused: [[TarEntry]] = [
    [TarEntry(name: "../outside")],
    [TarEntry(name: "a/../../outside")],
    [TarEntry(name: "/etc/passwd")],
    [TarEntry(name: "//etc/passwd")],
    [TarEntry(name: "..")],
    [TarEntry(name: "a", type: "2", link: "/etc"), TarEntry(name: "a/passwd")],
    [TarEntry(name: "a", type: "2", link: ".."), TarEntry(name: "a/b/c")],
    [TarEntry(name: "f"), TarEntry(name: "f/g")],
    [TarEntry(name: "hard", type: "1", link: "/etc/shadow")],
    [TarEntry(name: "hard", type: "1", link: "../../etc/shadow")],
    [TarEntry(name: "hard", type: "1", link: "later"), TarEntry(name: "later")],
    [TarEntry(name: "s", type: "2", link: "/etc/shadow"), TarEntry(name: "hard", type: "1", link: "s")],
    [TarEntry(name: "d", type: "5"), TarEntry(name: "hard", type: "1", link: "d")],
    [TarEntry(name: "empty", type: "2", link: "")],
  ]

  @Test(arguments: refused.indices) func a_nasty_archive_is_refused(index: Int) throws {
    let error = #expect(throws: WorkerFault.self) { _ = try tree(of: Self.refused[index]) }
    guard case .unsafeTree? = error else {
      Issue.record("case \(index): \(String(describing: error))")
      return
    }
  }

  @Test func what_is_no_archive_is_refused() throws {
    let scratch = try Scratch("no-tar")
    try write(Array("this is not a tar\n".utf8), to: scratch.path + "/a.tar")
    var builder = TreeBuilder(purpose: .input, sink: NoSink())
    #expect(throws: WorkerFault.self) { try builder.add(archive: scratch.path + "/a.tar") }
    #expect(throws: WorkerFault.self) { try builder.add(archive: scratch.path + "/missing.tar") }
  }

  @Test func an_archive_keeps_what_counts_and_no_more() throws {
    let (tree, blobs) = try tree(of: [
      TarEntry(name: "./", type: "5"), TarEntry(name: "./bin/su", mode: 0o6755, content: [1, 2, 3]),
      TarEntry(name: "dev-null", type: "3"), TarEntry(name: "pipe", type: "6"), TarEntry(name: "disk", type: "4"),
      TarEntry(name: "note", content: Array("hi".utf8)), TarEntry(name: "same", type: "1", link: "note"),
      TarEntry(name: "out", type: "2", link: "../../../../etc/passwd"), TarEntry(name: "dir/", type: "5", mode: 0o1777),
      TarEntry(name: "note", content: Array("ho".utf8)),
    ])
    #expect(names(tree) == ["bin", "bin/su", "dir", "note", "out", "same"])
    let text = String(decoding: try tree.text(), as: UTF8.self)
    #expect(text.contains("x ") && text.contains("l out -> ../../../../etc/passwd\n") && text.contains("d dir\n"))
    guard case .file(let id, 2, false) = tree.lines[3].node else {
      Issue.record("\(tree.lines[3])")
      return
    }
    #expect(blobs.blobs[id] == Array("ho".utf8), "the last of a name wins")
  }

  @Test func a_root_loses_the_machines_identity_and_gains_its_mount_points() throws {
    let (tree, _) = try tree(
      of: [
        TarEntry(name: "etc/hostname"), TarEntry(name: "etc/resolv.conf", type: "2", link: "/run/x"),
        TarEntry(name: "etc/machine-id"), TarEntry(name: "etc/passwd"), TarEntry(name: "tmp", type: "2", link: "/etc"),
        TarEntry(name: "out"), TarEntry(name: "dev/sda"), TarEntry(name: "in/old"),
      ], purpose: .root)
    #expect(names(tree) == ["build", "dev", "etc", "etc/passwd", "in", "out", "proc", "tmp"])
    #expect(tree.lines.filter { $0.node == .directory }.count == 7)
  }

  @Test func a_directory_goes_to_a_tree_and_back_without_a_change() throws {
    let scratch = try Scratch("round")
    let script = """
      cd '\(scratch.path)' && mkdir -p a/b empty && echo one > a/one
      printf '#!/bin/sh\\n' > a/b/run && chmod 4755 a/b/run
      head -c 200000 /dev/zero > zeros && : > nothing && ln -s ../../../etc/passwd a/link && ln -s /etc a/b/etc
      echo x > 'new
      line' && echo y > 'back\\slash' && mkfifo pipe && chmod 700 a && mkdir -p 'spaced -> name'
      """
    #expect(machine(["/bin/sh", "-c", script]) != nil)
    var builder = TreeBuilder(purpose: .input, sink: MemoryBlobs())
    try builder.add(directory: scratch.path)
    #expect(builder.skipped.map { $0.path } == [Array("pipe".utf8)])
    let (tree, reference) = try builder.finish()
    let text = try tree.text()
    var blobs = builder.sink
    #expect(blobs.blobs[reference.id] == text)
    #expect(try TreeUnpacker.fetch(reference.id, from: &blobs) == tree)

    let copy = scratch.path + "-copy"
    defer { _ = machine(["/bin/rm", "-rf", copy]) }
    let unpacker = TreeUnpacker(epoch: 315_532_800)
    try unpacker.unpack(tree, purpose: .input, at: copy, from: &blobs)
    var again = TreeBuilder(purpose: .input, sink: NoSink())
    try again.add(directory: copy)
    #expect(again.tree() == tree)
    let modes = machine(["/usr/bin/find", copy, "-printf", "%y %m %Ts\\n"])
    let kinds = Set(String(decoding: modes ?? [], as: UTF8.self).split(separator: "\n").map(String.init))
    #expect(kinds == ["d 755 315532800", "f 644 315532800", "f 755 315532800", "l 777 315532800"])
  }

  @Test func a_tree_that_lies_leaves_nothing_behind() throws {
    let scratch = try Scratch("lies")
    var blobs = MemoryBlobs()
    let good = blobs.put([1, 2, 3])
    let missing = ContentID(raw: Bytes32(word0: 1, word1: 2, word2: 3, word3: 4))
    let nodes: [(Tree.Node, Tree.Node?)] = [
      (.file(missing, size: 3, isExecutable: false), nil),
      (.file(good.id, size: 4, isExecutable: false), nil),
      (.file(good.id, size: 2, isExecutable: false), nil),
      // Through a link, were it not refused at every step.
      (.link(target: Array(scratch.path.utf8)), .file(good.id, size: 3, isExecutable: false)),
    ]
    for (node, beneath) in nodes {
      var lines = [Tree.Line(path: Array("a".utf8), node: node)]
      if let beneath { lines.append(Tree.Line(path: Array("a/b".utf8), node: beneath)) }
      let unpacker = TreeUnpacker(epoch: 0)
      #expect(throws: WorkerFault.self) {
        try unpacker.unpack(Tree(lines: lines), purpose: .input, at: scratch.path + "/t", from: &blobs)
      }
      #expect(try SystemCall.names(in: SystemCall.openDirectory(path: scratch.path)) == [])
    }
    for path in ["../x", "/x", "a//b", "a/./b", "", "a/\u{0}"] {
      let unpacker = TreeUnpacker(epoch: 0)
      let tree = Tree(lines: [Tree.Line(path: Array(path.utf8), node: .directory)])
      #expect(throws: WorkerFault.self) {
        try unpacker.unpack(tree, purpose: .input, at: scratch.path + "/t", from: &blobs)
      }
    }
    #expect(try SystemCall.names(in: SystemCall.openDirectory(path: scratch.path)) == [])
  }

  @Test func a_root_with_a_link_for_a_mount_point_is_refused() throws {
    let scratch = try Scratch("mount")
    var blobs = MemoryBlobs()
    let tree = Tree(lines: [Tree.Line(path: Array("out".utf8), node: .link(target: Array("/etc".utf8)))])
    let unpacker = TreeUnpacker(epoch: 0)
    #expect(throws: WorkerFault.self) {
      try unpacker.unpack(tree, purpose: .root, at: scratch.path + "/t", from: &blobs)
    }
  }

  @Test func the_cache_keeps_what_was_used_last_and_what_is_in_use() throws {
    let scratch = try Scratch("cache")
    var blobs = MemoryBlobs()
    var ids: [ContentID] = []
    for number in 0..<3 {
      let file = blobs.put([UInt8](repeating: UInt8(number), count: 1000))
      let line = Tree.Line(path: [0x61], node: .file(file.id, size: 1000, isExecutable: false))
      ids.append(blobs.put(try Tree(lines: [line]).text()).id)
    }
    // Room for two: each counts 1,000 bytes and 4,096 for its one line.
    var cache = try RootCache(directory: scratch.path, bytesMax: 11_000)
    let first = try cache.acquire(ids[0], from: &blobs)
    _ = try cache.acquire(ids[1], from: &blobs)
    cache.release(ids[1])
    _ = try cache.acquire(ids[2], from: &blobs)
    #expect(cache.held == [ids[0], ids[2]], "the first is in use, so the second went")
    #expect(throws: WorkerFault.self) { _ = try cache.acquire(ids[1], from: &blobs) }
    cache.release(ids[0])
    var nothing = MemoryBlobs()
    #expect(try cache.acquire(ids[0], from: &nothing) == first, "held: nothing is fetched")
    cache.release(ids[0])
    var restarted = try RootCache(directory: scratch.path, bytesMax: 11_000)
    #expect(Set(restarted.held) == [ids[0], ids[2]])
    _ = try restarted.acquire(ids[2], from: &nothing)
    #expect(throws: WorkerFault.self) { _ = try restarted.acquire(ids[1], from: &nothing) }
    #expect(try SystemCall.names(in: SystemCall.openDirectory(path: scratch.path)).count <= 2)
  }
}
