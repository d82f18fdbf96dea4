// Owns: a table of a document in the order in which its keys first stand there.

public struct TOMLTable: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    public let key: String
    public let value: TOMLValue
  }

  public let entries: [Entry]
  /// By the key's bytes: two spellings of "é" are two keys, which `String` would hold to be one.
  private let places: [[UInt8]: Int]

  init(_ entries: [Entry], places: [[UInt8]: Int]) {
    self.entries = entries
    self.places = places
  }

  public var keys: [String] { entries.map(\.key) }

  /// The value of a key of this table itself; a dot in `key` is a dot of the key. Nil when there is none.
  public subscript(_ key: String) -> TOMLValue? { places[Array(key.utf8)].map { entries[$0].value } }
}
