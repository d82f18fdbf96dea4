// Owns: the shape of a work's JSON: exactly these keys with these kinds of values. Ranges are `check`'s.

import TallyBase

extension WorkSpec {
  static func read(_ value: JSONValue) throws(WorkSpecError) -> WorkSpec {
    var fields = try JSONFields(value, field: "")
    let version = try fields.integer("v")
    guard version == 1 else {
      throw WorkSpecError(field: "v", problem: "version \(version)", fix: "write 1, or use a newer tally")
    }
    var spec = WorkSpec(
      run: try fields.strings("run"), root: try readRoot(try fields.take("root")), epoch: try fields.integer("epoch"),
      cores: try fields.integer("cores"))
    for (index, input) in try fields.array("in").enumerated() {
      spec.inputs.append(try readInput(input, field: "in[\(index)]"))
    }
    if fields.has("stdin") { spec.stdin = try fields.hash("stdin") }
    for member in try JSONFields(try fields.take("env"), field: "env").members {
      guard case .string(let text) = member.value else {
        let name = isVariableName(member.name) ? member.name : Shown.text(member.name)
        throw WorkSpecError(field: "env.\(name)", problem: member.value.kind, fix: "write a string")
      }
      spec.environment[member.name] = text
    }
    if fields.has("over") {
      var over = try JSONFields(try fields.take("over"), field: "over")
      spec.over = WorkOver(table: try over.hash("table"), rows: try over.integer("rows"))
      try over.finish()
    }
    try fields.finish()
    return spec
  }

  private static func readRoot(_ value: JSONValue) throws(WorkSpecError) -> WorkRoot {
    var fields = try JSONFields(value, field: "root")
    let root: WorkRoot
    if fields.has("tree") {
      let content: ContentID = try fields.hash("tree")
      let arch = try fields.string("arch")
      root = .tree(content, arch: arch, recipe: fields.has("recipe") ? try readRecipe(fields.take("recipe")) : nil)
    } else if fields.has("wasm") {
      root = .wasm(try fields.hash("wasm"))
    } else {
      root = .host(arch: try fields.string("host"))
    }
    try fields.finish()
    return root
  }

  private static func readRecipe(_ value: JSONValue) throws(WorkSpecError) -> Recipe {
    var recipe = Recipe(fields: [:])
    for member in try JSONFields(value, field: "root.recipe").members {
      switch member.value {
      case .string(let text): recipe.fields[member.name] = .text(text)
      case .array(let values):
        var list: [String] = []
        for value in values {
          guard case .string(let text) = value else {
            throw WorkSpecError(field: "root.recipe", problem: "\(value.kind) in a list", fix: "write strings")
          }
          list.append(text)
        }
        recipe.fields[member.name] = .list(list)
      default:
        throw WorkSpecError(
          field: "root.recipe", problem: "\(member.value.kind)", fix: "write a string or a list of strings")
      }
    }
    return recipe
  }

  private static func readInput(_ value: JSONValue, field: String) throws(WorkSpecError) -> WorkInput {
    var fields = try JSONFields(value, field: field)
    let at = try fields.string("at")
    let content: WorkInput.Content
    if fields.has("tree") {
      content = .tree(try fields.hash("tree"))
    } else {
      content = .file(try fields.hash("file"), sha256: try fields.hash("sha256"))
    }
    try fields.finish()
    return WorkInput(at: at, content: content)
  }
}

/// The members of an object, taken one by one; what is left over at the end is unknown.
private struct JSONFields {
  private(set) var members: [JSONValue.Member]
  private let prefix: String

  init(_ value: JSONValue, field: String) throws(WorkSpecError) {
    guard case .object(let members) = value else {
      throw WorkSpecError(field: field.isEmpty ? "work" : field, problem: value.kind, fix: "write an object")
    }
    self.members = members
    prefix = field.isEmpty ? "" : field + "."
  }

  func has(_ name: String) -> Bool { members.contains { $0.name.utf8.elementsEqual(name.utf8) } }

  mutating func take(_ name: String) throws(WorkSpecError) -> JSONValue {
    guard let index = members.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
      throw WorkSpecError(field: prefix + name, problem: "missing", fix: "add it")
    }
    return members.remove(at: index).value
  }

  mutating func string(_ name: String) throws(WorkSpecError) -> String {
    let value = try take(name)
    guard case .string(let text) = value else {
      throw WorkSpecError(field: prefix + name, problem: value.kind, fix: "write a string")
    }
    return text
  }

  mutating func integer(_ name: String) throws(WorkSpecError) -> UInt64 {
    let value = try take(name)
    guard case .integer(let number) = value else {
      throw WorkSpecError(field: prefix + name, problem: value.kind, fix: "write a whole number")
    }
    return number
  }

  mutating func array(_ name: String) throws(WorkSpecError) -> [JSONValue] {
    let value = try take(name)
    guard case .array(let values) = value else {
      throw WorkSpecError(field: prefix + name, problem: value.kind, fix: "write an array")
    }
    return values
  }

  mutating func strings(_ name: String) throws(WorkSpecError) -> [String] {
    var texts: [String] = []
    for (index, value) in try array(name).enumerated() {
      guard case .string(let text) = value else {
        throw WorkSpecError(field: "\(prefix)\(name)[\(index)]", problem: value.kind, fix: "write a string")
      }
      texts.append(text)
    }
    return texts
  }

  mutating func hash<Value: Named32>(_ name: String) throws(WorkSpecError) -> Value {
    let text = try string(name)
    guard let value = Value(hex: text) else {
      throw WorkSpecError(
        field: prefix + name, problem: Shown.text(text), fix: "write 64 lower-case hexadecimal digits")
    }
    return value
  }

  func finish() throws(WorkSpecError) {
    guard let left = members.first else { return }
    throw WorkSpecError(field: prefix + Shown.text(left.name), problem: "an unknown name", fix: "leave it out")
  }
}
