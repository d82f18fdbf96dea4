// Owns: the body of `job.cancel` (kind 3). Its one link names the post.

import TallyBase

/// | offset | size | field |
/// |---|---|---|
/// | 0 | 1 | reason |
public struct JobCancelBody: Hashable, Sendable {
  public enum Reason: UInt8, Hashable, Sendable, CaseIterable {
    case askedFor = 0
    case deadlinePassed = 1
    case noWorker = 2
    case failedTooOften = 3
  }
  public let reason: Reason

  public init(reason: Reason) { self.reason = reason }

  public func encode() -> [UInt8] { [reason.rawValue] }

  public static func decode(_ bytes: [UInt8]) throws(DecodeError) -> JobCancelBody {
    var reader = ByteReader(bytes)
    let code = try reader.u8()
    guard let reason = Reason(rawValue: code) else { throw .unknown(field: "cancel reason", value: Int(code)) }
    try reader.finish()
    return JobCancelBody(reason: reason)
  }
}
