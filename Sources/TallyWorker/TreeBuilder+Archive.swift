// Owns: the rules by which an archive's entries become a tree's: paths, kinds, hard links, OCI whiteouts.

import Glibc
import TallyWork

extension TreeBuilder {
  /// Adds all entries of the tar archive at `path` (plain, gzip, bzip2, xz or zstd).
  public mutating func add(archive path: String) throws(WorkerFault) { try add(archive: path, isLayer: false) }

  /// `isLayer`: OCI image layer, whose `.wh.` names take away what earlier layers brought.
  mutating func add(archive path: String, isLayer: Bool) throws(WorkerFault) {
    let reader = try ArchiveReader(path: path)
    while let entry = try reader.next() {
      guard let place = try Self.path(of: entry.path) else { continue }
      if isLayer, try whiteOut(place) { continue }
      if !wants(place) { continue }
      try add(entry, at: place, from: reader)
    }
  }

  private mutating func add(
    _ entry: ArchiveReader.Entry, at place: TreePath, from reader: ArchiveReader
  ) throws(WorkerFault) {
    if let earlier = entry.hardLink {
      guard let target = try Self.path(of: earlier) else {
        throw .unsafeTree(path: SystemCall.text(place.bytes), why: "a hard link to the archive's top")
      }
      return try addSame(place, as: target)
    }
    switch entry.mode & UInt32(S_IFMT) {
    case UInt32(S_IFDIR): try addDirectory(place)
    case UInt32(S_IFLNK): try addLink(place, target: entry.linkTarget ?? [])
    case UInt32(S_IFREG):
      try addFile(place, isExecutable: entry.mode & 0o111 != 0) { () throws(WorkerFault) in try reader.read() }
    default: skip(place.bytes, why: "neither file, directory nor link")
    }
  }

  /// `./a/b/` means `a/b`; the top itself is nil. Anything else that is not a plain relative path is refused, not
  /// repaired: an archive that says `/etc/passwd` or `../x` was not made for this.
  static func path(of text: [UInt8]) throws(WorkerFault) -> TreePath? {
    var parts = text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let isAbsolute = parts.count > 1 && parts[0].isEmpty
    parts = parts.filter { !$0.isEmpty && !$0.elementsEqual([UInt8(ascii: ".")]) }
    if !isAbsolute, parts.isEmpty { return nil }
    guard !isAbsolute, let path = TreePath(Array(parts.joined(separator: [UInt8(ascii: "/")]))) else {
      throw .unsafeTree(path: SystemCall.text(text), why: "not a path within the tree")
    }
    return path
  }

  /// OCI image-spec, layer.md "Whiteouts".
  private mutating func whiteOut(_ place: TreePath) throws(WorkerFault) -> Bool {
    guard let last = place.names.last, last.starts(with: ".wh.".utf8) else { return false }
    let parent = Array(place.names.dropLast().joined(separator: [UInt8(ascii: "/")]))
    if last.elementsEqual(".wh..wh..opq".utf8) {
      remove(parent, contentsOnly: true)
    } else {
      let name = Array(last.dropFirst(4))
      guard TreePath.isPlain(name) else {
        throw .unsafeTree(path: SystemCall.text(place.bytes), why: "a whiteout of nothing")
      }
      remove(parent.isEmpty ? name : parent + [UInt8(ascii: "/")] + name, contentsOnly: false)
    }
    return true
  }
}
