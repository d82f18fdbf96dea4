// Owns: the layout of FIND, a question to the peer table. Refuses to know: who is asked, and whether he may ask.

import TallyBase

/// Type 0x10. Body:
/// ```
/// offset size field
///      0    8 id u64, comes back in every part of the answer
///      8   32 target: a place in the XOR space
///     40    1 most records wanted, 1…16
/// ```
public struct Find: Hashable, Sendable, MeshMessage {
  public static let type = MessageType.find
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

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    id = try reader.u64()
    target = try reader.named()
    count = Int(try reader.u8())
    guard count > 0 else { throw .notCanonical(field: "FIND count") }
    guard count <= Self.countMax else {
      throw .aboveLimit(field: "FIND count", value: count, limit: Self.countMax)
    }
  }

  public func write(into writer: inout ByteWriter) {
    writer.u64(id)
    writer.named(target)
    writer.u8(UInt8(count))
  }
}
