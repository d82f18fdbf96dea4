// Owns: the layout of GET_LEAF (0x50) and NO_LEAF (0x52).
import TallyBase

/// Asks for one leaf (0x50), or says that it is not given (0x52).
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 32 | content ID |
/// | 32 | 4 | leaf index u32 |
public struct LeafRequest: Hashable, Sendable {
  public var id: ContentID
  public var leaf: UInt32

  public init(id: ContentID, leaf: UInt32) {
    self.id = id
    self.leaf = leaf
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    id = try reader.named()
    leaf = try reader.u32()
    try reader.finish()
  }

  public func message(_ type: MessageType) -> [UInt8] {
    precondition(type == .getLeaf || type == .noLeaf, "not a leaf request: \(type.rawValue)")
    var writer = ByteWriter(capacity: 37)
    writer.u8(type.rawValue)
    writer.named(id)
    writer.u32(leaf)
    return writer.bytes
  }
}
