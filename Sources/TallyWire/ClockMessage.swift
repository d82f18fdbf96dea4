// Owns: CLOCK, the message: a question of 34 bytes, enough when two clocks are equal, and the pages that answer it.
// Refuses to know: how the digest is made (TallyLog) and when to ask. DESIGN section 9, "Vector clock", level L3.
import TallyBase

/// ```
/// 0   1    step: 0 question, 1 answer, 2 return
/// 1   32   digest of the sender's whole clock
/// 33  rest one ClockPage, only for steps 1 and 2
/// ```
/// A question says "this is the digest of my clock". A host whose digest differs answers with all its pages; the asker
/// returns its own when the answer's last page is in. So each side learns the other's clock, and nothing loops.
public struct ClockMessage: Hashable, Sendable, WireValue {
  @frozen
  public enum Step: UInt8, Hashable, Sendable {
    case question = 0
    case answer = 1
    case `return` = 2
  }

  public let step: Step
  public let digest: Digest
  /// There exactly when the step is not a question.
  public let page: ClockPage?

  public init(question digest: Digest) {
    step = .question
    self.digest = digest
    page = nil
  }

  /// A question has no page: our own mistake.
  public init(_ step: Step, digest: Digest, page: ClockPage) {
    precondition(step != .question, "a question with a page")
    self.step = step
    self.digest = digest
    self.page = page
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    let number = try reader.u8()
    guard let step = Step(rawValue: number) else { throw .unknown(field: "clock step", value: Int(number)) }
    self.step = step
    digest = try reader.named()
    page = step == .question ? nil : try ClockPage(reading: &reader)
  }

  public func write(into writer: inout ByteWriter) {
    writer.u8(step.rawValue)
    writer.named(digest)
    page?.write(into: &writer)
  }
}
