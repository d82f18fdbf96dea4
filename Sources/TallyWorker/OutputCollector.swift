// Owns: what a job left in /out, as manifest lines, a tree and blobs. Refuses to know: salts, claims.
// Called when no process of the job is left: nothing changes meanwhile, but everything was made by a hostile hand.

import CWorker
import Glibc
import TallyBase
import TallyWire
import TallyWork

/// All that is in /out.
public struct CollectedOutput: Hashable, Sendable {
  public var files: [Manifest.File] = []
  public var links: [Manifest.Link] = []
  public var directories: [[UInt8]] = []
  public var tree = Tree(lines: [])
  /// Paths of FIFOs, sockets and devices, which no manifest can hold.
  public var skipped: [[UInt8]] = []
}

public enum OutputCollector {
  /// Reads everything beneath `out`, and gives every file's bytes to `sink`. Throws `.limit` for more entries or bytes
  /// than a manifest or the job may have.
  public static func collect(
    _ out: Descriptor, bytesMax: UInt64, to sink: inout some BlobSink
  ) throws(WorkerFault) -> CollectedOutput {
    var walk = OutputWalk(bytesLeft: bytesMax)
    _ = fchmod(out.number, 0o700)
    try walk.add(out, parent: [], depth: 0, to: &sink)
    walk.output.tree = Tree(lines: walk.lines)
    return walk.output
  }
}

private struct OutputWalk {
  var output = CollectedOutput()
  var lines: [Tree.Line] = []
  var bytesLeft: UInt64

  init(bytesLeft: UInt64) { self.bytesLeft = bytesLeft }

  mutating func add(
    _ directory: Descriptor, parent: [UInt8], depth: Int, to sink: inout some BlobSink
  ) throws(WorkerFault) {
    guard depth < WorkerLimits.depthMax else {
      throw .limit(name: "directories deep", value: UInt64(WorkerLimits.depthMax))
    }
    for name in try SystemCall.names(in: directory) {
      let path = parent.isEmpty ? name : parent + [UInt8(ascii: "/")] + name
      if let problem = PathText.problem(path) { throw .unsafeTree(path: SystemCall.text(path), why: problem) }
      guard lines.count < TextLimits.manifestLines else {
        throw .limit(name: "entries of an output", value: UInt64(TextLimits.manifestLines))
      }
      let file = try SystemCall.look(name, in: directory)
      if Folders.isDirectory(file) {
        output.directories.append(path)
        lines.append(Tree.Line(path: path, node: .directory))
        let opened = try open(name, file, in: directory)
        try add(opened, parent: path, depth: depth + 1, to: &sink)
      } else if Folders.isLink(file) {
        let target = try SystemCall.linkTarget(name, in: directory)
        output.links.append(Manifest.Link(path: path, target: target))
        lines.append(Tree.Line(path: path, node: .link(target: target)))
      } else if Folders.isRegular(file) {
        try addFile(open(name, file, in: directory), file, path: path, to: &sink)
      } else {
        output.skipped.append(path)
      }
    }
  }

  private mutating func addFile(
    _ opened: Descriptor, _ file: worker_file, path: [UInt8], to sink: inout some BlobSink
  ) throws(WorkerFault) {
    // A sparse file has more bytes than its file system has room.
    guard file.size_bytes <= bytesLeft else { throw .limit(name: "bytes of the output", value: bytesLeft) }
    bytesLeft -= file.size_bytes
    var writer = BlobWriter()
    try writer.drain(opened, to: &sink)
    let (reference, sha256) = try writer.finish(to: &sink)
    let isExecutable = file.mode & 0o111 != 0
    output.files.append(Manifest.File(path: path, sha256: sha256, isExecutable: isExecutable))
    lines.append(
      Tree.Line(path: path, node: .file(reference.id, size: reference.size, isExecutable: isExecutable)))
  }

  /// A job may take its own read permission away; we are the owner, or root.
  private func open(_ name: [UInt8], _ file: worker_file, in directory: Descriptor) throws(WorkerFault) -> Descriptor {
    let needed: UInt32 = Folders.isDirectory(file) ? 0o700 : 0o400
    if file.mode & needed != needed {
      // Safe: the name ends with NUL. It is no link, and nobody is left who could make it one.
      let result = unsafe fchmodat(directory.number, SystemCall.name(name), mode_t(file.mode & 0o777 | needed), 0)
      try SystemCall.checkErrno(result, "fchmodat", name)
    }
    return Folders.isDirectory(file)
      ? try SystemCall.openDirectory(name, in: directory) : try SystemCall.openFile(name, in: directory)
  }
}
