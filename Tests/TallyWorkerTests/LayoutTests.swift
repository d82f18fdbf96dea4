// OCI image layouts: layers over one another, whiteouts, digests that lie.

import Glibc
import TallyBase
import TallyCrypto
import TallyWork
import Testing

@testable import TallyWorker

@Suite struct LayoutTests {
  /// Writes a layout of `layers`; returns its directory.
  private func layout(_ scratch: Scratch, _ layers: [[TarEntry]], architecture: String) throws -> String {
    let top = try SystemCall.openDirectory(path: scratch.path)
    let blobs = try Folders.descend([Array("blobs".utf8), Array("sha256".utf8)], in: top)
    func put(_ bytes: [UInt8]) throws -> String {
      let digest = SHA256Hash.hash(bytes).hex
      let file = try Folders.create(Array(digest.utf8), mode: 0o644, in: blobs)
      try SystemCall.write(bytes, to: file.number, path: digest)
      return "\"digest\": \"sha256:\(digest)\""
    }
    var listed: [String] = []
    for layer in layers { listed.append("{\(try put(tar(layer))), \"size\": 1.5e3, \"annotations\": {\"a\\\"\": null}}") }
    let manifest = try put(Array("{\"schemaVersion\": 2, \"layers\": [\(listed.joined(separator: ","))]}".utf8))
    let inner = try put(
      Array("{\"manifests\": [{\(manifest), \"platform\": {\"architecture\": \"\(architecture)\"}}]}".utf8))
    for (name, text) in [("index.json", "{\"manifests\":[{\(inner)}]}"), ("oci-layout", "{}")] {
      let file = try Folders.create(Array(name.utf8), mode: 0o644, in: top)
      try SystemCall.write(Array(text.utf8), to: file.number, path: name)
    }
    return scratch.path
  }

  private let here = TaskRunner.architecture == "x86_64" ? "amd64" : "arm64"

  @Test func later_layers_add_replace_and_take_away() throws {
    let scratch = try Scratch("oci")
    let path = try layout(
      scratch,
      [
        [
          TarEntry(name: "a/old", content: [1]), TarEntry(name: "a/kept"), TarEntry(name: "gone/x"),
          TarEntry(name: "b/one"), TarEntry(name: "was-dir/f"),
        ],
        [
          TarEntry(name: "a/old", content: [2, 2]), TarEntry(name: ".wh.gone"), TarEntry(name: "b/.wh..wh..opq"),
          TarEntry(name: "b/two"), TarEntry(name: "was-dir"),
        ],
      ], architecture: here)
    var builder = TreeBuilder(purpose: .input, sink: NoSink())
    try builder.add(path: path)
    let tree = builder.tree()
    #expect(tree.lines.map { String(decoding: $0.path, as: UTF8.self) } == ["a", "a/kept", "a/old", "b", "b/two", "was-dir"])
    guard case .file(_, 2, false) = tree.lines[2].node else {
      Issue.record("\(tree.lines[2])")
      return
    }
  }

  @Test(arguments: [".wh...", ".wh..", ".wh."]) func a_whiteout_of_nothing_is_refused(name: String) throws {
    let scratch = try Scratch("oci-wh")
    var builder = TreeBuilder(purpose: .input, sink: NoSink())
    let path = try layout(scratch, [[TarEntry(name: "a/" + name)]], architecture: here)
    #expect(throws: WorkerFault.self) { try builder.add(path: path) }
  }

  @Test func another_machines_image_and_a_layer_that_was_changed_are_refused() throws {
    let other = try Scratch("oci-other")
    var builder = TreeBuilder(purpose: .input, sink: NoSink())
    let foreign = try layout(other, [[TarEntry(name: "f")]], architecture: "s390x")
    #expect(throws: WorkerFault.self) { try builder.add(path: foreign) }
    let scratch = try Scratch("oci-changed")
    let path = try layout(scratch, [[TarEntry(name: "f")]], architecture: here)
    let digest = SHA256Hash.hash(tar([TarEntry(name: "f")])).hex
    let file = try SystemCall.openControl(path: "\(path)/blobs/sha256/\(digest)")
    try SystemCall.write([0x67], to: file.number, path: digest)
    #expect(throws: WorkerFault.self) { try builder.add(path: path) }
  }

  @Test(arguments: ["", "{", "{\"a\":}", "[1,]", "\"\\", "{} x", String(repeating: "[", count: 100)])
  func what_is_no_json_is_refused(text: String) {
    #expect(SimpleJSON.parse(Array(text.utf8)) == nil)
  }
}
