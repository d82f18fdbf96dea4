// Owns: dates and times in one word of ASCII: their shape and ranges. TOML 1.0.0, RFC 3339 section 5.6.

enum TOMLCalendar {
  /// Nil when the word is no date and no time, or names a moment that no calendar has.
  static func read(_ word: ArraySlice<UInt8>) -> TOMLDateTime? {
    var rest = word
    let kind: TOMLDateTime.Kind
    if takeDate(&rest) {
      if rest.isEmpty {
        kind = .localDate
      } else {
        guard let separator = rest.popFirst(), separator == .space || separator | 0x20 == UInt8(ascii: "t"),
          takeTime(&rest)
        else { return nil }
        kind = rest.isEmpty ? .localDateTime : .offsetDateTime
        guard rest.isEmpty || takeOffset(&rest) && rest.isEmpty else { return nil }
      }
    } else {
      guard takeTime(&rest), rest.isEmpty else { return nil }
      kind = .localTime
    }
    return TOMLDateTime(kind: kind, text: String(decoding: word, as: UTF8.self))
  }

  static func isDate(_ word: ArraySlice<UInt8>) -> Bool {
    var rest = word
    return takeDate(&rest) && rest.isEmpty
  }

  /// `YYYY-MM-DD`; `rest` stays as it is when there is none.
  private static func takeDate(_ rest: inout ArraySlice<UInt8>) -> Bool {
    var ahead = rest
    guard let year = take(4, &ahead, in: 0...9999), ahead.popFirst() == UInt8(ascii: "-"),
      let month = take(2, &ahead, in: 1...12), ahead.popFirst() == UInt8(ascii: "-"),
      take(2, &ahead, in: 1...days(in: month, of: year)) != nil
    else { return false }
    rest = ahead
    return true
  }

  private static func days(in month: Int, of year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// `HH:MM:SS` with a fraction of any length; the 60th second is a leap second.
  private static func takeTime(_ rest: inout ArraySlice<UInt8>) -> Bool {
    guard take(2, &rest, in: 0...23) != nil, rest.popFirst() == UInt8(ascii: ":"),
      take(2, &rest, in: 0...59) != nil, rest.popFirst() == UInt8(ascii: ":"),
      take(2, &rest, in: 0...60) != nil
    else { return false }
    guard rest.first == .dot else { return true }
    let fraction = rest.dropFirst().prefix(while: \.isDigit)
    rest = rest.dropFirst(1 + fraction.count)
    return !fraction.isEmpty
  }

  /// `Z` or `±HH:MM`.
  private static func takeOffset(_ rest: inout ArraySlice<UInt8>) -> Bool {
    switch rest.popFirst() {
    case UInt8(ascii: "Z"), UInt8(ascii: "z"): true
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
      take(2, &rest, in: 0...23) != nil && rest.popFirst() == UInt8(ascii: ":") && take(2, &rest, in: 0...59) != nil
    default: false
    }
  }

  private static func take(_ count: Int, _ rest: inout ArraySlice<UInt8>, in range: ClosedRange<Int>) -> Int? {
    let digits = rest.prefix(count)
    guard digits.count == count, digits.allSatisfy(\.isDigit) else { return nil }
    rest = rest.dropFirst(count)
    let number = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    return range.contains(number) ? number : nil
  }
}
