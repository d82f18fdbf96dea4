// Owns: PING and PONG. They are of one size, so that an answer is never larger than its question.
// Refuses to know: when to ask, and what silence means.

import TallyBase

/// Type 0x01. Body:
/// ```
/// offset size field
///      0    8 nonce u64, comes back
///      8    8 epoch u64 of the sender's newest record
///     16    4 counter u32 of it
///     20   18 zero
/// ```
public struct Ping: Hashable, Sendable {
  public static let bodyByteCount = 38
  public let nonce: UInt64
  public let record: RecordNumber

  public init(nonce: UInt64, record: RecordNumber) {
    self.nonce = nonce
    self.record = record
  }

  /// Reads the body behind the type byte of a whole message.
  public init(message: [UInt8]) throws(DecodeError) {
    var reader = try MessageBody.reader(message)
    nonce = try reader.u64()
    record = try RecordNumber(from: &reader)
    for byte in try reader.take(18) where byte != 0 { throw .notCanonical(field: "ping padding") }
    try reader.finish()
  }

  public var message: [UInt8] {
    var writer = MessageBody.writer(.ping, capacity: Self.bodyByteCount)
    writer.u64(nonce)
    record.encode(into: &writer)
    writer.raw([UInt8](repeating: 0, count: 18))
    return writer.bytes
  }
}

/// Type 0x02. Body:
/// ```
/// offset size field
///      0    8 nonce u64 of the PING
///      8    8 epoch u64 of the sender's newest record
///     16    4 counter u32 of it
///     20   18 where the PING came from, as seen here
/// ```
public struct Pong: Hashable, Sendable {
  public static let bodyByteCount = 38
  public let nonce: UInt64
  public let record: RecordNumber
  public let observed: Endpoint

  public init(nonce: UInt64, record: RecordNumber, observed: Endpoint) {
    self.nonce = nonce
    self.record = record
    self.observed = observed
  }

  public init(message: [UInt8]) throws(DecodeError) {
    var reader = try MessageBody.reader(message)
    nonce = try reader.u64()
    record = try RecordNumber(from: &reader)
    observed = try EndpointLayout.readAny(&reader)
    try reader.finish()
  }

  public var message: [UInt8] {
    var writer = MessageBody.writer(.pong, capacity: Self.bodyByteCount)
    writer.u64(nonce)
    record.encode(into: &writer)
    EndpointLayout.writeAny(observed, into: &writer)
    return writer.bytes
  }
}

/// The frame of every message inside a session: its type, then its body.
enum MessageBody {
  static func writer(_ type: MessageType, capacity: Int) -> ByteWriter {
    var writer = ByteWriter(capacity: capacity + 1)
    writer.u8(type.rawValue)
    return writer
  }

  /// A reader behind the type byte.
  static func reader(_ message: [UInt8]) throws(DecodeError) -> ByteReader {
    var reader = ByteReader(message)
    try reader.skip(1)
    return reader
  }
}
