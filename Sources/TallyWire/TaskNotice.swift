// Owns: the layout of CANCEL (0x46) and SETTLED (0x47).
// Refuses to know: leases, timers, sandboxes. Travels on a TCP link, sealed by the session. DESIGN section 10.
import TallyBase

/// CANCEL (requester to worker: stop) and SETTLED (requester to worker: accepted or refused, the outputs may go).
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 36 | task |
/// | 36 | 2 | attempt u16, from 1 |
public struct TaskNotice: Hashable, Sendable {
  public var task: TaskID
  public var attempt: UInt16

  public init(task: TaskID, attempt: UInt16) {
    self.task = task
    self.attempt = attempt
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    task = try TaskID(from: &reader)
    attempt = try reader.u16()
    try reader.finish()
  }

  public func message(_ type: MessageType) -> [UInt8] {
    precondition(type == .cancel || type == .settled, "not a task notice: \(type.rawValue)")
    var writer = ByteWriter(capacity: 41)
    writer.u8(type.rawValue)
    task.write(to: &writer)
    writer.u16(attempt)
    return writer.bytes
  }
}
