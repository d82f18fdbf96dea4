// Owns: reading JSON strictly (RFC 8259, I-JSON's rules of RFC 7493): UTF-8, no duplicate names, no lone surrogates, no
// numbers but integers from 0 to 2^53 - 1, bounded depth. A peer can make it throw, never trap or recurse deeply.

struct JSONFault: Error, Hashable, Sendable {
  /// Index of the byte at which reading stopped.
  let offset: Int
  let problem: String
  let fix: String
}

struct JSONParser {
  private let bytes: [UInt8]
  private let depthMax: Int
  private var position = 0

  static func parse(_ bytes: [UInt8], depthMax: Int) throws(JSONFault) -> JSONValue {
    var parser = JSONParser(bytes: bytes, depthMax: depthMax)
    parser.skipSpace()
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    if parser.position < bytes.count { throw parser.fault("text behind the value", "end the text after it") }
    return value
  }

  private init(bytes: [UInt8], depthMax: Int) {
    self.bytes = bytes
    self.depthMax = depthMax
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func fault(_ problem: String, _ fix: String) -> JSONFault {
    JSONFault(offset: position, problem: problem, fix: fix)
  }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
  }

  private mutating func value(depth: Int) throws(JSONFault) -> JSONValue {
    guard depth <= depthMax else { throw fault("more than \(depthMax) levels", "nest less") }
    guard let byte = next else { throw fault("the text ends early", "complete it") }
    switch byte {
    case 0x7b: return try object(depth: depth)
    case 0x5b: return try array(depth: depth)
    case 0x22: return .string(try string())
    case 0x2d: throw fault("a negative number", "use a whole number from 0 to 2^53 - 1")
    case 0x30...0x39: return .integer(try integer())
    case 0x74: return try word("true", .bool(true))
    case 0x66: return try word("false", .bool(false))
    case 0x6e: return try word("null", .null)
    default: throw fault("no JSON value begins with byte \(byte)", "write an object")
    }
  }

  private mutating func word(_ text: String, _ value: JSONValue) throws(JSONFault) -> JSONValue {
    let expected = Array(text.utf8)
    guard bytes.count - position >= expected.count, Array(bytes[position..<position + expected.count]) == expected
    else { throw fault("a word that is not JSON", "write true, false or null") }
    position += expected.count
    return value
  }

  private mutating func integer() throws(JSONFault) -> UInt64 {
    let start = position
    var number: UInt64 = 0
    while let byte = next, (0x30...0x39).contains(byte) {
      guard number < 1 << 53 else { throw fault("a number above 2^53 - 1", "use a smaller one") }
      number = number * 10 + UInt64(byte - 0x30)
      position += 1
    }
    guard number < 1 << 53 else { throw fault("a number above 2^53 - 1", "use a smaller one") }
    if bytes[start] == 0x30 && position - start > 1 { throw fault("a leading zero", "leave it out") }
    if let byte = next, byte == 0x2e || byte == 0x65 || byte == 0x45 {
      throw fault("a fraction or an exponent", "use a whole number in digits")
    }
    return number
  }

  private mutating func array(depth: Int) throws(JSONFault) -> JSONValue {
    position += 1
    var values: [JSONValue] = []
    skipSpace()
    if next == 0x5d {
      position += 1
      return .array(values)
    }
    while true {
      skipSpace()
      values.append(try value(depth: depth + 1))
      skipSpace()
      guard let byte = next, byte == 0x2c || byte == 0x5d else { throw fault("no , or ] here", "separate with ,") }
      position += 1
      if byte == 0x5d { return .array(values) }
    }
  }

  private mutating func object(depth: Int) throws(JSONFault) -> JSONValue {
    position += 1
    var members: [JSONValue.Member] = []
    var names: Set<[UInt8]> = []
    skipSpace()
    if next == 0x7d {
      position += 1
      return .object(members)
    }
    while true {
      skipSpace()
      guard next == 0x22 else { throw fault("no name here", "write names as strings, without a comma at the end") }
      let name = try string()
      guard names.insert(Array(name.utf8)).inserted else {
        throw fault("the name \(Shown.text(name)) twice", "keep one of them")
      }
      skipSpace()
      guard next == 0x3a else { throw fault("no : behind a name", "write :") }
      position += 1
      skipSpace()
      members.append(JSONValue.Member(name: name, value: try value(depth: depth + 1)))
      skipSpace()
      guard let byte = next, byte == 0x2c || byte == 0x7d else { throw fault("no , or } here", "separate with ,") }
      position += 1
      if byte == 0x7d { return .object(members) }
    }
  }

  private mutating func string() throws(JSONFault) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case 0x22:
        guard let string = String(validating: text, as: UTF8.self) else {
          throw fault("a string that is not UTF-8", "write it as UTF-8")
        }
        return string
      case 0x5c: try escape(into: &text)
      case 0x00..<0x20: throw fault("a control character in a string", "escape it")
      default: text.append(byte)
      }
    }
    throw fault("a string without its end", "close it with \"")
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONFault) {
    guard let byte = next else { throw fault("an escape without its end", "complete it") }
    position += 1
    switch byte {
    case 0x22, 0x5c, 0x2f: text.append(byte)
    case 0x62: text.append(0x08)
    case 0x66: text.append(0x0c)
    case 0x6e: text.append(0x0a)
    case 0x72: text.append(0x0d)
    case 0x74: text.append(0x09)
    case 0x75:
      var unit = try fourDigits()
      if (0xd800..<0xdc00).contains(unit) {
        guard next == 0x5c, position + 1 < bytes.count, bytes[position + 1] == 0x75 else { throw lone() }
        position += 2
        let low = try fourDigits()
        guard (0xdc00..<0xe000).contains(low) else { throw lone() }
        unit = 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(unit) else { throw lone() }
      text.append(contentsOf: Array(String(Character(scalar)).utf8))
    default: throw fault("an escape that is not JSON", "write \\\\ for a backslash")
    }
  }

  private func lone() -> JSONFault { fault("half of a surrogate pair", "write the character itself as UTF-8") }

  private mutating func fourDigits() throws(JSONFault) -> UInt32 {
    guard bytes.count - position >= 4 else { throw fault("an escape without its end", "complete it") }
    var unit: UInt32 = 0
    for _ in 0..<4 {
      let byte = bytes[position]
      switch byte {
      case 0x30...0x39: unit = unit << 4 | UInt32(byte - 0x30)
      case 0x61...0x66: unit = unit << 4 | UInt32(byte - 0x57)
      case 0x41...0x46: unit = unit << 4 | UInt32(byte - 0x37)
      default: throw fault("an escape that is not hexadecimal", "write four hexadecimal digits")
      }
      position += 1
    }
    return unit
  }
}
