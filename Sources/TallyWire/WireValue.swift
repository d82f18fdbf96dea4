// Owns: what every layout of ours can do: be read from a cursor, be written behind other bytes, stand alone.
import TallyBase

/// One value, one encoding: `init(decoding:)` accepts exactly what `encoded` gives.
public protocol WireValue {
  /// Reads the value and leaves the cursor behind it.
  init(reading reader: inout ByteReader) throws(DecodeError)
  /// Appends the value. A value above a limit is our own mistake and traps.
  func write(into writer: inout ByteWriter)
}

extension WireValue {
  /// Takes exactly one value: bytes behind it are refused.
  public init(decoding bytes: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(bytes)
    try self.init(reading: &reader)
    try reader.finish()
  }

  public var encoded: [UInt8] {
    var writer = ByteWriter()
    write(into: &writer)
    return writer.bytes
  }
}

extension ByteReader {
  /// A varint that is at most `limit`.
  @inlinable
  public mutating func count(_ field: StaticStringName, atMost limit: Int) throws(DecodeError) -> Int {
    let value = try varint(field)
    guard value <= UInt64(limit) else {
      throw .aboveLimit(field: field, value: Int(clamping: value), limit: limit)
    }
    return Int(value)
  }

  /// A feed's size or an index in it, as a varint: 0 to `WireLimits.feedEntries`.
  @inlinable
  public mutating func feedNumber(_ field: StaticStringName) throws(DecodeError) -> UInt64 {
    UInt64(try count(field, atMost: Int(WireLimits.feedEntries)))
  }

  /// The count of a list that is never empty.
  mutating func listCount(_ field: StaticStringName) throws(DecodeError) -> Int {
    let count = try count(field, atMost: WireLimits.listItems)
    guard count > 0 else { throw .notCanonical(field: field) }
    return count
  }

  /// A feed's size that is not 0.
  mutating func feedSize(_ field: StaticStringName) throws(DecodeError) -> UInt64 {
    let size = try feedNumber(field)
    guard size > 0 else { throw .notCanonical(field: field) }
    return size
  }
}
