// Owns: the layout of BEAT (0x43).
// Refuses to know: leases, timers, sandboxes. Travels on a TCP link, sealed by the session. DESIGN section 10.
import TallyBase

/// How far a worker is with a leased task. Sent every 5 s and at each change.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 36 | task |
/// | 36 | 2 | attempt u16, from 1 |
/// | 38 | 1 | stage |
/// | 39 | 8 | CPU milliseconds used u64 |
public struct BeatMessage: Hashable, Sendable {
  public enum Stage: UInt8, Sendable {
    /// Waits for the entries of the lease, or for the worker process.
    case waiting = 1
    case fetching = 2
    case running = 3
    case collecting = 4
    /// A claim or a failure is in the worker's feed.
    case done = 5
    /// The worker knows nothing of this task: it was lost in a crash.
    case unknown = 6
  }
  public var task: TaskID
  public var attempt: UInt16
  public var stage: Stage
  public var cpuMs: UInt64

  public init(task: TaskID, attempt: UInt16, stage: Stage, cpuMs: UInt64) {
    self.task = task
    self.attempt = attempt
    self.stage = stage
    self.cpuMs = cpuMs
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    task = try TaskID(from: &reader)
    attempt = try reader.u16()
    let code = try reader.u8()
    guard let stage = Stage(rawValue: code) else { throw .unknown(field: "beat.stage", value: Int(code)) }
    self.stage = stage
    cpuMs = try reader.u64()
    try reader.finish()
  }

  public var message: [UInt8] {
    var writer = ByteWriter(capacity: 50)
    writer.u8(MessageType.beat.rawValue)
    task.write(to: &writer)
    writer.u16(attempt)
    writer.u8(stage.rawValue)
    writer.u64(cpuMs)
    return writer.bytes
  }
}
