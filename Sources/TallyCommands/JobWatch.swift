// Owns: following one job until it ends: what it prints goes to our own streams as it comes, gaps are filled from the
// kept streams. Refuses to know: how the job was made.
import Glibc
import TallyAdmin

/// How a job ended, as this host knows it.
struct JobEnd {
  /// `accepted`, `refused`, `failed`, `cancelled`, `held`
  var stage: String
  var text: String
  var exit: Int32?
}

final class JobWatch {
  private let client: AdminClient
  let id: String
  private let showsOutput: Bool
  private let says: Bool
  /// Bytes printed of stdout and stderr.
  private var printed: [UInt64] = [0, 0]
  private var hasGap = [false, false]
  private var end: JobEnd?
  private var exit: Int32?
  private var lastText = ""

  /// `says`: stages go to standard error.
  init(_ client: AdminClient, id: String, showsOutput: Bool, says: Bool) {
    self.client = client
    self.id = id
    self.showsOutput = showsOutput
    self.says = says
  }

  /// Waits for the end, for at most `timeoutMs`; nil when the time is over.
  func run(timeoutMs: Int64?) throws(ClientError) -> JobEnd? {
    let deadline = timeoutMs.map { Spawn.nowMs + $0 }
    _ = try client.call("job.watch", JobParams(id: id), as: SubscribeResult.self)
    try look()
    while end == nil {
      // Now and then the job itself is asked: a notification may have been dropped.
      let left = min(1_000, deadline.map { $0 - Spawn.nowMs } ?? 1_000)
      if left <= 0 { return nil }
      if let notice = try client.nextNotice(timeoutMs: left) { try take(notice) } else { try look() }
    }
    // What was on its way when the end came.
    while let notice = try client.nextNotice(timeoutMs: 0) { try take(notice) }
    return end
  }

  private func take(_ notice: EventNotice) throws(ClientError) {
    guard notice.id == id else { return }
    if notice.dropped != nil { hasGap = [true, true] }
    if let stream = notice.stream, let data = notice.data?.bytes, stream == 1 || stream == 2 {
      return print(data, stream: Int(stream) - 1, offset: notice.offset ?? 0)
    }
    if let code = notice.exit { exit = code }
    guard let stage = notice.stage else { return }
    if stage == "finished" { return }
    say(notice.text)
    settle(stage: stage, text: notice.text)
  }

  private func print(_ data: [UInt8], stream: Int, offset: UInt64) {
    guard showsOutput, !hasGap[stream] else { return }
    // Another attempt begins again at 0: what was printed already is not printed twice.
    if offset > printed[stream] {
      hasGap[stream] = true
      return
    }
    let known = printed[stream] - offset
    guard known < UInt64(data.count) else { return }
    PosixText.put(Array(data[Int(known)...]), to: Int32(stream + 1))
    printed[stream] = offset + UInt64(data.count)
  }

  private func settle(stage: String, text: String) {
    switch stage {
    case "accepted", "refused", "cancelled", "held": end = JobEnd(stage: stage, text: text, exit: exit)
    default:
      if stage.hasPrefix("failed") { end = JobEnd(stage: "failed", text: text, exit: exit) }
    }
  }

  /// Asks the daemon how the job is.
  private func look() throws(ClientError) {
    let job = try client.call("job.show", JobParams(id: id), as: JobResult.self)
    if let claim = job.claims.last(where: { $0.evidence == "accepted" }) ?? job.claims.last { exit = claim.exit }
    switch job.job.state {
    case "accepted", "cancelled": return settle(stage: job.job.state, text: job.job.words)
    default: break
    }
    guard let stage = job.stage else { return }
    for word in ["accepted", "refused", "cancelled", "held", "failed"] where stage.hasPrefix(word) {
      return settle(stage: word, text: stage)
    }
    say(stage)
  }

  private func say(_ text: String) {
    guard says, text != lastText else { return }
    lastText = text
    Output.note("tally: \(Output.printable(text))")
  }

  /// Prints what of the kept streams was not printed while the job ran.
  func fill(_ words: WordsResult) throws(ClientError) {
    guard showsOutput else { return }
    for (stream, blob) in [words.stdout, words.stderr].enumerated() where printed[stream] < blob.size {
      var skip = printed[stream]
      try client.getBlob(blob.cid, as: .client) { (leaf) throws(ClientError) in
        let dropped = min(skip, UInt64(leaf.count))
        skip -= dropped
        PosixText.put(Array(leaf[Int(dropped)...]), to: Int32(stream + 1))
      }
      printed[stream] = blob.size
    }
  }
}
