// Owns: the layout of NODES, the answer to FIND. Refuses to know: whether a record's signature holds.

import TallyBase

/// Type 0x11: one datagram of the answer to a FIND. Body:
/// ```
/// offset size field
///      0    8 id u64 of the FIND
///      8    1 part, 0 or 1
///      9    1 parts, 1 or 2
///     10    1 records n in this part, 0…8
///     11    … n node records, nearest to the target first, over all parts
/// ```
/// A part is at most 1,184 bytes with its type, so that it fits a sealed datagram of 1,232.
public struct Nodes: Hashable, Sendable, MeshMessage {
  public static let type = MessageType.nodes
  public static let countMax = 8
  public static let partCountMax = 2
  public static let byteCountMax = 1184
  static let headByteCount = 12

  public let id: UInt64
  public let part: UInt8
  public let partCount: UInt8
  public let records: [NodeRecord]

  public init(id: UInt64, part: UInt8, partCount: UInt8, records: [NodeRecord]) {
    self.id = id
    self.part = part
    self.partCount = partCount
    self.records = records
  }

  /// Cuts an answer into at most two datagrams; records that do not fit are left out, the farthest first.
  public static func answer(_ id: UInt64, records: [NodeRecord]) -> [Nodes] {
    var groups: [[NodeRecord]] = [[]]
    var byteCount = headByteCount
    for record in records {
      let isFull = groups[groups.count - 1].count == countMax || byteCount + record.byteCount > byteCountMax
      if isFull {
        if groups.count == partCountMax { break }
        groups.append([])
        byteCount = headByteCount
      }
      groups[groups.count - 1].append(record)
      byteCount += record.byteCount
    }
    return groups.indices.map {
      Nodes(id: id, part: UInt8($0), partCount: UInt8(groups.count), records: groups[$0])
    }
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    guard reader.remaining < Self.byteCountMax else {
      throw .aboveLimit(field: "NODES", value: reader.remaining + 1, limit: Self.byteCountMax)
    }
    id = try reader.u64()
    part = try reader.u8()
    partCount = try reader.u8()
    guard (1...Self.partCountMax).contains(Int(partCount)), part < partCount else {
      throw .notCanonical(field: "NODES part")
    }
    let count = Int(try reader.u8())
    guard count <= Self.countMax else {
      throw .aboveLimit(field: "NODES records", value: count, limit: Self.countMax)
    }
    var records: [NodeRecord] = []
    for _ in 0..<count { records.append(try NodeRecord(reading: &reader)) }
    self.records = records
  }

  public func write(into writer: inout ByteWriter) {
    writer.u64(id)
    writer.u8(part)
    writer.u8(partCount)
    writer.u8(UInt8(records.count))
    for record in records { record.write(into: &writer) }
    precondition(writer.count <= Self.byteCountMax, "NODES of \(writer.count) bytes")
  }
}
