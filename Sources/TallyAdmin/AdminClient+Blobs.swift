// Owns: moving whole blobs over the admin socket, leaf by leaf, several on their way at once. DESIGN section 12.
// Refuses to know: files. The caller gives and takes bytes.
import TallyBase
import TallyLog

extension AdminClient {
  /// Which pair of methods moves the leaves: the operator's or the worker's.
  public enum BlobSide: String, Sendable {
    case client = "blob"
    case worker = "worker.blob"
  }

  /// Sends a blob; `next` gives its bytes in order, any sizes, and an empty array at the end.
  public func putBlob<Failure: Error>(
    as side: BlobSide, next: () throws(Failure) -> [UInt8], wrap: (Failure) -> ClientError
  ) throws(ClientError) -> BlobRow {
    let staging = try call("\(side.rawValue).begin", as: StagingResult.self).staging
    var waiting: [Ticket] = []
    var held: [UInt8] = []
    let flush = { (leaf: [UInt8]) throws(ClientError) in
      if waiting.count == Self.window { _ = try self.finish(waiting.removeFirst(), as: Done.self) }
      waiting.append(try self.begin("\(side.rawValue).put", BlobPutParams(staging: staging, data: leaf)))
    }
    while true {
      let more: [UInt8]
      do throws(Failure) { more = try next() } catch { throw wrap(error) }
      if more.isEmpty { break }
      held += more
      var start = 0
      // The last leaf is kept back: only it may be shorter.
      while held.count - start > Self.leafSize {
        try flush(Array(held[start..<start + Self.leafSize]))
        start += Self.leafSize
      }
      if start > 0 { held.removeFirst(start) }
    }
    if !held.isEmpty { try flush(held) }
    for ticket in waiting { _ = try finish(ticket, as: Done.self) }
    return try call("\(side.rawValue).finish", StagingParams(staging: staging), as: BlobRow.self)
  }

  /// As above, for bytes in memory.
  public func putBlob(_ bytes: [UInt8], as side: BlobSide) throws(ClientError) -> BlobRow {
    var isGiven = false
    return try putBlob(
      as: side,
      next: { () throws(ClientError) in
        defer { isGiven = true }
        return isGiven ? [] : bytes
      }, wrap: { $0 })
  }

  /// Fetches a blob; `each` gets its leaves in order. Returns its size in bytes.
  @discardableResult
  public func getBlob(
    _ cid: String, as side: BlobSide, task: TaskName? = nil, timeoutMs: Int64? = 60_000,
    each: ([UInt8]) throws(ClientError) -> Void
  ) throws(ClientError) -> UInt64 {
    // The empty blob has no leaf to ask for.
    if cid == MerkleFrontier.emptyRoot.hex { return 0 }
    let method = "\(side.rawValue).get"
    let first = try call(
      method, BlobGetParams(cid: cid, leaf: 0, task: task), as: LeafResult.self, timeoutMs: timeoutMs)
    try each(first.data.bytes)
    let count = UInt32(truncatingIfNeeded: (first.size + UInt64(Self.leafSize) - 1) / UInt64(Self.leafSize))
    var asked: UInt32 = 1
    var waiting: [Ticket] = []
    while asked < count || !waiting.isEmpty {
      while asked < count && waiting.count < Self.window {
        waiting.append(try begin(method, BlobGetParams(cid: cid, leaf: asked, task: task)))
        asked += 1
      }
      let leaf = try finish(waiting.removeFirst(), as: LeafResult.self, timeoutMs: timeoutMs)
      try each(leaf.data.bytes)
    }
    return first.size
  }

  /// As above, into memory; larger than `limit` bytes is refused.
  public func getBlob(
    _ cid: String, as side: BlobSide, task: TaskName? = nil, limit: Int, timeoutMs: Int64? = 60_000
  ) throws(ClientError) -> [UInt8] {
    var bytes: [UInt8] = []
    try getBlob(cid, as: side, task: task, timeoutMs: timeoutMs) { (leaf) throws(ClientError) in
      bytes += leaf
      if bytes.count > limit { throw ClientError(.badData, "blob \(cid.prefix(12)) is larger than \(limit) bytes") }
    }
    return bytes
  }

  public static let leafSize = 64 << 10
  /// Leaves on their way at once.
  static let window = 8
}
