// Owns: the tagged JSON of toml-test: tables, arrays and `{"type": …, "value": …}`, compared with what was read.
import TallyTOML

indirect enum Expected: Decodable {
  case scalar(type: String, value: String)
  case array([Expected])
  case table([String: Expected])

  private struct Scalar: Decodable {
    let type: String
    let value: String
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let array = try? container.decode([Expected].self) {
      self = .array(array)
    } else if let scalar = try? container.decode(Scalar.self) {
      self = .scalar(type: scalar.type, value: scalar.value)
    } else {
      self = .table(try container.decode([String: Expected].self))
    }
  }

  func equals(_ value: TOMLValue) -> Bool {
    switch (self, value.kind) {
    case (.table(let table), .table(let read)): Self.equal(table, read)
    case (.array(let array), .array(let read)):
      array.count == read.count && zip(array, read).allSatisfy { $0.equals($1) }
    case (.scalar(let type, let text), let kind): Self.equal(type, text, kind)
    default: false
    }
  }

  static func equal(_ table: [String: Expected], _ read: TOMLTable) -> Bool {
    table.count == read.entries.count
      && read.entries.allSatisfy { entry in table[entry.key].map { $0.equals(entry.value) } ?? false }
  }

  private static func equal(_ type: String, _ text: String, _ kind: TOMLValue.Kind) -> Bool {
    switch (type, kind) {
    // Not `==` of strings: that would hold two spellings of one character to be equal.
    case ("string", .string(let string)): Array(string.utf8) == Array(text.utf8)
    case ("integer", .integer(let integer)): String(integer) == text
    case ("bool", .boolean(let boolean)): String(boolean) == text
    case ("float", .float(let float)):
      if float.isNaN {
        text.hasSuffix("nan")
      } else {
        Double(text.hasPrefix("+") ? String(text.dropFirst()) : text) == float
      }
    case ("datetime", .dateTime(let moment)): moment.kind == .offsetDateTime && same(moment.text, text)
    case ("datetime-local", .dateTime(let moment)): moment.kind == .localDateTime && same(moment.text, text)
    case ("date-local", .dateTime(let moment)): moment.kind == .localDate && same(moment.text, text)
    case ("time-local", .dateTime(let moment)): moment.kind == .localTime && same(moment.text, text)
    default: false
    }
  }

  private static func same(_ left: String, _ right: String) -> Bool { canonical(left) == canonical(right) }

  /// With `T` and `Z`, and without the last zeros of a fraction.
  private static func canonical(_ text: String) -> String {
    let text = text.uppercased().replacing(" ", with: "T").replacing("+00:00", with: "Z")
    guard let dot = text.firstIndex(of: ".") else { return text }
    let fraction = text[text.index(after: dot)...].prefix { $0.isNumber }
    var digits = fraction
    while digits.last == "0" { digits.removeLast() }
    return text[..<dot] + (digits.isEmpty ? "" : "." + digits) + text[fraction.endIndex...]
  }
}
