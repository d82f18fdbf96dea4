// Owns: the outer packets of UDP and the same two handshake packets on TCP. DESIGN section 5.
// Refuses to know: keys. Everything is little-endian; reserved bytes are zero and refused otherwise.

import TallyBase

public enum SessionPacket {
  public static let initiate: UInt8 = 0x01
  public static let respond: UInt8 = 0x02
  /// Draft: a stateless answer under load.
  public static let cookie: UInt8 = 0x03
  public static let data: UInt8 = 0x04
  public static let hint: UInt8 = 0x05
  /// The wire version this code speaks.
  public static let version: UInt8 = 1
  /// Bytes of UDP payload that pass every IPv6 path: 1,280 less 48.
  public static let datagramLimit = 1232
}

/// The first handshake message, 168 bytes: longer than its answer.
///
///     offset size field
///          0    1 type 0x01
///          1    1 version 1
///          2    2 zero
///          4    4 sender: the initiator's session number (zero on TCP)
///          8   32 noise: ephemeral key
///         40   48 noise: static key, sealed
///         88   48 noise: payload, sealed: Ed25519 key 32
///        136   16 mac1: keyed BLAKE2b of bytes 0 to 135
///        152   16 mac2: zero (draft: keyed with a cookie, over bytes 0 to 151)
public struct InitPacket: Hashable, Sendable {
  public static let byteCount = 168
  public static let headerCount = 8
  public static let noiseCount = 128
  /// mac1 covers the bytes before this offset.
  public static let mac1Offset = 136

  public let sender: UInt32
  public let noise: [UInt8]
  public let mac1: [UInt8]

  /// Bytes 0 to 7. The prologue of the handshake ends with them, so that they cannot be changed either.
  public static func header(sender: UInt32) -> [UInt8] {
    var writer = ByteWriter(capacity: headerCount)
    writer.u8(SessionPacket.initiate)
    writer.u8(SessionPacket.version)
    writer.u16(0)
    writer.u32(sender)
    return writer.bytes
  }

  public init(_ bytes: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(bytes)
    try reader.sessionHeader(SessionPacket.initiate)
    sender = try reader.u32()
    noise = try reader.take(Self.noiseCount)
    mac1 = try reader.take(16)
    try reader.zeros(16, "mac2")
    try reader.finish()
  }
}

/// The answer, 124 bytes.
///
///     offset size field
///          0    1 type 0x02
///          1    1 version 1
///          2    2 zero
///          4    4 sender: the responder's session number (zero on TCP)
///          8    4 receiver: the initiator's session number (zero on TCP)
///         12   32 noise: ephemeral key
///         44   48 noise: payload, sealed: Ed25519 key 32
///         92   16 mac1: keyed BLAKE2b of bytes 0 to 91
///        108   16 mac2: zero (draft)
public struct ResponsePacket: Hashable, Sendable {
  public static let byteCount = 124
  public static let headerCount = 12
  public static let noiseCount = 80
  public static let mac1Offset = 92

  public let sender: UInt32
  public let receiver: UInt32
  public let noise: [UInt8]
  public let mac1: [UInt8]

  public static func header(sender: UInt32, receiver: UInt32) -> [UInt8] {
    var writer = ByteWriter(capacity: headerCount)
    writer.u8(SessionPacket.respond)
    writer.u8(SessionPacket.version)
    writer.u16(0)
    writer.u32(sender)
    writer.u32(receiver)
    return writer.bytes
  }

  public init(_ bytes: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(bytes)
    try reader.sessionHeader(SessionPacket.respond)
    sender = try reader.u32()
    receiver = try reader.u32()
    noise = try reader.take(Self.noiseCount)
    mac1 = try reader.take(16)
    try reader.zeros(16, "mac2")
    try reader.finish()
  }
}

/// The header of a sealed datagram, 16 bytes; also the associated data of its seal.
///
///     offset size field
///          0    1 type 0x04
///          1    1 version 1
///          2    2 zero
///          4    4 receiver: the receiving side's session number
///          8    8 counter
///         16    n sealed: message n − 16, tag 16
public struct DataHeader: Hashable, Sendable {
  public static let byteCount = 16
  public let receiver: UInt32
  public let counter: UInt64

  public init(receiver: UInt32, counter: UInt64) {
    self.receiver = receiver
    self.counter = counter
  }

  public func write(to writer: inout ByteWriter) {
    writer.u8(SessionPacket.data)
    writer.u8(SessionPacket.version)
    writer.u16(0)
    writer.u32(receiver)
    writer.u64(counter)
  }

  /// Reads the first 16 bytes; what follows is the seal's business.
  public init(_ bytes: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(bytes)
    try reader.sessionHeader(SessionPacket.data)
    receiver = try reader.u32()
    counter = try reader.u64()
  }
}

/// The answer to a first handshake message of another version, 8 bytes. Nobody sealed it: it is shown, never obeyed.
///
///     offset size field
///          0    1 type 0x05
///          1    1 version that the sender speaks
///          2    2 zero
///          4    4 receiver: bytes 4 to 7 of the packet it answers
public struct HintPacket: Hashable, Sendable {
  public static let byteCount = 8
  /// A packet shorter than this is not answered.
  public static let answeredFrom = 32
  public let version: UInt8
  public let receiver: UInt32

  public init(version: UInt8, receiver: UInt32) {
    self.version = version
    self.receiver = receiver
  }

  public var bytes: [UInt8] {
    var writer = ByteWriter(capacity: Self.byteCount)
    writer.u8(SessionPacket.hint)
    writer.u8(version)
    writer.u16(0)
    writer.u32(receiver)
    return writer.bytes
  }

  public init(_ bytes: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(bytes)
    let type = try reader.u8()
    guard type == SessionPacket.hint else { throw .unknown(field: "packet type", value: Int(type)) }
    version = try reader.u8()
    try reader.zeros(2, "reserved")
    receiver = try reader.u32()
    try reader.finish()
  }
}

extension ByteReader {
  /// Type, version 1 and two zero bytes.
  mutating func sessionHeader(_ type: UInt8) throws(DecodeError) {
    let found = try u8()
    guard found == type else { throw .unknown(field: "packet type", value: Int(found)) }
    let version = try u8()
    guard version == SessionPacket.version else { throw .unknown(field: "version", value: Int(version)) }
    try zeros(2, "reserved")
  }

  mutating func zeros(_ count: Int, _ field: StaticStringName) throws(DecodeError) {
    for _ in 0..<count where try u8() != 0 { throw .notCanonical(field: field) }
  }
}
