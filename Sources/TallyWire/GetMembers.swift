// Owns: the layout of GET_MEMBERS. Refuses to know: how a view is digested.

import TallyBase

/// Type 0x25. Body: `0 16 digest` of the sender's view. A receiver with another view answers with MEMBERS.
public struct GetMembers: Hashable, Sendable, MeshMessage {
  public static let type = MessageType.getMembers
  public let view: ShortDigest

  public init(view: ShortDigest) { self.view = view }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    view = try ShortDigest(reading: &reader)
  }

  public func write(into writer: inout ByteWriter) {
    view.write(into: &writer)
  }
}
