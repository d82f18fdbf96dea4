// Owns: the layout of LEASE (0x42).
// Refuses to know: leases, timers, sandboxes. Travels on a TCP link, sealed by the session. DESIGN section 10.
import TallyBase

/// The words beside a `lease.grant`: what the work is, and the salts that open its commitments. Repeating it is
/// harmless: a worker that runs the task answers with BEAT, one that has finished it with RESULT.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 36 | task |
/// | 36 | 2 | attempt u16, from 1 |
/// | 38 | 32 | feed of the requester |
/// | 70 | 8 | index of `job.post` u64 |
/// | 78 | 8 | index of `lease.grant` u64 |
/// | 86 | 32 | post salt |
/// | 118 | 32 | task salt |
/// | 150 | 2+n | canonical work JSON, counted by u16, ≤ 16 KiB |
public struct LeaseMessage: Hashable, Sendable {
  public var task: TaskID
  public var attempt: UInt16
  public var feed: FeedID
  public var postIndex: UInt64
  public var grantIndex: UInt64
  public var postSalt: Bytes32
  public var taskSalt: Bytes32
  public var work: [UInt8]

  public init(
    task: TaskID, attempt: UInt16, feed: FeedID, postIndex: UInt64, grantIndex: UInt64, postSalt: Bytes32,
    taskSalt: Bytes32, work: [UInt8]
  ) {
    self.task = task
    self.attempt = attempt
    self.feed = feed
    self.postIndex = postIndex
    self.grantIndex = grantIndex
    self.postSalt = postSalt
    self.taskSalt = taskSalt
    self.work = work
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    task = try TaskID(from: &reader)
    attempt = try reader.u16()
    feed = try reader.named()
    postIndex = try reader.u64()
    grantIndex = try reader.u64()
    postSalt = try reader.bytes32()
    taskSalt = try reader.bytes32()
    let count = Int(try reader.u16())
    guard count <= ExchangeWireLimits.workSizeMax else {
      throw .aboveLimit(field: "lease.work", value: count, limit: ExchangeWireLimits.workSizeMax)
    }
    work = try reader.take(count)
    try reader.finish()
  }

  public var message: [UInt8] {
    var writer = ByteWriter(capacity: 160 + work.count)
    writer.u8(MessageType.lease.rawValue)
    task.write(to: &writer)
    writer.u16(attempt)
    writer.named(feed)
    writer.u64(postIndex)
    writer.u64(grantIndex)
    writer.bytes32(postSalt)
    writer.bytes32(taskSalt)
    writer.counted16(work)
    return writer.bytes
  }
}
