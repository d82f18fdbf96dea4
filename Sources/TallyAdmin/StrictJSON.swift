// Owns: whether bytes are JSON, to the letter of RFC 8259, and where the members of the outermost value stand. What a
// lenient decoder would wave through is refused here first.
// Refuses to know: what any member means.

/// A scan of one line. Nothing is copied: members are ranges of the line.
public struct StrictJSON: Sendable {
  public enum Shape: Hashable, Sendable {
    /// The members of an object, in order, keys unescaped byte for byte only when they hold no escape.
    case object([Member])
    case array([Range<Int>])
    case other
  }
  public struct Member: Hashable, Sendable {
    public let key: Range<Int>
    public let value: Range<Int>
  }
  public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    public let offset: Int
    public let what: String
    public var description: String { "not JSON at byte \(offset): \(what)" }
  }

  private let bytes: ArraySlice<UInt8>
  private var position: Int
  private var depth = 0

  /// The shape of exactly one JSON value with optional white space around it.
  public static func scan(_ bytes: ArraySlice<UInt8>) throws(Failure) -> Shape {
    var scanner = StrictJSON(bytes)
    scanner.skipSpace()
    let shape = try scanner.outermost()
    scanner.skipSpace()
    if scanner.position != bytes.endIndex { throw scanner.failure("something behind the value") }
    return shape
  }

  private init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  private func failure(_ what: String) -> Failure { Failure(offset: position - bytes.startIndex, what: what) }
  private var next: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
  }

  private mutating func outermost() throws(Failure) -> Shape {
    switch next {
    case UInt8(ascii: "{"):
      var members: [Member] = []
      try object { members.append($0) }
      return .object(members)
    case UInt8(ascii: "["):
      var elements: [Range<Int>] = []
      try array { elements.append($0) }
      return .array(elements)
    default:
      try value()
      return .other
    }
  }

  private mutating func value() throws(Failure) {
    switch next {
    case UInt8(ascii: "{"): try object { _ in }
    case UInt8(ascii: "["): try array { _ in }
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "-"): try number()
    case .some(0x30...0x39): try number()
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    case nil: throw failure("the value is missing")
    default: throw failure("no value begins like this")
    }
  }

  private mutating func enter() throws(Failure) {
    depth += 1
    if depth > AdminLimits.depthMax { throw failure("more than \(AdminLimits.depthMax) levels") }
    position += 1
    skipSpace()
  }

  private mutating func object(_ member: (Member) -> Void) throws(Failure) {
    try enter()
    if next == UInt8(ascii: "}") {
      position += 1
      depth -= 1
      return
    }
    while true {
      guard next == UInt8(ascii: "\"") else { throw failure("a key must be a string") }
      let key = position + 1
      try string()
      let keyEnd = position - 1
      skipSpace()
      guard next == UInt8(ascii: ":") else { throw failure("a colon is missing") }
      position += 1
      skipSpace()
      let start = position
      try value()
      member(Member(key: key..<keyEnd, value: start..<position))
      skipSpace()
      guard next == UInt8(ascii: ",") else { break }
      position += 1
      skipSpace()
    }
    guard next == UInt8(ascii: "}") else { throw failure("the object is not closed") }
    position += 1
    depth -= 1
  }

  private mutating func array(_ element: (Range<Int>) -> Void) throws(Failure) {
    try enter()
    if next == UInt8(ascii: "]") {
      position += 1
      depth -= 1
      return
    }
    while true {
      let start = position
      try value()
      element(start..<position)
      skipSpace()
      guard next == UInt8(ascii: ",") else { break }
      position += 1
      skipSpace()
    }
    guard next == UInt8(ascii: "]") else { throw failure("the array is not closed") }
    position += 1
    depth -= 1
  }

  private mutating func word(_ text: StaticString) throws(Failure) {
    for byte in text.description.utf8 {
      guard next == byte else { throw failure("not true, false or null") }
      position += 1
    }
  }

  private mutating func digits() -> Int {
    let start = position
    while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
    return position - start
  }

  private mutating func number() throws(Failure) {
    if next == UInt8(ascii: "-") { position += 1 }
    if next == UInt8(ascii: "0") {
      position += 1
    } else if digits() == 0 {
      throw failure("a number without digits")
    }
    if next == UInt8(ascii: ".") {
      position += 1
      if digits() == 0 { throw failure("no digits behind the point") }
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      position += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
      if digits() == 0 { throw failure("no digits in the exponent") }
    }
  }

  private mutating func string() throws(Failure) {
    position += 1
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return
      case UInt8(ascii: "\\"): try escape()
      case 0x00..<0x20: throw failure("a control character in a string")
      case 0x20..<0x80: position += 1
      default: try multibyte(byte)
      }
    }
    throw failure("the string is not closed")
  }

  private mutating func escape() throws(Failure) {
    position += 1
    switch next {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 1
    case UInt8(ascii: "u"):
      position += 1
      let unit = try hex4()
      if 0xdc00...0xdfff ~= unit { throw failure("a lone surrogate") }
      guard 0xd800...0xdbff ~= unit else { return }
      guard next == UInt8(ascii: "\\") else { throw failure("a lone surrogate") }
      position += 1
      guard next == UInt8(ascii: "u") else { throw failure("a lone surrogate") }
      position += 1
      guard 0xdc00...0xdfff ~= (try hex4()) else { throw failure("a lone surrogate") }
    default: throw failure("an escape that JSON does not have")
    }
  }

  private mutating func hex4() throws(Failure) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next else { throw failure("an escape is cut off") }
      switch byte {
      case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
      case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
      case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
      default: throw failure("an escape without four hexadecimal digits")
      }
      position += 1
    }
    return value
  }

  /// UTF-8 of two to four bytes, shortest form, no surrogates (RFC 3629 section 4).
  private mutating func multibyte(_ first: UInt8) throws(Failure) {
    let count: Int
    var low: UInt8 = 0x80
    var high: UInt8 = 0xbf
    switch first {
    case 0xc2...0xdf: count = 1
    case 0xe0...0xef:
      count = 2
      if first == 0xe0 { low = 0xa0 }
      if first == 0xed { high = 0x9f }
    case 0xf0...0xf4:
      count = 3
      if first == 0xf0 { low = 0x90 }
      if first == 0xf4 { high = 0x8f }
    default: throw failure("not UTF-8")
    }
    position += 1
    for _ in 0..<count {
      guard let byte = next, low...high ~= byte else { throw failure("not UTF-8") }
      position += 1
      low = 0x80
      high = 0xbf
    }
  }
}
