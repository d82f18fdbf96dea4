// Owns: the layout of OUTPUT (0x44).
// Refuses to know: leases, timers, sandboxes. Travels on a TCP link, sealed by the session. DESIGN section 10.
import TallyBase

/// A piece of what a running job prints. Unlogged; the whole is kept by the worker as a blob.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 36 | task |
/// | 36 | 2 | attempt u16, from 1 |
/// | 38 | 1 | stream: 1 stdout, 2 stderr |
/// | 39 | 8 | offset of the first byte in that stream u64 |
/// | 47 | n | 1 to 32,768 bytes |
public struct OutputMessage: Hashable, Sendable {
  public var task: TaskID
  public var attempt: UInt16
  public var stream: UInt8
  public var offset: UInt64
  public var bytes: [UInt8]

  public init(task: TaskID, attempt: UInt16, stream: UInt8, offset: UInt64, bytes: [UInt8]) {
    self.task = task
    self.attempt = attempt
    self.stream = stream
    self.offset = offset
    self.bytes = bytes
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    task = try TaskID(from: &reader)
    attempt = try reader.u16()
    stream = try reader.u8()
    guard (1...2).contains(stream) else { throw .unknown(field: "output.stream", value: Int(stream)) }
    offset = try reader.u64()
    let count = reader.remaining
    guard count > 0 else { throw .truncated(needed: 1, available: 0) }
    guard count <= ExchangeWireLimits.outputSizeMax else {
      throw .aboveLimit(field: "output.bytes", value: count, limit: ExchangeWireLimits.outputSizeMax)
    }
    bytes = reader.rest()
  }

  public var message: [UInt8] {
    var writer = ByteWriter(capacity: 50 + bytes.count)
    writer.u8(MessageType.output.rawValue)
    task.write(to: &writer)
    writer.u16(attempt)
    writer.u8(stream)
    writer.u64(offset)
    writer.raw(bytes)
    return writer.bytes
  }
}
