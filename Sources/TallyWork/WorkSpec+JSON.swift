// Owns: a work as RFC 8785 canonical JSON, and its way back. One work, one text, one hash.

import TallyBase
import TallyCrypto
import TallyWire

extension WorkSpec {
  /// The canonical text, ≤ 16 KiB. Throws what `check` throws, or that it is too long.
  public func canonicalBytes() throws(WorkSpecError) -> [UInt8] {
    try check()
    let bytes = json.canonicalBytes
    try Self.checkSize(bytes.count)
    return bytes
  }

  /// SHA-256("tally/work/1\n" ‖ canonical text).
  public func workHash() throws(WorkSpecError) -> Digest { WorkHash.work(try canonicalBytes()) }

  /// Reads exactly what `canonicalBytes` writes: another spelling of the same work is refused.
  public static func parse(_ bytes: [UInt8]) throws(WorkSpecError) -> WorkSpec {
    try checkSize(bytes.count)
    let value: JSONValue
    do {
      value = try JSONParser.parse(bytes, depthMax: TextLimits.jsonDepth)
    } catch {
      throw WorkSpecError(field: "work", problem: "byte \(error.offset): \(error.problem)", fix: error.fix)
    }
    let spec = try read(value)
    let canonical = try spec.canonicalBytes()
    guard canonical == bytes else {
      let differs = zip(canonical, bytes).enumerated().first { $0.element.0 != $0.element.1 }
      let offset = differs?.offset ?? min(canonical.count, bytes.count)
      throw WorkSpecError(
        field: "work", problem: "byte \(offset): not the canonical form",
        fix: "write it as RFC 8785 says: names sorted, no spaces, shortest escapes; inputs sorted by `at`")
    }
    return spec
  }

  private static func checkSize(_ count: Int) throws(WorkSpecError) {
    guard count <= WorkLimits.workBytesMax else {
      throw WorkSpecError(
        field: "work", problem: "\(count) bytes, the limit is \(WorkLimits.workBytesMax)",
        fix: "move long arguments into an input file")
    }
  }

  // MARK: Writing

  private var json: JSONValue {
    let variables = environment.map { JSONValue.Member(name: $0.key, value: .string($0.value)) }
    let sorted = inputs.sorted { $0.at.utf8.lexicographicallyPrecedes($1.at.utf8) }
    var members: [(String, JSONValue)] = [
      ("v", .integer(1)), ("run", .array(run.map { .string($0) })), ("root", Self.json(root)),
      ("in", .array(sorted.map { Self.json($0) })), ("env", .object(variables)), ("epoch", .integer(epoch)),
      ("cores", .integer(cores)),
    ]
    if let stdin { members.append(("stdin", .string(stdin.hex))) }
    if let over {
      members.append(("over", Self.object([("table", .string(over.table.hex)), ("rows", .integer(over.rows))])))
    }
    return Self.object(members)
  }

  private static func object(_ members: [(String, JSONValue)]) -> JSONValue {
    .object(members.map { JSONValue.Member(name: $0.0, value: $0.1) })
  }

  private static func json(_ root: WorkRoot) -> JSONValue {
    switch root {
    case .wasm(let content): return object([("wasm", .string(content.hex))])
    case .host(let arch): return object([("host", .string(arch))])
    case .tree(let content, let arch, let recipe):
      var members: [(String, JSONValue)] = [("tree", .string(content.hex)), ("arch", .string(arch))]
      if let recipe {
        let fields = recipe.fields.map { field -> JSONValue.Member in
          switch field.value {
          case .text(let text): JSONValue.Member(name: field.key, value: .string(text))
          case .list(let list): JSONValue.Member(name: field.key, value: .array(list.map { .string($0) }))
          }
        }
        members.append(("recipe", .object(fields)))
      }
      return object(members)
    }
  }

  private static func json(_ input: WorkInput) -> JSONValue {
    switch input.content {
    case .tree(let content): object([("at", .string(input.at)), ("tree", .string(content.hex))])
    case .file(let content, let hash):
      object([("at", .string(input.at)), ("file", .string(content.hex)), ("sha256", .string(hash.hex))])
    }
  }
}
