// Owns: the body of `record`. Refuses to know: the words it commits to.
import TallyBase

/// `record`: any statement of the author's about bytes that stay outside the log.
///
/// ```
/// 0  1   form: 0 salted, 1 plain
/// 1  32  salted: SHA-256("tally/words/1" ‖ salt 32 ‖ bytes); plain: SHA-256(bytes)
/// ```
public struct RecordBody: Hashable, Sendable, WireValue {
  @frozen
  public enum Form: UInt8, Hashable, Sendable {
    case salted = 0
    case plain = 1
  }

  public let form: Form
  public let digest: Digest

  public init(form: Form, digest: Digest) {
    self.form = form
    self.digest = digest
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    let number = try reader.u8()
    guard let form = Form(rawValue: number) else { throw .unknown(field: "record form", value: Int(number)) }
    self.form = form
    digest = try reader.named()
  }

  public func write(into writer: inout ByteWriter) {
    writer.u8(form.rawValue)
    writer.named(digest)
  }
}
