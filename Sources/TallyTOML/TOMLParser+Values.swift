// Owns: values: which kind begins here, arrays, inline tables. TOML 1.0.0.

extension TOMLParser {
  /// A value of any kind, as a node that nothing holds yet.
  mutating func value(depth: Int) throws(TOMLError) -> Int {
    let start = cursor.position
    let line = cursor.line
    switch cursor.next {
    case UInt8.openBracket: return try array(depth: depth)
    case UInt8.openBrace: return try inlineTable(depth: depth)
    case UInt8.quote:
      let text = try cursor.stands("\"\"\"") ? cursor.longString() : cursor.string()
      return try make(.scalar(.string(text)), line: line, depth: depth, at: start)
    case UInt8.apostrophe:
      let text = try cursor.stands("'''") ? cursor.longString() : cursor.string()
      return try make(.scalar(.string(text)), line: line, depth: depth, at: start)
    default:
      return try make(.scalar(try scalar()), line: line, depth: depth, at: start)
    }
  }

  private mutating func make(
    _ shape: TOMLTree.Shape, line: Int, depth: Int, at start: Int
  ) throws(TOMLError) -> Int {
    do throws(TOMLTree.Refusal) {
      return try tree.make(shape, line: line, depth: depth)
    } catch {
      throw cursor.fault(error.what, at: start)
    }
  }

  /// Line ends, comments and a last comma are free.
  private mutating func array(depth: Int) throws(TOMLError) -> Int {
    let start = cursor.position
    let array = try make(.array, line: cursor.line, depth: depth, at: start)
    cursor.skip()
    while true {
      try cursor.skipBlank()
      if cursor.take(.closeBracket) { return array }
      guard cursor.next != nil else { throw cursor.fault("the array that begins here is not closed", at: start) }
      tree.append(try value(depth: depth + 1), to: array)
      try cursor.skipBlank()
      if cursor.take(.comma) { continue }
      if cursor.take(.closeBracket) { return array }
      guard cursor.next != nil else { throw cursor.fault("the array that begins here is not closed", at: start) }
      throw cursor.fault("an array needs ',' or ']' here, not \(cursor.nextInWords)")
    }
  }

  /// On one line, without a last comma.
  private mutating func inlineTable(depth: Int) throws(TOMLError) -> Int {
    let table = try make(.table(.inline), line: cursor.line, depth: depth, at: cursor.position)
    let section = nextSection()
    cursor.skip()
    cursor.skipSpace()
    if cursor.take(.closeBrace) { return table }
    while true {
      cursor.skipSpace()
      try pair(in: table, section: section)
      cursor.skipSpace()
      if cursor.take(.closeBrace) { return table }
      guard cursor.take(.comma) else {
        throw cursor.fault("an inline table needs ',' or '}' here, not \(cursor.nextInWords)")
      }
    }
  }

  /// A number, a boolean or a date-time: one word, but a date and a time may have a space between them.
  private mutating func scalar() throws(TOMLError) -> TOMLValue.Kind {
    let start = cursor.position
    skipWord()
    if cursor.next == .space, cursor.peek(1)?.isDigit == true,
      TOMLCalendar.isDate(cursor.bytes[start..<cursor.position])
    {
      cursor.skip()
      skipWord()
    }
    guard cursor.position > start else {
      throw cursor.fault("a value is missing before \(cursor.nextInWords)")
    }
    if let kind = TOMLScalar.read(cursor.bytes[start..<cursor.position]) { return kind }
    throw cursor.fault(
      "\(TOMLError.quoted(cursor.text(from: start))) is no number, boolean or date; a string needs quotes", at: start)
  }

  private mutating func skipWord() {
    while let byte = cursor.next, byte.isLetter || byte.isDigit || "_+-.:".utf8.contains(byte) { cursor.skip() }
  }
}
