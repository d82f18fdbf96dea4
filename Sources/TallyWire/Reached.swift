// Owns: the layout of REACHED, an observer's word that it met a host, and the string that is signed.
// Refuses to know: who may give it, and whether the signature holds.

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
public struct Reached: Hashable, Sendable, MeshMessage {
  public static let type = MessageType.reached
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

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    let how = try reader.u8()
    guard let known = How(rawValue: how) else { throw .unknown(field: "reached how", value: Int(how)) }
    self.how = known
    subject = try reader.named()
    number = try RecordNumber(reading: &reader)
    endpoint = try reader.endpoint()
    observer = try reader.named()
    signature = try reader.signature()
    guard subject != observer else { throw .notCanonical(field: "reached observer") }
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

  public func write(into writer: inout ByteWriter) {
    encodeCore(into: &writer)
    writer.signature(signature)
  }

  private func encodeCore(into writer: inout ByteWriter) {
    writer.u8(how.rawValue)
    writer.named(subject)
    number.write(into: &writer)
    writer.endpoint(endpoint)
    writer.named(observer)
  }
}
