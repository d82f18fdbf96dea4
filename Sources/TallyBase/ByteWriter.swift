// Owns: writing little-endian layouts. Refuses to know: any layout.

/// Appends to an array. Limits are the caller's to check; what it writes, `ByteReader` reads back.
@frozen
public struct ByteWriter {
  public var bytes: [UInt8]

  @inlinable
  public init(capacity: Int = 0) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  @inlinable public var count: Int { bytes.count }
  @inlinable public mutating func u8(_ value: UInt8) { bytes.append(value) }
  @inlinable public mutating func u16(_ value: UInt16) { little(UInt64(value), 2) }
  @inlinable public mutating func u32(_ value: UInt32) { little(UInt64(value), 4) }
  @inlinable public mutating func u64(_ value: UInt64) { little(value, 8) }
  @inlinable public mutating func i64(_ value: Int64) { little(UInt64(bitPattern: value), 8) }
  @inlinable public mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }
  @inlinable public mutating func raw(_ value: [UInt8]) { bytes.append(contentsOf: value) }
  @inlinable public mutating func raw(_ value: ArraySlice<UInt8>) { bytes.append(contentsOf: value) }
  @inlinable public mutating func bytes32(_ value: Bytes32) { value.append(to: &bytes) }
  @inlinable public mutating func named(_ value: some Named32) { value.raw.append(to: &bytes) }

  @inlinable
  public mutating func signature(_ value: Signature) {
    value.first.append(to: &bytes)
    value.second.append(to: &bytes)
  }

  /// Unsigned LEB128, shortest form.
  @inlinable
  public mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// A string's or array's bytes behind their count as u16. More than 65,535 is our own mistake and traps.
  @inlinable
  public mutating func counted16(_ value: [UInt8]) {
    precondition(value.count <= 0xffff, "a field of more than 65,535 bytes")
    u16(UInt16(value.count))
    raw(value)
  }

  /// Overwrites two bytes that were written before: a count that is known only afterwards.
  @inlinable
  public mutating func patch16(at index: Int, _ value: UInt16) {
    bytes[index] = UInt8(truncatingIfNeeded: value)
    bytes[index + 1] = UInt8(truncatingIfNeeded: value >> 8)
  }

  @inlinable
  mutating func little(_ value: UInt64, _ count: Int) {
    var rest = value
    for _ in 0..<count {
      bytes.append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }
}
