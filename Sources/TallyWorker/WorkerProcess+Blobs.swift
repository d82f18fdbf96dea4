// Owns: blobs between a task and the daemon: leaves are asked for ahead, and sent without waiting for each answer.
// Refuses to know: files. What comes is checked by whoever asked.
import TallyAdmin
import TallyBase
import TallyLog
import TallyWire

struct DaemonBlobs: BlobSource, BlobSink {
  /// Leaves on their way at once, either way.
  static let window = 6
  /// Milliseconds that the daemon may take to bring one leaf from the requester.
  static let leafMs: Int64 = 60_000

  private let line: TaskLine
  // Of the blob that is read now.
  private var reading: ContentID?
  private var size: UInt64?
  private var ahead: [(index: UInt64, ticket: AdminClient.Ticket)] = []
  // Of the blob that is written now.
  private var staging: UInt64?
  private var sent: [AdminClient.Ticket] = []

  init(line: TaskLine) { self.line = line }

  /// A blob was begun and never finished.
  var isUploading: Bool { staging != nil }

  mutating func leaf(_ id: ContentID, index: UInt64) throws(WorkerFault) -> [UInt8] {
    if id.raw == MerkleFrontier.emptyRoot.raw { return [] }
    do throws(ClientError) {
      try line.moving("fetching")
      if line.isStopped { throw ClientError(.refused, "the task was taken back") }
      if reading != id || ahead.first.map({ $0.index != index }) ?? false { try forget() }
      reading = id
      if let size, index >= UInt64(BlobLimits.leafCount(size: size)) { return [] }
      if ahead.isEmpty { try ask(id, index) }
      let first = ahead.removeFirst()
      let leaf = try line.client.finish(first.ticket, as: LeafResult.self, timeoutMs: Self.leafMs)
      size = leaf.size
      var next = (ahead.last?.index ?? index) + 1
      while ahead.count < Self.window, next < UInt64(BlobLimits.leafCount(size: leaf.size)) {
        try ask(id, next)
        next += 1
      }
      return leaf.data.bytes
    } catch {
      throw .blob(why: "\(id.hex.prefix(12)): \(error.what)")
    }
  }

  private mutating func ask(_ id: ContentID, _ index: UInt64) throws(ClientError) {
    guard let number = UInt32(exactly: index) else { throw ClientError(.badData, "no leaf \(index)") }
    let params = BlobGetParams(cid: id.hex, leaf: number, task: line.task)
    ahead.append((index, try line.client.begin("worker.blob.get", params)))
  }

  /// Answers that nobody wants any more are taken and thrown away.
  private mutating func forget() throws(ClientError) {
    for (_, ticket) in ahead { _ = try line.client.finish(ticket, as: LeafResult.self, timeoutMs: Self.leafMs) }
    ahead = []
    size = nil
    reading = nil
  }

  mutating func leaf(_ bytes: [UInt8]) throws(WorkerFault) {
    do throws(ClientError) {
      try line.moving("collecting")
      let number = try opened()
      if sent.count == Self.window { _ = try line.client.finish(sent.removeFirst(), as: Done.self) }
      sent.append(try line.client.begin("worker.blob.put", BlobPutParams(staging: number, data: bytes)))
    } catch {
      throw .blob(why: error.what)
    }
  }

  mutating func finish(_ reference: BlobReference) throws(WorkerFault) {
    do throws(ClientError) {
      let number = try opened()
      for ticket in sent { _ = try line.client.finish(ticket, as: Done.self) }
      sent = []
      staging = nil
      let row = try line.client.call("worker.blob.finish", StagingParams(staging: number), as: BlobRow.self)
      guard row.cid == reference.id.hex else {
        throw ClientError(.software, "the daemon calls the blob \(row.cid), it is \(reference.id.hex)")
      }
    } catch {
      throw .blob(why: error.what)
    }
  }

  private mutating func opened() throws(ClientError) -> UInt64 {
    if let staging { return staging }
    let number = try line.client.call("worker.blob.begin", as: StagingResult.self).staging
    staging = number
    return number
  }
}
