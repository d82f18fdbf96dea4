// Owns: reading and writing the fields that the work bodies share. Refuses to know: any body.

import TallyBase

extension ByteReader {
  /// Five bytes, little-endian: 0 ..< 2^40.
  mutating func u40() throws(DecodeError) -> UInt64 {
    let low = UInt64(try u32())
    return low | UInt64(try u8()) << 32
  }

  mutating func i32() throws(DecodeError) -> Int32 { Int32(bitPattern: try u32()) }

  /// An exit code: 0 … 255, or minus a signal's number down to -64.
  mutating func exitCode() throws(DecodeError) -> Int32 {
    let value = try i32()
    guard WorkLimits.exitCodes.contains(value) else { throw .notCanonical(field: "exit") }
    return value
  }

  mutating func number(
    _ field: StaticStringName, _ range: ClosedRange<UInt32>
  ) throws(DecodeError) -> UInt32 {
    let value = try u32()
    guard value <= range.upperBound else {
      throw .aboveLimit(field: field, value: Int(value), limit: Int(range.upperBound))
    }
    guard value >= range.lowerBound else { throw .notCanonical(field: field) }
    return value
  }
}

extension ByteWriter {
  /// Five bytes, little-endian. A value of 2^40 or more is our own mistake and traps.
  mutating func u40(_ value: UInt64) {
    precondition(value < WorkLimits.amountEnd, "\(value) does not fit into five bytes")
    u32(UInt32(truncatingIfNeeded: value))
    u8(UInt8(truncatingIfNeeded: value >> 32))
  }

  mutating func i32(_ value: Int32) { u32(UInt32(bitPattern: value)) }
}
