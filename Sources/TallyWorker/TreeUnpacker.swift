// Owns: writing a Tree into a directory, by descriptors, through no link. Refuses to know: caches and jobs.

import CWorker
import Glibc
import TallyBase
import TallyWork

/// Unpacks trees that peers made. What a tree says is checked again by the calls that write: every step is taken with
/// O_NOFOLLOW, every file is created anew.
public struct TreeUnpacker {
  /// Seconds since 1970 that every file, link and directory gets.
  public let epoch: Int64

  public init(epoch: Int64) { self.epoch = epoch }

  /// Reads the tree's text.
  public static func fetch(_ id: ContentID, from source: inout some BlobSource) throws(WorkerFault) -> Tree {
    let text = try BlobReading.whole(id, from: &source, sizeMax: UInt64(TextLimits.treeBytes))
    do { return try Tree.parse(text) } catch { throw .blob(why: "\(id.hex) is not a tree: \(error)") }
  }

  /// Writes `tree` beneath `path`, which must not exist. Throws and removes it all when anything is wrong.
  public func unpack(
    _ tree: Tree, purpose: TreePurpose, at path: String, from source: inout some BlobSource
  ) throws(WorkerFault) {
    guard tree.totalSize <= WorkerLimits.unpackedBytesMax else {
      throw .limit(name: "unpacked bytes", value: WorkerLimits.unpackedBytesMax)
    }
    // Safe: the name ends with NUL.
    try SystemCall.checkErrno(unsafe mkdir(SystemCall.name(path), 0o755), "mkdir", path.utf8)
    do {
      let top = try SystemCall.openDirectory(path: path)
      try SystemCall.checkErrno(fchmod(top.number, 0o755), "fchmod", path.utf8)
      for line in tree.lines { try write(line, in: top, from: &source) }
      if purpose == .root { try addMountPoints(top) }
      // Last, since every entry made changes its directory's time; deepest first changes nothing more.
      for line in tree.lines.reversed() { try setTime(line.path, in: top) }
      if purpose == .root { for name in RootRules.mountPoints { try setTime(name, in: top) } }
      try setTopTime(top)
    } catch {
      try Folders.remove(path)
      throw error
    }
  }

  private func write(
    _ line: Tree.Line, in top: Descriptor, from source: inout some BlobSource
  ) throws(WorkerFault) {
    let (directory, name) = try parent(of: line.path, in: top)
    switch line.node {
    case .directory:
      _ = try Folders.makeNew(name, in: directory)
    case .link(let target):
      // Safe: both names end with NUL.
      let result = unsafe symlinkat(SystemCall.name(target), directory.number, SystemCall.name(name))
      try SystemCall.checkErrno(result, "symlinkat", line.path)
    case .file(let id, let size, let isExecutable):
      // Safe: the name ends with NUL.
      let number = unsafe worker_create_file(directory.number, SystemCall.name(name), isExecutable ? 0o755 : 0o644)
      let file = Descriptor(try SystemCall.check(number, "openat", line.path))
      var reading = BlobReading(id)
      try reading.read(from: &source, size: size, sizeMax: WorkerLimits.unpackedBytesMax) { leaf throws(WorkerFault) in
        try SystemCall.write(leaf, to: file.number, path: SystemCall.text(line.path))
      }
    }
  }

  private func parent(of path: [UInt8], in top: Descriptor) throws(WorkerFault) -> (Descriptor, [UInt8]) {
    guard let parts = TreePath(path), let name = parts.names.last else {
      throw .unsafeTree(path: SystemCall.text(path), why: "not a path within the tree, or too deep")
    }
    var directory = top
    for step in parts.names.dropLast() { directory = try SystemCall.openDirectory(step, in: directory) }
    return (directory, name)
  }

  /// A root that lacks a mount point gets it; one where it is a link or file cannot be used.
  private func addMountPoints(_ top: Descriptor) throws(WorkerFault) {
    for name in RootRules.mountPoints { _ = try Folders.descend([name], in: top) }
  }

  private func setTime(_ path: [UInt8], in top: Descriptor) throws(WorkerFault) {
    let (directory, name) = try parent(of: path, in: top)
    // Safe: the name ends with NUL.
    try SystemCall.check(unsafe worker_set_time(directory.number, SystemCall.name(name), epoch), "utimensat", path)
  }

  private func setTopTime(_ top: Descriptor) throws(WorkerFault) {
    // Safe: the name ends with NUL.
    try SystemCall.check(unsafe worker_set_time(top.number, SystemCall.name("."), epoch), "utimensat", ".".utf8)
  }

  /// Writes one file input.
  public func unpackFile(
    _ id: ContentID, sha256: Digest, at path: String, from source: inout some BlobSource
  ) throws(WorkerFault) {
    // Safe: the name ends with NUL; AT_FDCWD stands for the current directory.
    let number = unsafe worker_create_file(AT_FDCWD, SystemCall.name(path), 0o644)
    let file = Descriptor(try SystemCall.check(number, "open", path.utf8))
    var hash = BlobWriter()
    var nowhere = NoSink()
    var reading = BlobReading(id)
    try reading.read(from: &source, sizeMax: WorkerLimits.unpackedBytesMax) { leaf throws(WorkerFault) in
      try hash.add(leaf, to: &nowhere)
      try SystemCall.write(leaf, to: file.number, path: path)
    }
    guard try hash.finish(to: &nowhere).sha256 == sha256 else {
      throw .blob(why: "the file \(id.hex) has another SHA-256 than the work says")
    }
    // Safe: as above.
    try SystemCall.check(unsafe worker_set_time(AT_FDCWD, SystemCall.name(path), epoch), "utimensat", path.utf8)
  }
}
