// Owns: one label that a post demands of a worker, such as `arch=x86_64` or `zone=eu`.

import TallyBase

/// 1 to 32 bytes of `a-z 0-9 - . _ = : /`. Compared by bytes.
public struct PlacementLabel: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let bytes: [UInt8]

  /// nil unless `text` is 1 to 32 allowed bytes.
  public init?(_ text: String) { self.init(bytes: Array(text.utf8)) }

  init?(bytes: [UInt8]) {
    guard (1...WorkLimits.labelBytesMax).contains(bytes.count), bytes.allSatisfy(Self.allows) else { return nil }
    self.bytes = bytes
  }

  public static func < (left: PlacementLabel, right: PlacementLabel) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  public var description: String { String(decoding: bytes, as: UTF8.self) }

  private static func allows(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x61...0x7a, 0x30...0x39, 0x2d, 0x2e, 0x5f, 0x3d, 0x3a, 0x2f: true
    default: false
    }
  }
}
