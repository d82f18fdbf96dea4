// Owns: the layout of MEMBERS: pages of statements, each signed by its author. Refuses to know: whether they hold.

import TallyBase

/// Type 0x20: statements about hosts, each signed by its author. Body:
/// ```
/// offset size field
///      0    1 1: the last page of an answer to GET_MEMBERS; 0: anything else
///      1   16 digest of the sender's view (0 unless the first byte is 1)
///     17    2 items n u16, 0…1,024
///     19    … n items: 1 u8 · record with attributes   2 u8 · reached (159)   3 u8 · leave (108)
/// ```
/// At most 60 KiB with its type.
public struct Members: Hashable, Sendable, MeshMessage {
  public static let type = MessageType.members
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

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    guard reader.remaining < Self.byteCountMax else {
      throw .aboveLimit(field: "MEMBERS", value: reader.remaining + 1, limit: Self.byteCountMax)
    }
    let isLast = try reader.flag("MEMBERS last")
    let digest = try ShortDigest(reading: &reader)
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
      case 1: items.append(.record(try RecordWithAttributes(reading: &reader)))
      case 2: items.append(.reached(try Reached(reading: &reader)))
      case 3: items.append(.leave(try Leave(reading: &reader)))
      default: throw .unknown(field: "MEMBERS item", value: Int(tag))
      }
    }
    self.items = items
  }

  public func write(into writer: inout ByteWriter) {
    writer.flag(view != nil)
    (view ?? .zero).write(into: &writer)
    precondition(items.count <= Self.itemCountMax, "MEMBERS with \(items.count) items")
    writer.u16(UInt16(items.count))
    for item in items {
      switch item {
      case .record(let item):
        writer.u8(1)
        item.write(into: &writer)
      case .reached(let item):
        writer.u8(2)
        item.write(into: &writer)
      case .leave(let item):
        writer.u8(3)
        item.write(into: &writer)
      }
    }
    precondition(writer.count <= Self.byteCountMax, "MEMBERS of \(writer.count) bytes")
  }
}
