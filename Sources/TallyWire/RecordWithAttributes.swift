// Owns: the layout of RECORD and of the item of MEMBERS. Refuses to know: whether block and digest agree.

import TallyBase

/// Type 0x13, and the item of MEMBERS. Body:
/// ```
/// offset size field
///      0    r node record
///      r    2 length u16 of the attribute block, 0…256; 0: not carried
///    r+2    … attribute block
/// ```
public struct RecordWithAttributes: Hashable, Sendable, MeshMessage {
  public static let type = MessageType.record
  public let record: NodeRecord
  /// Undecoded: its digest is compared with the record's before anybody reads it. Empty: not carried.
  public let block: [UInt8]

  public init(record: NodeRecord, block: [UInt8]) {
    precondition(block.count <= Attributes.byteCountMax, "attribute block of \(block.count) bytes")
    self.record = record
    self.block = block
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    record = try NodeRecord(reading: &reader)
    let count = Int(try reader.u16())
    guard count <= Attributes.byteCountMax else {
      throw .aboveLimit(field: "attribute block", value: count, limit: Attributes.byteCountMax)
    }
    block = try reader.take(count)
  }

  public func write(into writer: inout ByteWriter) {
    record.write(into: &writer)
    writer.counted16(block)
  }
}
