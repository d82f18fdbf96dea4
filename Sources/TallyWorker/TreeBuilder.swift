// Owns: building a Tree from a directory, tar archives or an OCI layout, by the rules for roots of DESIGN 10.
// Refuses to know: where blobs are kept. Nothing is written to this machine's file systems here, so an archive cannot
// lead anywhere: paths are keys of a table, and what lies beneath a link is refused.

import Glibc
import TallyBase
import TallyWire
import TallyWork

/// What a tree is for.
public enum TreePurpose: Hashable, Sendable {
  /// A root: this machine's own files are dropped and the mount points added.
  case root
  /// An input: everything as it is.
  case input
}

/// Gathers entries; the last of a path wins, as in tar.
public struct TreeBuilder<Sink: BlobSink> {
  public private(set) var sink: Sink
  private let purpose: TreePurpose
  private var nodes: [[UInt8]: Tree.Node] = [:]
  private var bytesTotal: UInt64 = 0
  /// Paths that were left out, and why: devices, FIFOs, sockets.
  public private(set) var skipped: [(path: [UInt8], why: String)] = []

  public init(purpose: TreePurpose, sink: Sink) {
    self.purpose = purpose
    self.sink = sink
  }

  /// The tree of all that was added.
  public func tree() -> Tree {
    var kept = nodes
    if purpose == .root {
      for path in RootRules.dropped { kept[path] = nil }
      for name in RootRules.mountPoints { kept[name] = .directory }
    }
    return Tree(lines: kept.map { Tree.Line(path: $0.key, node: $0.value) })
  }

  /// Stores the tree's text too, and names it.
  public mutating func finish() throws(WorkerFault) -> (tree: Tree, reference: BlobReference) {
    let tree = tree()
    let text: [UInt8]
    do { text = try tree.text() } catch { throw .unsafeTree(path: "", why: "\(error)") }
    var writer = BlobWriter()
    return (tree, try writer.whole(text, to: &sink))
  }

  // MARK: What archives and directories call

  /// Whether entries at `path` go into the tree at all: for a root nothing beneath a mount point does.
  func wants(_ path: TreePath) -> Bool {
    guard purpose == .root, let first = path.names.first else { return true }
    return !RootRules.mountPoints.contains(first) && !RootRules.dropped.contains(path.bytes)
  }

  mutating func addDirectory(_ path: TreePath) throws(WorkerFault) {
    try prepare(path)
    if nodes[path.bytes] == .directory { return }
    try put(path, .directory)
  }

  mutating func addLink(_ path: TreePath, target: [UInt8]) throws(WorkerFault) {
    try prepare(path)
    guard !target.isEmpty, target.count <= WorkerLimits.pathBytesMax, !target.contains(0) else {
      throw .unsafeTree(path: SystemCall.text(path.bytes), why: "a link to nothing, or to too long a path")
    }
    try put(path, .link(target: target))
  }

  /// `next` gives the file's bytes piece by piece, empty at the end.
  mutating func addFile(
    _ path: TreePath, isExecutable: Bool, next: () throws(WorkerFault) -> [UInt8]
  ) throws(WorkerFault) {
    try prepare(path)
    var writer = BlobWriter()
    while true {
      let bytes = try next()
      if bytes.isEmpty { break }
      let (sum, overflow) = bytesTotal.addingReportingOverflow(UInt64(bytes.count))
      guard !overflow, sum <= WorkerLimits.unpackedBytesMax else {
        throw .limit(name: "unpacked bytes", value: WorkerLimits.unpackedBytesMax)
      }
      bytesTotal = sum
      try writer.add(bytes, to: &sink)
    }
    let reference = try writer.finish(to: &sink).reference
    try put(path, .file(reference.id, size: reference.size, isExecutable: isExecutable))
  }

  /// A hard link: the same file again.
  mutating func addSame(_ path: TreePath, as earlier: TreePath) throws(WorkerFault) {
    guard case .file(let id, let size, let isExecutable)? = nodes[earlier.bytes] else {
      let why = "a hard link to \(SystemCall.text(earlier.bytes)), which is no file before it"
      throw .unsafeTree(path: SystemCall.text(path.bytes), why: why)
    }
    try prepare(path)
    try put(path, .file(id, size: size, isExecutable: isExecutable))
  }

  mutating func skip(_ path: [UInt8], why: String) {
    if skipped.count < 1000 { skipped.append((path, why)) }
  }

  /// OCI: `path` and all beneath it are gone; `contentsOnly` keeps the directory itself.
  mutating func remove(_ path: [UInt8], contentsOnly: Bool) {
    let prefix = path.isEmpty ? [] : path + [UInt8(ascii: "/")]
    for key in nodes.keys.filter({ $0.starts(with: prefix) }) { nodes[key] = nil }
    if !contentsOnly { nodes[path] = nil }
  }

  /// Directories on the way are made; a link or file on the way is refused, since tar would write through it.
  private mutating func prepare(_ path: TreePath) throws(WorkerFault) {
    var parent: [UInt8] = []
    for name in path.names.dropLast() {
      parent = parent.isEmpty ? name : parent + [UInt8(ascii: "/")] + name
      switch nodes[parent] {
      case .directory: continue
      case nil: try put(parent, .directory)
      default:
        throw .unsafeTree(
          path: SystemCall.text(path.bytes), why: "lies beneath \(SystemCall.text(parent)), which is not a directory")
      }
    }
  }

  private mutating func put(_ path: TreePath, _ node: Tree.Node) throws(WorkerFault) { try put(path.bytes, node) }

  private mutating func put(_ path: [UInt8], _ node: Tree.Node) throws(WorkerFault) {
    if nodes[path] == .directory, node != .directory { remove(path, contentsOnly: false) }
    nodes[path] = node
    guard nodes.count <= TextLimits.treeLines else {
      throw .limit(name: "entries of a tree", value: UInt64(TextLimits.treeLines))
    }
  }
}

/// The rules for roots of DESIGN 10.
enum RootRules {
  static let mountPoints = SandboxCommand.mountPoints.map { Array($0.utf8) }
  /// A machine's identity: not the root's.
  static let dropped = ["etc/hostname", "etc/resolv.conf", "etc/machine-id"].map { Array($0.utf8) }
}
