// Owns: booleans, integers and floats in one word of ASCII. TOML 1.0.0, "Integer", "Float", "Boolean".

enum TOMLScalar {
  /// Nil when the word is none of them, or an integer outside 64 bits.
  static func read(_ word: ArraySlice<UInt8>) -> TOMLValue.Kind? {
    let text = String(decoding: word, as: UTF8.self)
    switch text {
    case "true": return .boolean(true)
    case "false": return .boolean(false)
    case "inf", "+inf": return .float(.infinity)
    case "-inf": return .float(-.infinity)
    case "nan", "+nan": return .float(.nan)
    case "-nan": return .float(-.nan)
    default: break
    }
    if let dateTime = TOMLCalendar.read(word) { return .dateTime(dateTime) }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where text.hasPrefix(prefix) {
      return digits(word.dropFirst(2), radix: radix).flatMap { Int64($0, radix: radix) }.map { .integer($0) }
    }
    return decimal(word)
  }

  /// The digits without their underscores, each of which must stand between two digits; nil: none, or something else.
  private static func digits(_ word: ArraySlice<UInt8>, radix: Int) -> String? {
    var digits: [UInt8] = []
    var mayBreak = false
    for byte in word {
      if byte == UInt8(ascii: "_") {
        guard mayBreak else { return nil }
        mayBreak = false
      } else {
        guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digit < radix else { return nil }
        digits.append(byte)
        mayBreak = true
      }
    }
    return mayBreak ? String(decoding: digits, as: UTF8.self) : nil
  }

  /// `[+-]digits`, then for a float `.digits` or `e[+-]digits` or both.
  private static func decimal(_ word: ArraySlice<UInt8>) -> TOMLValue.Kind? {
    var (sign, rest) = signed(word)
    let whole = rest.prefix { $0.isDigit || $0 == UInt8(ascii: "_") }
    rest = rest.dropFirst(whole.count)
    guard let number = digits(whole, radix: 10), number == "0" || !number.hasPrefix("0") else { return nil }
    if rest.isEmpty { return Int64(sign + number).map { .integer($0) } }
    var text = sign + number
    if rest.first == .dot {
      let fraction = rest.dropFirst().prefix { $0.isDigit || $0 == UInt8(ascii: "_") }
      rest = rest.dropFirst(1 + fraction.count)
      guard let fraction = digits(fraction, radix: 10) else { return nil }
      text += "." + fraction
    }
    if let byte = rest.first {
      guard byte | 0x20 == UInt8(ascii: "e") else { return nil }
      (sign, rest) = signed(rest.dropFirst())
      guard let exponent = digits(rest, radix: 10) else { return nil }
      text += "e" + sign + exponent
    }
    return Double(text).map { .float($0) }
  }

  private static func signed(_ word: ArraySlice<UInt8>) -> (sign: String, rest: ArraySlice<UInt8>) {
    switch word.first {
    case UInt8(ascii: "-"): ("-", word.dropFirst())
    case UInt8(ascii: "+"): ("", word.dropFirst())
    default: ("", word)
    }
  }
}
