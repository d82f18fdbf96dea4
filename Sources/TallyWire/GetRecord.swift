// Owns: the layout of GET_RECORD. Refuses to know: who holds what.

import TallyBase

/// Type 0x12. Body: `0 32 public key` whose record is wanted. No answer: not held.
public struct GetRecord: Hashable, Sendable, MeshMessage {
  public static let type = MessageType.getRecord
  public let key: PublicKey

  public init(key: PublicKey) { self.key = key }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    key = try reader.named()
  }

  public func write(into writer: inout ByteWriter) {
    writer.named(key)
  }
}
