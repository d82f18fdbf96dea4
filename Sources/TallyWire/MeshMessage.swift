// Owns: the frame of the mesh's messages: the type byte and the body behind it. Refuses to know: any body.

import TallyBase

/// A layout that is also a message of its own. `message` is the type byte and the value, nothing behind it.
public protocol MeshMessage: WireValue {
  static var type: MessageType { get }
}

extension MeshMessage {
  /// Reads a whole message, whose first byte the caller looked at to come here.
  public init(message: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(message)
    let type = try reader.u8()
    guard type == Self.type.rawValue else { throw .unknown(field: "message type", value: Int(type)) }
    try self.init(reading: &reader)
    try reader.finish()
  }

  public var message: [UInt8] {
    var writer = ByteWriter(capacity: 256)
    writer.u8(Self.type.rawValue)
    write(into: &writer)
    return writer.bytes
  }
}
