// Owns: JSON without floats, and its one canonical text (RFC 8785). Refuses to know: what any key means.

/// A JSON value. Objects keep their members in the order of the text; names are distinct.
enum JSONValue: Hashable, Sendable {
  struct Member: Hashable, Sendable {
    let name: String
    let value: JSONValue
  }
  case object([Member])
  case array([JSONValue])
  case string(String)
  /// 0 … 2^53 - 1. Negative numbers and fractions are not needed here and are refused.
  case integer(UInt64)
  case bool(Bool)
  case null

  /// What a person calls this kind of value.
  var kind: String {
    switch self {
    case .object: "an object"
    case .array: "an array"
    case .string: "a string"
    case .integer: "a number"
    case .bool: "true or false"
    case .null: "null"
    }
  }

  /// RFC 8785: no spaces, names sorted by UTF-16 code units, the shortest escapes, everything else as UTF-8.
  func write(to bytes: inout [UInt8]) {
    switch self {
    case .object(let members):
      bytes.append(0x7b)
      let sorted = members.sorted { $0.name.utf16.lexicographicallyPrecedes($1.name.utf16) }
      for (position, member) in sorted.enumerated() {
        if position > 0 { bytes.append(0x2c) }
        Self.write(member.name, to: &bytes)
        bytes.append(0x3a)
        member.value.write(to: &bytes)
      }
      bytes.append(0x7d)
    case .array(let values):
      bytes.append(0x5b)
      for (position, value) in values.enumerated() {
        if position > 0 { bytes.append(0x2c) }
        value.write(to: &bytes)
      }
      bytes.append(0x5d)
    case .string(let text): Self.write(text, to: &bytes)
    case .integer(let number): bytes.append(contentsOf: String(number).utf8)
    case .bool(let flag): bytes.append(contentsOf: (flag ? "true" : "false").utf8)
    case .null: bytes.append(contentsOf: "null".utf8)
    }
  }

  var canonicalBytes: [UInt8] {
    var bytes: [UInt8] = []
    write(to: &bytes)
    return bytes
  }

  private static func write(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(0x22)
    for byte in text.utf8 {
      switch byte {
      case 0x22: bytes.append(contentsOf: [0x5c, 0x22])
      case 0x5c: bytes.append(contentsOf: [0x5c, 0x5c])
      case 0x08: bytes.append(contentsOf: [0x5c, 0x62])
      case 0x09: bytes.append(contentsOf: [0x5c, 0x74])
      case 0x0a: bytes.append(contentsOf: [0x5c, 0x6e])
      case 0x0c: bytes.append(contentsOf: [0x5c, 0x66])
      case 0x0d: bytes.append(contentsOf: [0x5c, 0x72])
      case 0x00..<0x20:
        bytes.append(contentsOf: Array("\\u00".utf8))
        for digit in [byte >> 4, byte & 15] { bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
      default: bytes.append(byte)
      }
    }
    bytes.append(0x22)
  }
}
