// Owns: what a work may say. One place for the parser, the builder and the writer.

import TallyBase
import TallyWire

extension WorkSpec {
  /// Throws the first thing that is wrong, with the field and what to do.
  public func check() throws(WorkSpecError) {
    try checkRun()
    try Self.checkRoot(root)
    try checkInputs()
    try checkEnvironment()
    guard epoch <= TextLimits.epochMax else {
      throw WorkSpecError(field: "epoch", problem: "\(epoch) is after the year 9999", fix: "give seconds since 1970")
    }
    guard (1...TextLimits.coresMax).contains(cores) else {
      throw WorkSpecError(field: "cores", problem: "\(cores) cores", fix: "give 1 to \(TextLimits.coresMax)")
    }
    if let over, !(1...UInt64(WorkLimits.tasksMax)).contains(over.rows) {
      throw WorkSpecError(field: "over.rows", problem: "\(over.rows) rows", fix: "give 1 to \(WorkLimits.tasksMax)")
    }
  }

  private func checkRun() throws(WorkSpecError) {
    guard (1...TextLimits.arguments).contains(run.count), run.first?.isEmpty == false else {
      throw WorkSpecError(
        field: "run", problem: "\(run.count) arguments, or an empty command",
        fix: "give a command and at most \(TextLimits.arguments - 1) arguments")
    }
    for (index, argument) in run.enumerated() where argument.utf8.contains(0) {
      throw WorkSpecError(field: "run[\(index)]", problem: "a NUL", fix: "pass it in a file")
    }
  }

  static func checkRoot(_ root: WorkRoot) throws(WorkSpecError) {
    switch root {
    case .wasm: break
    case .host(let arch): try checkArchitecture(arch, field: "root.host")
    case .tree(_, let arch, let recipe):
      try checkArchitecture(arch, field: "root.arch")
      for name in (recipe?.fields.keys.sorted() ?? []) where !isRecipeName(name) {
        throw WorkSpecError(
          field: "root.recipe", problem: "the name \(Shown.text(name))", fix: "use a-z, 0-9, - and _, from a letter on")
      }
    }
  }

  private static func checkArchitecture(_ arch: String, field: String) throws(WorkSpecError) {
    let isFit = (1...16).contains(arch.utf8.count)
      && arch.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
    guard isFit else {
      throw WorkSpecError(field: field, problem: Shown.text(arch), fix: "write it as `uname -m` does, such as x86_64")
    }
  }

  private static func isRecipeName(_ name: String) -> Bool {
    guard let first = name.utf8.first, (0x61...0x7a).contains(first), name.utf8.count <= 64 else { return false }
    return name.utf8.allSatisfy {
      (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f || $0 == 0x2d
    }
  }

  private func checkInputs() throws(WorkSpecError) {
    guard inputs.count <= TextLimits.inputs else {
      throw WorkSpecError(
        field: "in", problem: "\(inputs.count) inputs", fix: "give at most \(TextLimits.inputs), or a tree")
    }
    var seen: Set<[UInt8]> = []
    for (index, input) in inputs.enumerated() {
      let at = Array(input.at.utf8)
      if let problem = PathText.problem(at) {
        throw WorkSpecError(
          field: "in[\(index)].at", problem: "\(problem): \(Shown.text(input.at))",
          fix: "give a relative path below /in without . or ..")
      }
      guard seen.insert(at).inserted else {
        throw WorkSpecError(field: "in[\(index)].at", problem: "\(Shown.text(input.at)) twice", fix: "rename one")
      }
    }
    for (index, input) in inputs.enumerated() {
      var parent = PathText.parent(Array(input.at.utf8))
      while let path = parent {
        if seen.contains(path) {
          throw WorkSpecError(
            field: "in[\(index)].at", problem: "\(Shown.text(input.at)) lies inside another input",
            fix: "put them side by side")
        }
        parent = PathText.parent(path)
      }
    }
  }

  private func checkEnvironment() throws(WorkSpecError) {
    guard environment.count <= TextLimits.variables else {
      throw WorkSpecError(
        field: "env", problem: "\(environment.count) variables", fix: "give at most \(TextLimits.variables)")
    }
    for name in environment.keys.sorted() {
      guard Self.isVariableName(name) else {
        throw WorkSpecError(
          field: "env", problem: "the name \(Shown.text(name))", fix: "use letters, digits and _, not a digit first")
      }
      if environment[name]?.utf8.contains(0) == true {
        throw WorkSpecError(field: "env.\(name)", problem: "a NUL", fix: "pass it in a file")
      }
    }
  }

  static func isVariableName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(0x30...0x39).contains(first), name.utf8.count <= 255 else { return false }
    return name.utf8.allSatisfy {
      (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f
    }
  }
}
