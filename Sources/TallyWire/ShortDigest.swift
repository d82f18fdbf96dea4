// Owns: 16 bytes of a BLAKE2b-256 value, where a datagram has no room for 32 and a collision would only harm its maker.
// Refuses to know: what was hashed.

import TallyBase

/// The first 16 bytes of a BLAKE2b-256 value.
@frozen
public struct ShortDigest: Hashable, Comparable, Sendable, BitwiseCopyable, WireValue, CustomStringConvertible {
  public let high: UInt64
  public let low: UInt64
  public static let byteCount = 16
  public static let zero = ShortDigest(high: 0, low: 0)

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Takes the first half of a whole digest.
  public init(firstHalfOf whole: Bytes32) { self.init(high: whole.word0, low: whole.word1) }

  public static func < (left: ShortDigest, right: ShortDigest) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }

  public var description: String {
    var writer = ByteWriter(capacity: 16)
    write(into: &writer)
    return Hex.encode(writer.bytes)
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    // Big-endian words, as in `Bytes32`: comparing words compares bytes.
    self.init(high: try reader.u64().byteSwapped, low: try reader.u64().byteSwapped)
  }

  public func write(into writer: inout ByteWriter) {
    writer.u64(high.byteSwapped)
    writer.u64(low.byteSwapped)
  }
}
