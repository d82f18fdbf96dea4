// Owns: why a document was refused, and where. Refuses to know: the document's name; the caller puts it in front.

/// A caller that knows the document's name puts it in front: `tally.toml:14:3: …`.
public struct TOMLError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Counted from 1.
  public let line: Int
  /// In Unicode scalars, counted from 1; a tab is one.
  public let column: Int
  /// A sentence without its full stop. It quotes at most one key or value, with control characters written as escapes.
  public let what: String

  public init(line: Int, column: Int, what: String) {
    self.line = line
    self.column = column
    self.what = what
  }

  public var description: String { "\(line):\(column): \(what)" }

  /// `text` between single quotes, fit for a terminal: at most 64 characters, no control characters.
  static func quoted(_ text: String) -> String {
    var quoted = "'"
    for scalar in text.unicodeScalars.prefix(64) {
      if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
        quoted += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + (text.unicodeScalars.count > 64 ? "…'" : "'")
  }
}
