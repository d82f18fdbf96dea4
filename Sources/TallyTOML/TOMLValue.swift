// Owns: one value of a document and the line on which it stands.

public struct TOMLValue: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    case string(String)
    case integer(Int64)
    /// May be infinite or not a number.
    case float(Double)
    case boolean(Bool)
    case dateTime(TOMLDateTime)
    case array([TOMLValue])
    case table(TOMLTable)
  }

  public let kind: Kind
  /// Counted from 1: the line of its key or heading; of an element, where it begins. A table that only other headings
  /// imply stands where it was first named.
  public let line: Int

  init(_ kind: Kind, line: Int) {
    self.kind = kind
    self.line = line
  }

  // Nil when the value is of another kind.
  public var string: String? { if case .string(let string) = kind { string } else { nil } }
  public var integer: Int64? { if case .integer(let integer) = kind { integer } else { nil } }
  public var float: Double? { if case .float(let float) = kind { float } else { nil } }
  public var boolean: Bool? { if case .boolean(let boolean) = kind { boolean } else { nil } }
  public var dateTime: TOMLDateTime? { if case .dateTime(let dateTime) = kind { dateTime } else { nil } }
  public var array: [TOMLValue]? { if case .array(let array) = kind { array } else { nil } }
  public var table: TOMLTable? { if case .table(let table) = kind { table } else { nil } }
}
