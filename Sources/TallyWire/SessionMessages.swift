// Owns: the hop control messages inside a session, and the inside of a sealed TCP frame. DESIGN section 5.
// Refuses to know: when they are sent.

import TallyBase

/// PING and PONG are equally long, so that an answer to an unproven address is never larger than the question.
///
///     PING   offset size field          PONG   offset size field
///                 0    1 type 0x01                  0    1 type 0x02
///                 1    8 nonce                      1    8 nonce of the ping
///                 9   18 zero (draft: digest)       9   16 address where the ping came from (IPv4 mapped)
///                                                  25    2 port
///
///     PATH_CHALLENGE, PATH_RESPONSE              CLOSE
///                 0    1 type 0x03, 0x04            0    1 type 0x05
///                 1    8 nonce                      1    1 reason
public enum HopMessage: Hashable, Sendable {
  case ping(nonce: UInt64)
  case pong(nonce: UInt64, observed: Endpoint)
  case pathChallenge(nonce: UInt64)
  case pathResponse(nonce: UInt64)
  case close(reason: UInt8)

  /// True for the types 0x01 to 0x05.
  public static func isHopMessage(_ message: [UInt8]) -> Bool { (0x01...0x05).contains(message.first ?? 0) }

  public var bytes: [UInt8] {
    var writer = ByteWriter(capacity: 27)
    switch self {
    case .ping(let nonce):
      writer.u8(MessageType.ping.rawValue)
      writer.u64(nonce)
      writer.raw([UInt8](repeating: 0, count: 18))
    case .pong(let nonce, let observed):
      writer.u8(MessageType.pong.rawValue)
      writer.u64(nonce)
      writer.endpoint(observed)
    case .pathChallenge(let nonce):
      writer.u8(MessageType.pathChallenge.rawValue)
      writer.u64(nonce)
    case .pathResponse(let nonce):
      writer.u8(MessageType.pathResponse.rawValue)
      writer.u64(nonce)
    case .close(let reason):
      writer.u8(MessageType.close.rawValue)
      writer.u8(reason)
    }
    return writer.bytes
  }

  public init(_ bytes: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(bytes)
    let type = MessageType(rawValue: try reader.u8())
    switch type {
    case .ping:
      self = .ping(nonce: try reader.u64())
      try reader.zeros(18, "reserved")
    case .pong:
      self = .pong(nonce: try reader.u64(), observed: try reader.endpoint())
    case .pathChallenge:
      self = .pathChallenge(nonce: try reader.u64())
    case .pathResponse:
      self = .pathResponse(nonce: try reader.u64())
    case .close:
      self = .close(reason: try reader.u8())
    default:
      throw .unknown(field: "hop message", value: Int(type.rawValue))
    }
    try reader.finish()
  }
}

extension ByteWriter {
  /// An address of 16 bytes, most significant first (IPv4 mapped), and a port: 18 bytes.
  public mutating func endpoint(_ value: Endpoint) {
    for word in [value.address.high, value.address.low] {
      for shift in stride(from: 56, through: 0, by: -8) { u8(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
    }
    u16(value.port)
  }
}

extension ByteReader {
  /// What `ByteWriter.endpoint` wrote.
  public mutating func endpoint() throws(DecodeError) -> Endpoint {
    var words: [2 of UInt64] = [0, 0]
    for index in 0..<16 { words[index / 8] = words[index / 8] << 8 | UInt64(try u8()) }
    return Endpoint(address: Address(high: words[0], low: words[1]), port: try u16())
  }
}

/// A unit on a TCP link: a u16 count, then that many bytes: first INIT or RESPONSE, afterwards sealed frames. Inside
/// a sealed frame:
///
///     offset size field
///          0    1 form: 0 plain, 1 packed
///          1    n message, when plain
///          1    2 size of the message, 257 to 65,518, when packed
///          3    n LZ4 block, shorter than the message, when packed
public enum LinkFrame {
  /// Bytes of the count in front.
  public static let prefixCount = 2
  /// The largest count: a sealed frame.
  public static let frameLimit = 65_535
  /// The largest message: a frame less tag and form byte.
  public static let messageLimit = frameLimit - 16 - 1
  public static let plain: UInt8 = 0
  public static let packed: UInt8 = 1
}
