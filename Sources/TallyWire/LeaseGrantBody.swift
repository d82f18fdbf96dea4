// Owns: the body of `lease.grant` (kind 4). Its one link names the post.

import TallyBase

/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | task index |
/// | 4 | 2 | attempt, from 1 |
/// | 6 | 32 | worker |
/// | 38 | 4 | ttl s |
/// | 42 | 32 | salt commitment |
public struct LeaseGrantBody: Hashable, Sendable {
  /// Which task of the post; below its count of tasks.
  public let taskIndex: UInt32
  /// 1 for the first try of this task.
  public let attempt: UInt16
  public let worker: PublicKey
  /// Seconds, 1 … one year. Afterwards the author may try again elsewhere; in the fold a lease never expires.
  public let ttlSeconds: UInt32
  /// SHA-256("tally/salt/1" ‖ task salt).
  public let saltCommitment: Digest

  public init(taskIndex: UInt32, attempt: UInt16, worker: PublicKey, ttlSeconds: UInt32, saltCommitment: Digest) {
    precondition(attempt > 0, "attempts are counted from 1")
    precondition((1...WorkLimits.secondsMax).contains(ttlSeconds), "a lease of \(ttlSeconds) s")
    self.taskIndex = taskIndex
    self.attempt = attempt
    self.worker = worker
    self.ttlSeconds = ttlSeconds
    self.saltCommitment = saltCommitment
  }

  public func encode() -> [UInt8] {
    var writer = ByteWriter(capacity: 74)
    writer.u32(taskIndex)
    writer.u16(attempt)
    writer.named(worker)
    writer.u32(ttlSeconds)
    writer.named(saltCommitment)
    return writer.bytes
  }

  public static func decode(_ bytes: [UInt8]) throws(DecodeError) -> LeaseGrantBody {
    var reader = ByteReader(bytes)
    let taskIndex = try reader.u32()
    let attempt = try reader.u16()
    guard attempt > 0 else { throw .notCanonical(field: "attempt") }
    let worker = try reader.named(PublicKey.self)
    let ttl = try reader.number("ttl", 1...WorkLimits.secondsMax)
    let commitment = try reader.named(Digest.self)
    try reader.finish()
    return LeaseGrantBody(
      taskIndex: taskIndex, attempt: attempt, worker: worker, ttlSeconds: ttl, saltCommitment: commitment)
  }
}
