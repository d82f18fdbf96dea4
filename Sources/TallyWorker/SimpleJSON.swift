// Owns: just enough JSON to read an image layout that the operator named. Numbers, true, false, null are passed over.
// Refuses to know: anything from a peer; that is TallyWork's strict reader's.

/// Objects, arrays and strings; everything else is `other`.
enum SimpleJSON {
  case object([(name: String, value: SimpleJSON)])
  case array([SimpleJSON])
  case string(String)
  case other

  subscript(_ name: String) -> SimpleJSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }
  var items: [SimpleJSON] {
    if case .array(let values) = self { return values }
    return []
  }
  var text: String? {
    if case .string(let text) = self { return text }
    return nil
  }

  /// nil for what is not JSON, or is nested deeper than 32 levels.
  static func parse(_ bytes: [UInt8]) -> SimpleJSON? {
    var reader = SimpleJSONReader(bytes: bytes)
    guard let value = reader.value(depth: 0) else { return nil }
    reader.skipSpace()
    return reader.position == bytes.count ? value : nil
  }
}

private struct SimpleJSONReader {
  let bytes: [UInt8]
  var position = 0

  mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
  }

  /// Takes `byte` when it is next, spaces before it passed over.
  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  mutating func value(depth: Int) -> SimpleJSON? {
    guard depth < 32 else { return nil }
    skipSpace()
    guard position < bytes.count else { return nil }
    switch bytes[position] {
    case UInt8(ascii: "{"): return object(depth: depth)
    case UInt8(ascii: "["): return array(depth: depth)
    case UInt8(ascii: "\""): return string().map { .string($0) }
    default:
      let start = position
      while position < bytes.count, isWord(bytes[position]) { position += 1 }
      return position > start ? .other : nil
    }
  }

  private func isWord(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || [0x2b, 0x2d, 0x2e, 0x45].contains(byte)
  }

  private mutating func object(depth: Int) -> SimpleJSON? {
    position += 1
    var members: [(name: String, value: SimpleJSON)] = []
    if take(UInt8(ascii: "}")) { return .object(members) }
    while true {
      skipSpace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\""), let name = string(),
        take(UInt8(ascii: ":")), let value = value(depth: depth + 1)
      else { return nil }
      members.append((name, value))
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else { return nil }
    }
  }

  private mutating func array(depth: Int) -> SimpleJSON? {
    position += 1
    var values: [SimpleJSON] = []
    if take(UInt8(ascii: "]")) { return .array(values) }
    while true {
      guard let value = value(depth: depth + 1) else { return nil }
      values.append(value)
      if take(UInt8(ascii: "]")) { return .array(values) }
      guard take(UInt8(ascii: ",")) else { return nil }
    }
  }

  /// Escapes are kept as they stand: digests and architectures, all that is looked at, have none.
  private mutating func string() -> String? {
    position += 1
    let start = position
    while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
      position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    guard position < bytes.count else { return nil }
    position += 1
    return String(decoding: bytes[start..<(position - 1)], as: UTF8.self)
  }
}
