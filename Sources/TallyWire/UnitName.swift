// Owns: the name of what is counted in an account.

import TallyBase

/// What amounts count: 1 to 8 bytes of `a-z 0-9 - . _`. Kept as the eight zero-padded bytes of the layout, first byte
/// highest, so that comparing numbers compares bytes.
@frozen
public struct UnitName: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
  public let packed: UInt64

  /// nil unless `text` is 1 to 8 allowed bytes.
  public init?(_ text: String) { self.init(bytes: Array(text.utf8)) }

  /// CPU seconds, the default.
  public static let cpuSeconds = UnitName(packed: 0x6370_752d_7300_0000)

  init(packed: UInt64) { self.packed = packed }

  init?(bytes: [UInt8]) {
    guard (1...WorkLimits.unitBytesMax).contains(bytes.count), bytes.allSatisfy(Self.allows) else { return nil }
    var packed: UInt64 = 0
    for index in 0..<8 { packed = packed << 8 | (index < bytes.count ? UInt64(bytes[index]) : 0) }
    self.packed = packed
  }

  public static func < (left: UnitName, right: UnitName) -> Bool { left.packed < right.packed }

  public var description: String {
    var text = ""
    for byte in paddedBytes where byte != 0 { text.unicodeScalars.append(Unicode.Scalar(byte)) }
    return text
  }

  /// The eight bytes of the layout.
  public var paddedBytes: [UInt8] {
    var bytes: [UInt8] = []
    for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: packed >> UInt64(56 - 8 * index))) }
    return bytes
  }

  init(from reader: inout ByteReader) throws(DecodeError) {
    let bytes = try reader.take(8)
    let name = Array(bytes.prefix { $0 != 0 })
    guard bytes[name.count...].allSatisfy({ $0 == 0 }), let unit = UnitName(bytes: name) else {
      throw .notCanonical(field: "unit")
    }
    self = unit
  }

  private static func allows(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x61...0x7a, 0x30...0x39, 0x2d, 0x2e, 0x5f: true
    default: false
    }
  }
}
