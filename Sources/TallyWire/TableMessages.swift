// Owns: FIND, NODES, GET_RECORD and RECORD, the questions and answers of the peer table. All four travel by datagram.
// Refuses to know: who is asked, and whether a record's signature holds.

import TallyBase

/// Type 0x10. Body:
/// ```
/// offset size field
///      0    8 id u64, comes back in every part of the answer
///      8   32 target: a place in the XOR space
///     40    1 most records wanted, 1…16
/// ```
public struct Find: Hashable, Sendable {
  public static let countMax = 16
  public let id: UInt64
  public let target: NodeID
  public let count: Int

  public init(id: UInt64, target: NodeID, count: Int) {
    precondition((1...Self.countMax).contains(count), "FIND for \(count) records")
    self.id = id
    self.target = target
    self.count = count
  }

  public init(message: [UInt8]) throws(DecodeError) {
    var reader = try MessageBody.reader(message)
    id = try reader.u64()
    target = try reader.named()
    count = Int(try reader.u8())
    guard count > 0 else { throw .notCanonical(field: "FIND count") }
    guard count <= Self.countMax else {
      throw .aboveLimit(field: "FIND count", value: count, limit: Self.countMax)
    }
    try reader.finish()
  }

  public var message: [UInt8] {
    var writer = MessageBody.writer(.find, capacity: 41)
    writer.u64(id)
    writer.named(target)
    writer.u8(UInt8(count))
    return writer.bytes
  }
}

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
public struct Nodes: Hashable, Sendable {
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

  public init(message: [UInt8]) throws(DecodeError) {
    guard message.count <= Self.byteCountMax else {
      throw .aboveLimit(field: "NODES", value: message.count, limit: Self.byteCountMax)
    }
    var reader = try MessageBody.reader(message)
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
    for _ in 0..<count { records.append(try NodeRecord(from: &reader)) }
    self.records = records
    try reader.finish()
  }

  public var message: [UInt8] {
    var writer = MessageBody.writer(.nodes, capacity: Self.byteCountMax)
    writer.u64(id)
    writer.u8(part)
    writer.u8(partCount)
    writer.u8(UInt8(records.count))
    for record in records { record.encode(into: &writer) }
    precondition(writer.count <= Self.byteCountMax, "NODES of \(writer.count) bytes")
    return writer.bytes
  }
}

/// Type 0x12. Body: `0 32 public key` whose record is wanted. No answer: not held.
public struct GetRecord: Hashable, Sendable {
  public let key: PublicKey

  public init(key: PublicKey) { self.key = key }

  public init(message: [UInt8]) throws(DecodeError) {
    var reader = try MessageBody.reader(message)
    key = try reader.named()
    try reader.finish()
  }

  public var message: [UInt8] {
    var writer = MessageBody.writer(.getRecord, capacity: 32)
    writer.named(key)
    return writer.bytes
  }
}

/// Type 0x13, and the item of MEMBERS. Body:
/// ```
/// offset size field
///      0    r node record
///      r    2 length u16 of the attribute block, 0…256; 0: not carried
///    r+2    … attribute block
/// ```
public struct RecordWithAttributes: Hashable, Sendable {
  public let record: NodeRecord
  /// Undecoded: its digest is compared with the record's before anybody reads it. Empty: not carried.
  public let block: [UInt8]

  public init(record: NodeRecord, block: [UInt8]) {
    precondition(block.count <= Attributes.byteCountMax, "attribute block of \(block.count) bytes")
    self.record = record
    self.block = block
  }

  public init(from reader: inout ByteReader) throws(DecodeError) {
    record = try NodeRecord(from: &reader)
    let count = Int(try reader.u16())
    guard count <= Attributes.byteCountMax else {
      throw .aboveLimit(field: "attribute block", value: count, limit: Attributes.byteCountMax)
    }
    block = try reader.take(count)
  }

  public init(message: [UInt8]) throws(DecodeError) {
    var reader = try MessageBody.reader(message)
    try self.init(from: &reader)
    try reader.finish()
  }

  public func encode(into writer: inout ByteWriter) {
    record.encode(into: &writer)
    writer.counted16(block)
  }

  public var message: [UInt8] {
    var writer = MessageBody.writer(.record, capacity: record.byteCount + 2 + block.count)
    encode(into: &writer)
    return writer.bytes
  }
}
