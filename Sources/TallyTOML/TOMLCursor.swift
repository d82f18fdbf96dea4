// Owns: the place in the document, its line, and what stands between words: space, line ends, comments.
// Refuses to know: keys, values, tables.

struct TOMLCursor {
  let bytes: [UInt8]
  private(set) var position = 0
  /// Counted from 1.
  private(set) var line = 1

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The next byte; nil at the end.
  var next: UInt8? { position < bytes.count ? bytes[position] : nil }
  /// The byte `distance` after the next one; nil behind the end.
  func peek(_ distance: Int) -> UInt8? {
    let place = position + distance
    return place < bytes.count ? bytes[place] : nil
  }

  /// Goes over `count` bytes, which are there and are no line ends.
  mutating func skip(_ count: Int = 1) {
    precondition(position + count <= bytes.count, "over the end: \(position) + \(count) of \(bytes.count)")
    position += count
  }

  func stands(_ text: StaticString) -> Bool {
    let wanted = "\(text)".utf8
    return bytes[position...].starts(with: wanted)
  }

  /// Goes over `byte` if it is the next one.
  mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }

  /// Goes over LF or CR LF, if one is next.
  mutating func takeLineEnd() -> Bool {
    if next == .lf {
      position += 1
    } else if next == .cr && peek(1) == .lf {
      position += 2
    } else {
      return false
    }
    line += 1
    return true
  }

  mutating func skipSpace() {
    while next == .space || next == .tab { position += 1 }
  }

  /// Goes over space, line ends and comments.
  mutating func skipBlank() throws(TOMLError) {
    repeat {
      skipSpace()
      try skipComment()
    } while takeLineEnd()
  }

  /// Goes over space and a comment; after that the line, or the document, must end.
  mutating func endLine(after what: String) throws(TOMLError) {
    skipSpace()
    try skipComment()
    guard next == nil || takeLineEnd() else { throw fault("\(nextInWords) stands after \(what)") }
  }

  private mutating func skipComment() throws(TOMLError) {
    guard next == .hash else { return }
    while let byte = next, byte != .lf {
      if byte == .cr && peek(1) == .lf { return }
      guard !Self.isControl(byte) else { throw fault("a comment has \(nextInWords)") }
      position += 1
    }
  }

  /// What may stand in no comment and no string: control characters but the tab.
  static func isControl(_ byte: UInt8) -> Bool { (byte < 0x20 && byte != .tab) || byte == 0x7f }

  /// The bytes from `start` to here.
  func text(from start: Int) -> String { String(decoding: bytes[start..<position], as: UTF8.self) }

  /// The next character, for a fault.
  var nextInWords: String {
    guard let byte = next else { return "the end of the file" }
    if byte == .lf || (byte == .cr && peek(1) == .lf) { return "the end of the line" }
    guard byte >= 0x20 && byte != 0x7f else { return "the control character \(byte)" }
    let character = String(decoding: bytes[position...].prefix(4), as: UTF8.self).unicodeScalars.first
    return character.map { TOMLError.quoted(String($0)) } ?? "the byte \(byte)"
  }

  /// A fault at the byte `place`; nil: here.
  func fault(_ what: String, at place: Int? = nil) -> TOMLError {
    let before = bytes[..<(place ?? position)]
    let start = before.lastIndex(of: .lf).map { $0 + 1 } ?? 0
    return TOMLError(
      line: 1 + before.count { $0 == .lf }, column: 1 + before[start...].count { $0 & 0xc0 != 0x80 }, what: what)
  }

  /// Checks that the whole document is UTF-8, and goes over a byte order mark.
  mutating func checkEncoding() throws(TOMLError) {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      var decoder = UTF8()
      var iterator = bytes.makeIterator()
      var valid = 0
      while case .scalarValue(let scalar) = decoder.decode(&iterator) { valid += UTF8.width(scalar) }
      throw fault("the text is not UTF-8", at: min(valid, bytes.count))
    }
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
  }
}

/// The bytes that mean something in TOML.
extension UInt8 {
  static let tab = UInt8(ascii: "\t")
  static let lf = UInt8(ascii: "\n")
  static let cr = UInt8(ascii: "\r")
  static let space = UInt8(ascii: " ")
  static let hash = UInt8(ascii: "#")
  static let quote = UInt8(ascii: "\"")
  static let apostrophe = UInt8(ascii: "'")
  static let backslash = UInt8(ascii: "\\")
  static let dot = UInt8(ascii: ".")
  static let comma = UInt8(ascii: ",")
  static let equals = UInt8(ascii: "=")
  static let openBracket = UInt8(ascii: "[")
  static let closeBracket = UInt8(ascii: "]")
  static let openBrace = UInt8(ascii: "{")
  static let closeBrace = UInt8(ascii: "}")

  var isDigit: Bool { (0x30...0x39).contains(self) }
  var isLetter: Bool { (0x41...0x5a).contains(self) || (0x61...0x7a).contains(self) }
}
