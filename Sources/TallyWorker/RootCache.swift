// Owns: unpacked roots on this machine's disk, by content ID, the least recently used going first.
// Refuses to know: jobs. A root in use is never removed.

import CWorker
import Glibc
import TallyBase
import TallyWork

/// `<directory>/<content ID>/root`, and `size` beside it. A name that does not end in `.part` is complete.
public struct RootCache {
  private let directory: String
  private let bytesMax: UInt64
  private let countMax: Int
  /// Most recently used last.
  private var known: [(id: ContentID, bytes: UInt64)] = []
  private var uses: [ContentID: Int] = [:]

  /// Takes over what an earlier process left in `directory`, which must exist; removes what it did not finish.
  public init(directory: String, bytesMax: UInt64, countMax: Int = 64) throws(WorkerFault) {
    self.directory = directory
    self.bytesMax = bytesMax
    self.countMax = countMax
    let opened = try SystemCall.openDirectory(path: directory)
    for name in try SystemCall.names(in: opened) {
      let text = SystemCall.text(name)
      let size = SystemCall.contents(ofSmall: "\(directory)/\(text)/size").flatMap { UInt64(SystemCall.text($0)) }
      if let id = ContentID(hex: text), let size {
        known.append((id, size))
      } else if text.hasSuffix(".part") {
        try Folders.remove("\(directory)/\(text)")
      }
    }
  }

  /// Content IDs held, least recently used first.
  public var held: [ContentID] { known.map(\.id) }

  /// The path of the unpacked root `id`, fetched when it is not here. Call `release` when the job is over.
  public mutating func acquire(_ id: ContentID, from source: inout some BlobSource) throws(WorkerFault) -> String {
    if let index = known.firstIndex(where: { $0.id == id }) {
      known.append(known.remove(at: index))
    } else {
      try make(id, from: &source)
    }
    uses[id, default: 0] += 1
    return "\(directory)/\(id.hex)/root"
  }

  public mutating func release(_ id: ContentID) {
    precondition(uses[id, default: 0] > 0, "the root \(id.hex) was released more often than acquired")
    uses[id, default: 1] -= 1
  }

  private mutating func make(_ id: ContentID, from source: inout some BlobSource) throws(WorkerFault) {
    let tree = try TreeUnpacker.fetch(id, from: &source)
    let bytes = tree.totalSize + UInt64(tree.lines.count) * 4096
    guard bytes <= bytesMax else { throw .limit(name: "bytes of the root cache", value: bytesMax) }
    try makeRoom(bytes)
    let part = "\(directory)/\(id.hex).part"
    try Folders.remove(part)
    let opened = try Folders.make(part)
    do {
      let unpacker = TreeUnpacker(epoch: Int64(WorkSpec.defaultEpoch))
      try unpacker.unpack(tree, purpose: .root, at: part + "/root", from: &source)
      let size = try Folders.create(Array("size".utf8), mode: 0o644, in: opened)
      try SystemCall.write(Array("\(bytes)".utf8), to: size.number, path: part + "/size")
      // Safe: both names end with NUL.
      let moved = unsafe rename(SystemCall.name(part), SystemCall.name("\(directory)/\(id.hex)"))
      try SystemCall.checkErrno(moved, "rename", part.utf8)
    } catch {
      try Folders.remove(part)
      throw error
    }
    known.append((id, bytes))
  }

  private mutating func makeRoom(_ bytes: UInt64) throws(WorkerFault) {
    while known.count >= countMax || known.reduce(bytes, { $0 + $1.bytes }) > bytesMax {
      guard let oldest = known.firstIndex(where: { uses[$0.id, default: 0] == 0 }) else {
        throw .limit(name: "bytes of the root cache", value: bytesMax)
      }
      try Folders.remove("\(directory)/\(known[oldest].id.hex)")
      known.remove(at: oldest)
    }
  }
}
