// Owns: what goes between a running task and the daemon: beats, what the job prints, the order to stop.
// Refuses to know: what the task does. Nothing here waits while the job runs, but for room in the socket.
import CWorker
import TallyAdmin
import TallyWire

/// One task's line to the daemon. A daemon that is gone stops the job: its lease is lost.
final class TaskLine: TaskReport {
  /// Milliseconds between two beats.
  static let beatMs: Int64 = 1_000
  /// Pieces of output that wait for an answer.
  static let outputWindow = 4

  let client: AdminClient
  let task: TaskName
  private var stage = "fetching"
  private var beat: AdminClient.Ticket?
  private var beatenAt: Int64 = 0
  private var pieces: [AdminClient.Ticket] = []
  private var pending: [(stream: UInt8, offset: UInt64, bytes: [UInt8])] = []
  private var offsets: [UInt64] = [0, 0]
  /// The daemon wants this task no more.
  private(set) var isStopped = false
  /// Why the daemon cannot be reached any more.
  private(set) var fault: ClientError?

  init(client: AdminClient, task: TaskName) {
    self.client = client
    self.task = task
  }

  func output(_ stream: OutputStream, _ bytes: [UInt8]) {
    let number: UInt8 = stream == .output ? 1 : 2
    var start = 0
    while start < bytes.count {
      let end = min(start + ExchangeWireLimits.outputSizeMax, bytes.count)
      let offset = offsets[Int(number) - 1]
      pending.append((number, offset, Array(bytes[start..<end])))
      offsets[Int(number) - 1] = offset + UInt64(end - start)
      start = end
    }
    attempt { () throws(ClientError) in try self.sendPieces() }
  }

  func shouldStop() -> StopReason? {
    stage = "running"
    attempt { () throws(ClientError) in
      try self.client.wait(timeoutMs: 0)
      try self.sendPieces()
      try self.beatIfDue()
    }
    if fault != nil { return .leaseLost }
    return isStopped ? .cancelled : nil
  }

  /// To be called often while blobs move.
  func moving(_ stage: String) throws(ClientError) {
    if let fault { throw fault }
    self.stage = stage
    try beatIfDue()
  }

  /// Everything that the job printed has arrived.
  func finish() throws(ClientError) {
    if let fault { throw fault }
    while !pending.isEmpty || !pieces.isEmpty {
      try sendPieces()
      if !pieces.isEmpty { try settle(pieces.removeFirst()) }
    }
    if let beat { isStopped = try !client.finish(beat, as: GoOnResult.self).goOn || isStopped }
    beat = nil
  }

  private func attempt(_ body: () throws(ClientError) -> Void) {
    if fault != nil { return }
    do throws(ClientError) { try body() } catch { fault = error }
  }

  private func sendPieces() throws(ClientError) {
    while let first = pieces.first, client.isAnswered(first) { try settle(pieces.removeFirst()) }
    while pieces.count < Self.outputWindow, !pending.isEmpty {
      let piece = pending.removeFirst()
      pieces.append(
        try client.begin(
          "worker.output",
          WorkerOutputParams(task: task, stream: piece.stream, offset: piece.offset, data: piece.bytes)))
    }
  }

  /// A daemon that does not want the output any more says so with the next beat.
  private func settle(_ ticket: AdminClient.Ticket) throws(ClientError) {
    do throws(ClientError) { _ = try client.finish(ticket, as: Done.self) } catch {
      if error.code != .refused { throw error }
    }
  }

  private func beatIfDue() throws(ClientError) {
    if let open = beat {
      guard client.isAnswered(open) else { return }
      beat = nil
      if try !client.finish(open, as: GoOnResult.self).goOn { isStopped = true }
    }
    let now = worker_now_micros() / 1000
    guard !isStopped, now - beatenAt >= Self.beatMs else { return }
    beatenAt = now
    beat = try client.begin("worker.beat", WorkerBeatParams(task: task, stage: stage, cpuMs: 0))
  }
}
