// Owns: the document while it is read: which tables and arrays there are, how each came to be, and therefore who may
// still add to it. TOML 1.0.0, "Keys", "Table", "Array of Tables".
// Refuses to know: the text. What is forbidden is answered with a sentence; the parser knows the place.

struct TOMLTree {
  /// How a table came to be decides who may still add to it.
  enum Origin: Hashable {
    /// Only named within longer headings: one heading of its own, or dotted keys, may still define it.
    case implied
    /// By a heading, or an element of an array of tables.
    case heading
    /// By dotted keys below the heading (or in the inline table) of this number; only these may add keys.
    case dotted(section: Int)
    /// `{ … }`: closed.
    case inline
  }

  enum Shape {
    case scalar(TOMLValue.Kind)
    /// `[ … ]`: closed.
    case array
    /// `[[ … ]]`: its elements are tables, the last one is open.
    case tables
    case table(Origin)
  }

  struct Node {
    var shape: Shape
    var line: Int
    /// The document's own table has 0.
    let depth: Int
    /// Of a table: the names of `items`, and where each key stands among them.
    var keys: [String] = []
    var places: [[UInt8]: Int] = [:]
    /// Numbers of the nodes in an array or a table.
    var items: [Int] = []
  }

  struct Refusal: Error {
    let what: String
  }

  static let root = 0
  private(set) var nodes = [Node(shape: .table(.heading), line: 1, depth: 0)]

  func child(_ key: String, of table: Int) -> Int? {
    nodes[table].places[Array(key.utf8)].map { nodes[table].items[$0] }
  }

  mutating func make(_ shape: Shape, line: Int, depth: Int) throws(Refusal) -> Int {
    guard depth <= TOMLLimits.depthMax else {
      throw Refusal(what: "tables and arrays lie more than \(TOMLLimits.depthMax) deep in each other")
    }
    nodes.append(Node(shape: shape, line: line, depth: depth))
    return nodes.count - 1
  }

  /// Puts a node under a key that the table does not have yet.
  mutating func put(_ node: Int, as key: String, in table: Int) {
    let place = nodes[table].items.count
    precondition(nodes[table].places.updateValue(place, forKey: Array(key.utf8)) == nil, "\(key) stands twice")
    nodes[table].keys.append(key)
    nodes[table].items.append(node)
  }

  mutating func append(_ node: Int, to array: Int) { nodes[array].items.append(node) }

  private mutating func add(_ shape: Shape, as key: String, in table: Int, line: Int) throws(Refusal) -> Int {
    let node = try make(shape, line: line, depth: nodes[table].depth + 1)
    put(node, as: key, in: table)
    return node
  }

  /// The table that the heading `[path]` opens.
  mutating func open(_ path: [String], line: Int) throws(Refusal) -> Int {
    let (parent, key) = try parent(of: path, line: line)
    guard let found = child(key, of: parent) else {
      return try add(.table(.heading), as: key, in: parent, line: line)
    }
    guard case .table(.implied) = nodes[found].shape else { throw taken(key, found) }
    nodes[found].shape = .table(.heading)
    nodes[found].line = line
    return found
  }

  /// The new element that the heading `[[path]]` opens.
  mutating func openElement(_ path: [String], line: Int) throws(Refusal) -> Int {
    let (parent, key) = try parent(of: path, line: line)
    let array: Int
    if let found = child(key, of: parent) {
      guard case .tables = nodes[found].shape else { throw taken(key, found) }
      array = found
    } else {
      array = try add(.tables, as: key, in: parent, line: line)
    }
    let element = try make(.table(.heading), line: line, depth: nodes[array].depth + 1)
    append(element, to: array)
    return element
  }

  /// The table in which a heading's last key stands. What is missing on the way is implied.
  private mutating func parent(of path: [String], line: Int) throws(Refusal) -> (table: Int, key: String) {
    guard let last = path.last else { preconditionFailure("a heading without a key") }
    var table = Self.root
    for key in path.dropLast() {
      guard let found = child(key, of: table) else {
        table = try add(.table(.implied), as: key, in: table, line: line)
        continue
      }
      switch nodes[found].shape {
      case .table(.inline), .scalar, .array: throw taken(key, found)
      case .table: table = found
      case .tables:
        guard let element = nodes[found].items.last else { preconditionFailure("an array of no tables: \(key)") }
        table = element
      }
    }
    return (table, last)
  }

  /// The table in which the last key of a dotted one stands, seen from `table`.
  mutating func parent(
    of path: [String], from table: Int, section: Int, line: Int
  ) throws(Refusal) -> (table: Int, key: String) {
    guard let last = path.last else { preconditionFailure("a line without a key") }
    var table = table
    for key in path.dropLast() {
      guard let found = child(key, of: table) else {
        table = try add(.table(.dotted(section: section)), as: key, in: table, line: line)
        continue
      }
      switch nodes[found].shape {
      case .table(.dotted(section: section)): break
      case .table(.implied): nodes[found].shape = .table(.dotted(section: section))
      default: throw taken(key, found)
      }
      table = found
    }
    if let found = child(last, of: table) { throw taken(last, found) }
    return (table, last)
  }

  private func taken(_ key: String, _ node: Int) -> Refusal {
    let what =
      switch nodes[node].shape {
      case .scalar: "a value"
      case .array: "an array"
      case .tables: "an array of tables"
      case .table(.inline): "an inline table, which is closed"
      case .table: "a table"
      }
    return Refusal(what: "\(TOMLError.quoted(key)) is already defined on line \(nodes[node].line), as \(what)")
  }

  /// The finished table. Recursion ends at `TOMLLimits.depthMax`.
  func table(_ number: Int) -> TOMLTable {
    let node = nodes[number]
    return TOMLTable(
      zip(node.keys, node.items).map { TOMLTable.Entry(key: $0, value: value($1)) }, places: node.places)
  }

  private func value(_ number: Int) -> TOMLValue {
    let node = nodes[number]
    return switch node.shape {
    case .scalar(let kind): TOMLValue(kind, line: node.line)
    case .array, .tables: TOMLValue(.array(node.items.map(value)), line: node.line)
    case .table: TOMLValue(.table(table(number)), line: node.line)
    }
  }
}
