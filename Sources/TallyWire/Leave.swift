// Owns: the layout of LEAVE, a host's good-bye, and the string that is signed. Refuses to know: whether it holds.

import TallyBase

/// Type 0x21: a host's signed good-bye. Only a record with a larger number brings it back. Body:
/// ```
/// offset size field
///      0   32 public key
///     32    8 epoch u64
///     40    4 counter u32: the number of its newest record
///     44   64 signature over 0x00 ‖ "tally/leave/1" ‖ meshID ‖ bytes 0..<44
/// ```
public struct Leave: Hashable, Sendable, MeshMessage {
  public static let type = MessageType.leave
  public static let byteCount = 108
  public let key: PublicKey
  public let number: RecordNumber
  public let signature: Signature

  public init(key: PublicKey, number: RecordNumber, signature: Signature) {
    self.key = key
    self.number = number
    self.signature = signature
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    key = try reader.named()
    number = try RecordNumber(reading: &reader)
    signature = try reader.signature()
  }

  public static func signedBytes(mesh: MeshID, key: PublicKey, number: RecordNumber) -> [UInt8] {
    var writer = ByteWriter(capacity: 14 + 32 + 44)
    writer.u8(0)
    writer.raw(Array("tally/leave/1".utf8))
    writer.named(mesh)
    writer.named(key)
    number.write(into: &writer)
    return writer.bytes
  }

  public func write(into writer: inout ByteWriter) {
    writer.named(key)
    number.write(into: &writer)
    writer.signature(signature)
  }
}
