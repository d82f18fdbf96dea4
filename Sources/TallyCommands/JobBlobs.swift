// Owns: turning files and directories of this machine into blobs of the daemon, and back.
// Refuses to know: jobs. Small blobs that the daemon has already are not sent again.
import Glibc
import TallyAdmin
import TallyBase
import TallyWire
import TallyWork
import TallyWorker

/// Takes leaves and hands them to the daemon.
struct ClientBlobs: BlobSink {
  static let window = 8
  private let client: AdminClient
  private var held: [UInt8]?
  private var staging: UInt64?
  private var sent: [AdminClient.Ticket] = []
  private var known: Set<ContentID> = []
  private(set) var bytesSent: UInt64 = 0

  init(_ client: AdminClient) { self.client = client }

  mutating func leaf(_ bytes: [UInt8]) throws(WorkerFault) {
    do throws(ClientError) {
      if let first = held {
        held = nil
        try put(first)
        try put(bytes)
      } else if staging == nil {
        held = bytes
      } else {
        try put(bytes)
      }
    } catch { throw .blob(why: error.what) }
  }

  private mutating func put(_ leaf: [UInt8]) throws(ClientError) {
    if staging == nil { try open() }
    guard let number = staging else { preconditionFailure("a leaf without an upload") }
    if sent.count == Self.window { _ = try client.finish(sent.removeFirst(), as: Done.self) }
    sent.append(try client.begin("blob.put", BlobPutParams(staging: number, data: leaf)))
    bytesSent += UInt64(leaf.count)
  }

  mutating func finish(_ reference: BlobReference) throws(WorkerFault) {
    do throws(ClientError) {
      defer { held = nil }
      if staging == nil {
        if known.contains(reference.id) { return }
        let there = try client.call("blob.stat", BlobParams(cid: reference.id.hex), as: BlobStatResult.self)
        known.insert(reference.id)
        if there.complete { return }
        if let held { try put(held) } else { try open() }
      }
      guard let number = staging else { preconditionFailure("a blob without an upload") }
      for ticket in sent { _ = try client.finish(ticket, as: Done.self) }
      sent = []
      staging = nil
      let row = try client.call("blob.finish", StagingParams(staging: number), as: BlobRow.self)
      guard row.cid == reference.id.hex else {
        throw ClientError(.software, "the daemon calls the blob \(row.cid), it is \(reference.id.hex)")
      }
      known.insert(reference.id)
    } catch { throw .blob(why: error.what) }
  }

  private mutating func open() throws(ClientError) {
    staging = try client.call("blob.begin", as: StagingResult.self).staging
  }
}

enum JobFiles {
  /// Whether a path is a directory; throws when nothing is there.
  static func isDirectory(_ path: String) throws(ClientError) -> Bool { try PosixFile.isDirectory(path) }

  /// A directory or tar archive as a tree.
  static func tree(
    _ path: String, purpose: TreePurpose, _ client: AdminClient
  ) throws(ClientError) -> (reference: BlobReference, lines: Int, skipped: Int) {
    var builder = TreeBuilder(purpose: purpose, sink: ClientBlobs(client))
    do throws(WorkerFault) {
      if try isDirectoryHere(path) { try builder.add(directory: path) } else { try builder.add(archive: path) }
      let (tree, reference) = try builder.finish()
      return (reference, tree.lines.count, builder.skipped.count)
    } catch {
      throw ClientError(.badData, "\(path) cannot be made into a tree", why: "\(error)")
    }
  }

  private static func isDirectoryHere(_ path: String) throws(WorkerFault) -> Bool {
    do throws(ClientError) { return try isDirectory(path) } catch { throw .blob(why: error.what) }
  }

  /// A file as a blob, with its SHA-256. `-` is standard input.
  static func file(_ path: String, _ client: AdminClient) throws(ClientError) -> (BlobReference, Digest) {
    let descriptor = path == "-" ? 0 : try PosixFile.openToRead(path)
    defer { if path != "-" { Spawn.close(descriptor) } }
    var sink = ClientBlobs(client)
    var writer = BlobWriter()
    do throws(WorkerFault) {
      while true {
        guard let bytes = Spawn.read(descriptor, 256 << 10) else {
          throw .system(call: "read", path: path, code: EIO)
        }
        if bytes.isEmpty { break }
        try writer.add(bytes, to: &sink)
      }
      let (reference, sha256) = try writer.finish(to: &sink)
      return (reference, sha256)
    } catch {
      throw ClientError(.badData, "\(path) cannot be sent to the daemon", why: "\(error)")
    }
  }

  /// Writes a tree of a finished job beneath `directory`, which may exist; files there are replaced. Paths come from
  /// another host: none leads out of the directory, and no link is followed.
  static func write(_ tree: Tree, to directory: String, _ client: AdminClient) throws(ClientError) {
    try PosixFile.makeDirectory(directory)
    for line in tree.lines {
      let path = directory + "/" + String(decoding: line.path, as: UTF8.self)
      guard Array(path.utf8) == Array(directory.utf8) + [0x2f] + line.path else {
        Output.note("skipped: a file name that is not UTF-8: \(Output.printable(path))")
        continue
      }
      switch line.node {
      case .directory: try PosixFile.makeDirectory(path)
      case .link(let target): try PosixFile.makeLink(path, to: target)
      case .file(let id, let size, let isExecutable):
        let descriptor = try PosixFile.create(path, isExecutable: isExecutable)
        defer { Spawn.close(descriptor) }
        if size == 0 { continue }
        try client.getBlob(id.hex, as: .client) { (leaf) throws(ClientError) in
          if !PosixText.put(leaf, to: descriptor) { throw ClientError(.cannotCreate, "cannot write \(path)") }
        }
      }
    }
  }
}
