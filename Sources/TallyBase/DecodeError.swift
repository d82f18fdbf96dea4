// Owns: the ways in which bytes from elsewhere can be wrong. Always the peer's fault: a value, counted, penalised.

public enum DecodeError: Error, Hashable, Sendable {
  /// Fewer bytes than the layout needs.
  case truncated(needed: Int, available: Int)
  /// Bytes left over behind a complete value.
  case trailing(count: Int)
  /// A second encoding of a value that already has one, or a field outside its range; `field` names it.
  case notCanonical(field: StaticStringName)
  /// A count or size above its named limit.
  case aboveLimit(field: StaticStringName, value: Int, limit: Int)
  /// A type, kind or version number that this version does not know.
  case unknown(field: StaticStringName, value: Int)
}

/// A field's name: a literal, so that making an error never allocates and never carries a peer's bytes.
@frozen
public struct StaticStringName: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  @usableFromInline let text: StaticString
  /// Costs nothing: a reader is handed a name with every number, and nearly all are never shown.
  @inlinable public init(stringLiteral value: StaticString) { text = value }
  public var description: String { text.description }

  public static func == (left: StaticStringName, right: StaticStringName) -> Bool {
    left.description == right.description
  }
  public func hash(into hasher: inout Hasher) { hasher.combine(description) }
}

extension DecodeError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .truncated(let needed, let available): "truncated: needs \(needed) bytes, has \(available)"
    case .trailing(let count): "\(count) bytes behind the value"
    case .notCanonical(let field): "\(field) is not in its one canonical form"
    case .aboveLimit(let field, let value, let limit): "\(field) is \(value), the limit is \(limit)"
    case .unknown(let field, let value): "unknown \(field) \(value)"
    }
  }
}
