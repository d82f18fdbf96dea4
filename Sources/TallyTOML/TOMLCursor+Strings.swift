// Owns: the four kinds of strings and their escapes. TOML 1.0.0, "String".

extension TOMLCursor {
  /// A string on one line; the next byte is its opening quote.
  mutating func string() throws(TOMLError) -> String {
    let start = position
    guard let quote = next else { throw fault("a string is missing") }
    skip()
    var text: [UInt8] = []
    while let byte = next {
      if take(quote) { return String(decoding: text, as: UTF8.self) }
      if byte == .backslash && quote == .quote {
        try escape(into: &text)
        continue
      }
      if byte == .lf || (byte == .cr && peek(1) == .lf) { break }
      guard !Self.isControl(byte) else { throw fault("a string has \(nextInWords); write it as an escape") }
      text.append(byte)
      skip()
    }
    throw fault("the string that begins here is not closed on its line", at: start)
  }

  /// A string over several lines; the next three bytes open it.
  mutating func longString() throws(TOMLError) -> String {
    let start = position
    guard let quote = next else { throw fault("a string is missing") }
    skip(3)
    var text: [UInt8] = []
    // A line end right behind the opening quotes is not part of the string.
    _ = takeLineEnd()
    while let byte = next {
      if byte == quote {
        if closes(quote, &text) { return String(decoding: text, as: UTF8.self) }
      } else if takeLineEnd() {
        text.append(.lf)
      } else if byte == .backslash && quote == .quote {
        if !joinLines() { try escape(into: &text) }
      } else {
        guard !Self.isControl(byte) else { throw fault("a string has \(nextInWords); write it as an escape") }
        text.append(byte)
        skip()
      }
    }
    throw fault("the string that begins here is not closed", at: start)
  }

  /// Goes over a run of quotes. Fewer than three belong to the string; of up to five the last three close it.
  private mutating func closes(_ quote: UInt8, _ text: inout [UInt8]) -> Bool {
    var run = 0
    while run < 5 && take(quote) { run += 1 }
    let isClosed = run >= 3
    text.append(contentsOf: repeatElement(quote, count: isClosed ? run - 3 : run))
    return isClosed
  }

  /// A backslash at the end of a line joins it with the next one that is not blank.
  private mutating func joinLines() -> Bool {
    var ahead = self
    ahead.skip()
    ahead.skipSpace()
    guard ahead.takeLineEnd() else { return false }
    repeat { ahead.skipSpace() } while ahead.takeLineEnd()
    self = ahead
    return true
  }

  /// One escape; the next byte is the backslash.
  private mutating func escape(into text: inout [UInt8]) throws(TOMLError) {
    let start = position
    skip()
    let kind = next
    switch kind {
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "t"): text.append(.tab)
    case UInt8(ascii: "n"): text.append(.lf)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "r"): text.append(.cr)
    case UInt8.quote, UInt8.backslash: text.append(kind ?? 0)
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      skip()
      let scalar = try scalar(digits: kind == UInt8(ascii: "u") ? 4 : 8, at: start)
      text.append(contentsOf: String(scalar).utf8)
      return
    default:
      throw fault("a backslash and \(nextInWords) are no escape; for a backslash write two", at: start)
    }
    skip()
  }

  private mutating func scalar(digits: Int, at start: Int) throws(TOMLError) -> Unicode.Scalar {
    var number: UInt32 = 0
    for _ in 0..<digits {
      guard let digit = next.flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
        throw fault("an escape of \(digits) hexadecimal digits is too short", at: start)
      }
      // Eight digits are 32 bits.
      number = number << 4 | UInt32(digit)
      skip()
    }
    guard let scalar = Unicode.Scalar(number) else {
      throw fault("U+\(String(number, radix: 16, uppercase: true)) is no character", at: start)
    }
    return scalar
  }
}
