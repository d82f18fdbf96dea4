// Owns: reading little-endian layouts from bytes of a peer. It can make a caller throw, never trap.
// Refuses to know: any layout.

/// A cursor over an array of bytes. Holding the array costs one retain; every read is bounds-checked.
@frozen
public struct ByteReader {
  public let bytes: [UInt8]
  public let end: Int
  @usableFromInline var position: Int

  @inlinable
  public init(_ bytes: [UInt8]) { self.init(bytes, from: 0, to: bytes.count) }

  /// Reads `bytes[from..<to]`. A range outside the array is our own mistake and traps.
  @inlinable
  public init(_ bytes: [UInt8], from: Int, to: Int) {
    precondition(from >= 0 && from <= to && to <= bytes.count, "reader range outside the array")
    self.bytes = bytes
    self.end = to
    self.position = from
  }

  /// The index in `bytes` of the next byte to be read.
  @inlinable public var offset: Int { position }
  @inlinable public var remaining: Int { end - position }
  @inlinable public var isAtEnd: Bool { position == end }

  @inlinable
  public mutating func u8() throws(DecodeError) -> UInt8 {
    try need(1)
    position += 1
    return bytes[position - 1]
  }

  @inlinable public mutating func u16() throws(DecodeError) -> UInt16 { UInt16(truncatingIfNeeded: try little(2)) }
  @inlinable public mutating func u32() throws(DecodeError) -> UInt32 { UInt32(truncatingIfNeeded: try little(4)) }
  @inlinable public mutating func u64() throws(DecodeError) -> UInt64 { try little(8) }
  @inlinable public mutating func i64() throws(DecodeError) -> Int64 { Int64(bitPattern: try little(8)) }

  /// A boolean is one byte, 0 or 1.
  @inlinable
  public mutating func flag(_ field: StaticStringName) throws(DecodeError) -> Bool {
    switch try u8() {
    case 0: return false
    case 1: return true
    default: throw .notCanonical(field: field)
    }
  }

  /// An unsigned LEB128 number in its shortest form (at most ten bytes); a longer form of it is refused.
  @inlinable
  public mutating func varint(_ field: StaticStringName) throws(DecodeError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = try u8()
      let bits = UInt64(byte & 0x7f)
      if shift == 63 && bits > 1 { throw .notCanonical(field: field) }
      value |= bits << shift
      if byte & 0x80 == 0 {
        if byte == 0 && shift > 0 { throw .notCanonical(field: field) }
        return value
      }
      shift += 7
      if shift > 63 { throw .notCanonical(field: field) }
    }
  }

  @inlinable
  public mutating func take(_ count: Int) throws(DecodeError) -> [UInt8] {
    guard count >= 0 else { throw .truncated(needed: 0, available: remaining) }
    try need(count)
    let start = position
    position += count
    return Array(bytes[start..<position])
  }

  @inlinable
  public mutating func skip(_ count: Int) throws(DecodeError) {
    guard count >= 0 else { throw .truncated(needed: 0, available: remaining) }
    try need(count)
    position += count
  }

  @inlinable
  public mutating func bytes32() throws(DecodeError) -> Bytes32 {
    try need(32)
    return Bytes32(word0: big(), word1: big(), word2: big(), word3: big())
  }

  /// Any of the named 32-byte values.
  @inlinable
  public mutating func named<Value: Named32>(_: Value.Type = Value.self) throws(DecodeError) -> Value {
    Value(raw: try bytes32())
  }

  @inlinable
  public mutating func signature() throws(DecodeError) -> Signature {
    Signature(first: try bytes32(), second: try bytes32())
  }

  /// Everything up to the end.
  @inlinable
  public mutating func rest() -> [UInt8] {
    let start = position
    position = end
    return Array(bytes[start..<end])
  }

  /// Every decoder of a whole value ends with this: one value, one encoding, nothing behind it.
  @inlinable
  public func finish() throws(DecodeError) {
    if position != end { throw .trailing(count: end - position) }
  }

  @inlinable
  func need(_ count: Int) throws(DecodeError) {
    if end - position < count { throw .truncated(needed: count, available: end - position) }
  }

  @inlinable
  mutating func little(_ count: Int) throws(DecodeError) -> UInt64 {
    try need(count)
    var value: UInt64 = 0
    var index = count
    while index > 0 {
      index -= 1
      value = value << 8 | UInt64(bytes[position + index])
    }
    position += count
    return value
  }

  /// Eight bytes, most significant first. The caller has checked that they are there.
  @inlinable
  mutating func big() -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<8 { value = value << 8 | UInt64(bytes[position + index]) }
    position += 8
    return value
  }
}
