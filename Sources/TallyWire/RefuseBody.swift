// Owns: the body of `refuse` (kind 8). Its one link names the claim.

import TallyBase

/// | offset | size | field |
/// |---|---|---|
/// | 0 | 1 | reason |
public struct RefuseBody: Hashable, Sendable {
  public enum Reason: UInt8, Hashable, Sendable, CaseIterable {
    case manifestDiffers = 1
    case outputsMissing = 2
    case unitsAboveLimits = 3
    case notAsAsked = 4
    case byAPerson = 5

    public var words: String {
      switch self {
      case .manifestDiffers: "the manifest does not match the claimed digest"
      case .outputsMissing: "listed files did not arrive"
      case .unitsAboveLimits: "more units were claimed than the limits allow"
      case .notAsAsked: "the result is not what was asked for"
      case .byAPerson: "refused by a person"
      }
    }
  }
  public let reason: Reason

  public init(reason: Reason) { self.reason = reason }

  public func encode() -> [UInt8] { [reason.rawValue] }

  public static func decode(_ bytes: [UInt8]) throws(DecodeError) -> RefuseBody {
    var reader = ByteReader(bytes)
    let code = try reader.u8()
    guard let reason = Reason(rawValue: code) else { throw .unknown(field: "refuse reason", value: Int(code)) }
    try reader.finish()
    return RefuseBody(reason: reason)
  }
}
