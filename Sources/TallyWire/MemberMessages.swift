// Owns: REACHED, LEAVE, MEMBERS and GET_MEMBERS, the statements that membership is made of. All travel on links.
// Refuses to know: who may make them, and whether a signature holds. ACCUSE and WITHDRAW have drafts in PROTOCOL.md.

import TallyBase

/// Type 0x24: an observer's signed word that it met a host. Body:
/// ```
/// offset size field
///      0    1 how: 1 at its advertised address, 2 over a session it opened, path challenged
///      1   32 subject
///     33    8 epoch u64 of the subject's record
///     41    4 counter u32 of it
///     45   18 where the subject was met (how 1: one of the record's endpoints)
///     63   32 observer
///     95   64 the observer's signature over 0x00 ‖ "tally/reached/1" ‖ meshID ‖ bytes 0..<95
/// ```
public struct Reached: Hashable, Sendable {
  public enum How: UInt8, Sendable, CaseIterable {
    case atAddress = 1
    case overItsSession = 2
  }

  public static let byteCount = 159
  public let how: How
  public let subject: PublicKey
  public let number: RecordNumber
  public let endpoint: Endpoint
  public let observer: PublicKey
  public let signature: Signature

  public init(
    how: How, subject: PublicKey, number: RecordNumber, endpoint: Endpoint, observer: PublicKey, signature: Signature
  ) {
    self.how = how
    self.subject = subject
    self.number = number
    self.endpoint = endpoint
    self.observer = observer
    self.signature = signature
  }

  public init(from reader: inout ByteReader) throws(DecodeError) {
    let how = try reader.u8()
    guard let known = How(rawValue: how) else { throw .unknown(field: "reached how", value: Int(how)) }
    self.how = known
    subject = try reader.named()
    number = try RecordNumber(from: &reader)
    endpoint = try EndpointLayout.readAny(&reader)
    observer = try reader.named()
    signature = try reader.signature()
    guard subject != observer else { throw .notCanonical(field: "reached observer") }
  }

  public init(message: [UInt8]) throws(DecodeError) {
    var reader = try MessageBody.reader(message)
    try self.init(from: &reader)
    try reader.finish()
  }

  /// What the observer signs. `signature` of `self` is not read.
  public func signedBytes(mesh: MeshID) -> [UInt8] {
    var writer = ByteWriter(capacity: 16 + 32 + 95)
    writer.u8(0)
    writer.raw(Array("tally/reached/1".utf8))
    writer.named(mesh)
    encodeCore(into: &writer)
    return writer.bytes
  }

  public func encode(into writer: inout ByteWriter) {
    encodeCore(into: &writer)
    writer.signature(signature)
  }

  private func encodeCore(into writer: inout ByteWriter) {
    writer.u8(how.rawValue)
    writer.named(subject)
    number.encode(into: &writer)
    EndpointLayout.writeAny(endpoint, into: &writer)
    writer.named(observer)
  }

  public var message: [UInt8] {
    var writer = MessageBody.writer(.reached, capacity: Self.byteCount)
    encode(into: &writer)
    return writer.bytes
  }
}

/// Type 0x21: a host's signed good-bye. Only a record with a larger number brings it back. Body:
/// ```
/// offset size field
///      0   32 public key
///     32    8 epoch u64
///     40    4 counter u32: the number of its newest record
///     44   64 signature over 0x00 ‖ "tally/leave/1" ‖ meshID ‖ bytes 0..<44
/// ```
public struct Leave: Hashable, Sendable {
  public static let byteCount = 108
  public let key: PublicKey
  public let number: RecordNumber
  public let signature: Signature

  public init(key: PublicKey, number: RecordNumber, signature: Signature) {
    self.key = key
    self.number = number
    self.signature = signature
  }

  public init(from reader: inout ByteReader) throws(DecodeError) {
    key = try reader.named()
    number = try RecordNumber(from: &reader)
    signature = try reader.signature()
  }

  public init(message: [UInt8]) throws(DecodeError) {
    var reader = try MessageBody.reader(message)
    try self.init(from: &reader)
    try reader.finish()
  }

  public static func signedBytes(mesh: MeshID, key: PublicKey, number: RecordNumber) -> [UInt8] {
    var writer = ByteWriter(capacity: 14 + 32 + 44)
    writer.u8(0)
    writer.raw(Array("tally/leave/1".utf8))
    writer.named(mesh)
    writer.named(key)
    number.encode(into: &writer)
    return writer.bytes
  }

  public func encode(into writer: inout ByteWriter) {
    writer.named(key)
    number.encode(into: &writer)
    writer.signature(signature)
  }

  public var message: [UInt8] {
    var writer = MessageBody.writer(.leave, capacity: Self.byteCount)
    encode(into: &writer)
    return writer.bytes
  }
}

/// Type 0x25. Body: `0 16 digest` of the sender's view. A receiver with another view answers with MEMBERS.
public struct GetMembers: Hashable, Sendable {
  public let view: ShortDigest

  public init(view: ShortDigest) { self.view = view }

  public init(message: [UInt8]) throws(DecodeError) {
    var reader = try MessageBody.reader(message)
    view = try ShortDigest(from: &reader)
    try reader.finish()
  }

  public var message: [UInt8] {
    var writer = MessageBody.writer(.getMembers, capacity: 16)
    view.encode(into: &writer)
    return writer.bytes
  }
}

/// Type 0x20: statements about hosts, each signed by its author. Body:
/// ```
/// offset size field
///      0    1 1: the last page of an answer to GET_MEMBERS; 0: anything else
///      1   16 digest of the sender's view (0 unless the first byte is 1)
///     17    2 items n u16, 0…1,024
///     19    … n items: 1 u8 · record with attributes   2 u8 · reached (159)   3 u8 · leave (108)
/// ```
/// At most 60 KiB with its type.
public struct Members: Hashable, Sendable {
  public enum Item: Hashable, Sendable {
    case record(RecordWithAttributes)
    case reached(Reached)
    case leave(Leave)

    /// With its tag.
    public var byteCount: Int {
      switch self {
      case .record(let item): 1 + item.record.byteCount + 2 + item.block.count
      case .reached: 1 + Reached.byteCount
      case .leave: 1 + Leave.byteCount
      }
    }
  }

  public static let byteCountMax = 60 * 1024
  public static let itemCountMax = 1024
  static let headByteCount = 20

  /// The sender's view, on the last page of an answer.
  public let view: ShortDigest?
  public let items: [Item]

  public init(view: ShortDigest?, items: [Item]) {
    self.view = view
    self.items = items
  }

  /// Cuts items into pages; the last one carries `view`. Never empty.
  public static func pages(_ items: [Item], view: ShortDigest?) -> [Members] {
    var pages: [[Item]] = [[]]
    var byteCount = headByteCount
    for item in items {
      if byteCount + item.byteCount > byteCountMax || pages[pages.count - 1].count == itemCountMax {
        pages.append([])
        byteCount = headByteCount
      }
      pages[pages.count - 1].append(item)
      byteCount += item.byteCount
    }
    return pages.indices.map { Members(view: $0 == pages.count - 1 ? view : nil, items: pages[$0]) }
  }

  public init(message: [UInt8]) throws(DecodeError) {
    guard message.count <= Self.byteCountMax else {
      throw .aboveLimit(field: "MEMBERS", value: message.count, limit: Self.byteCountMax)
    }
    var reader = try MessageBody.reader(message)
    let isLast = try reader.flag("MEMBERS last")
    let digest = try ShortDigest(from: &reader)
    guard isLast || digest == .zero else { throw .notCanonical(field: "MEMBERS view") }
    view = isLast ? digest : nil
    let count = Int(try reader.u16())
    guard count <= Self.itemCountMax else {
      throw .aboveLimit(field: "MEMBERS items", value: count, limit: Self.itemCountMax)
    }
    var items: [Item] = []
    for _ in 0..<count {
      let tag = try reader.u8()
      switch tag {
      case 1: items.append(.record(try RecordWithAttributes(from: &reader)))
      case 2: items.append(.reached(try Reached(from: &reader)))
      case 3: items.append(.leave(try Leave(from: &reader)))
      default: throw .unknown(field: "MEMBERS item", value: Int(tag))
      }
    }
    self.items = items
    try reader.finish()
  }

  public var message: [UInt8] {
    var writer = MessageBody.writer(.members, capacity: items.reduce(Self.headByteCount) { $0 + $1.byteCount })
    writer.flag(view != nil)
    (view ?? .zero).encode(into: &writer)
    precondition(items.count <= Self.itemCountMax, "MEMBERS with \(items.count) items")
    writer.u16(UInt16(items.count))
    for item in items {
      switch item {
      case .record(let item):
        writer.u8(1)
        item.encode(into: &writer)
      case .reached(let item):
        writer.u8(2)
        item.encode(into: &writer)
      case .leave(let item):
        writer.u8(3)
        item.encode(into: &writer)
      }
    }
    precondition(writer.count <= Self.byteCountMax, "MEMBERS of \(writer.count) bytes")
    return writer.bytes
  }
}
