// Owns: lines, headings and keys: which table the values go to. TOML 1.0.0.
// Refuses to know: how values are spelled (TOMLParser+Values, TOMLScalar), who may add to a table (TOMLTree).

struct TOMLParser {
  var cursor: TOMLCursor
  var tree = TOMLTree()
  /// Counts headings and inline tables: dotted keys may only add to tables that they made themselves.
  private var sections = 0

  init(_ cursor: TOMLCursor) { self.cursor = cursor }

  mutating func document() throws(TOMLError) -> TOMLTable {
    var table = TOMLTree.root
    var section = nextSection()
    while true {
      try cursor.skipBlank()
      guard let byte = cursor.next else { return tree.table(TOMLTree.root) }
      if byte == .openBracket {
        table = try heading()
        section = nextSection()
        try cursor.endLine(after: "a heading")
      } else {
        try pair(in: table, section: section)
        try cursor.endLine(after: "a value")
      }
    }
  }

  mutating func nextSection() -> Int {
    sections += 1
    return sections
  }

  /// `[a.b]` or `[[a.b]]`; the table that it opens.
  private mutating func heading() throws(TOMLError) -> Int {
    let start = cursor.position
    let line = cursor.line
    cursor.skip()
    let isElement = cursor.take(.openBracket)
    cursor.skipSpace()
    let path = try path()
    guard cursor.take(.closeBracket) && (!isElement || cursor.take(.closeBracket)) else {
      throw cursor.fault("a heading needs \(isElement ? "']]'" : "']'") here, not \(cursor.nextInWords)")
    }
    do throws(TOMLTree.Refusal) {
      return isElement ? try tree.openElement(path, line: line) : try tree.open(path, line: line)
    } catch {
      throw cursor.fault(error.what, at: start)
    }
  }

  /// `key = value`, into `table`.
  mutating func pair(in table: Int, section: Int) throws(TOMLError) {
    let start = cursor.position
    let line = cursor.line
    let path = try path()
    guard cursor.take(.equals) else { throw cursor.fault("a key needs '=' here, not \(cursor.nextInWords)") }
    cursor.skipSpace()
    let place: (table: Int, key: String)
    do throws(TOMLTree.Refusal) {
      place = try tree.parent(of: path, from: table, section: section, line: line)
    } catch {
      throw cursor.fault(error.what, at: start)
    }
    let node = try value(depth: tree.nodes[place.table].depth + 1)
    tree.put(node, as: place.key, in: place.table)
  }

  /// A key of one or more parts, with the space around each.
  private mutating func path() throws(TOMLError) -> [String] {
    let start = cursor.position
    var path: [String] = []
    repeat {
      guard path.count < TOMLLimits.depthMax else {
        throw cursor.fault("a key has more than \(TOMLLimits.depthMax) parts", at: start)
      }
      cursor.skipSpace()
      path.append(try key())
      cursor.skipSpace()
    } while cursor.take(.dot)
    return path
  }

  private mutating func key() throws(TOMLError) -> String {
    let start = cursor.position
    switch cursor.next {
    case UInt8.quote, UInt8.apostrophe: return try cursor.string()
    default: break
    }
    while let byte = cursor.next, byte.isLetter || byte.isDigit || "_-".utf8.contains(byte) { cursor.skip() }
    guard cursor.position > start else {
      throw cursor.fault("a key is missing before \(cursor.nextInWords); other than A-Z a-z 0-9 _ - needs quotes")
    }
    return cursor.text(from: start)
  }
}
