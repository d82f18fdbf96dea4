// Owns: building a work from what a person types. Every mistake names the field and the fix at once.

import TallyBase

extension WorkSpec {
  /// `NAME=VALUE`, as in `--env`. A name given twice is refused.
  public mutating func addVariable(_ text: String) throws(WorkSpecError) {
    guard let split = text.firstIndex(of: "=") else {
      throw WorkSpecError(field: "env", problem: "\(Shown.text(text)) has no =", fix: "write NAME=VALUE")
    }
    let name = String(text[..<split])
    guard Self.isVariableName(name) else {
      throw WorkSpecError(
        field: "env", problem: "the name \(Shown.text(name))", fix: "use letters, digits and _, not a digit first")
    }
    guard environment[name] == nil else {
      throw WorkSpecError(field: "env.\(name)", problem: "given twice", fix: "keep one of them")
    }
    environment[name] = String(text[text.index(after: split)...])
  }

  /// Adds an input below /in and checks it beside the others.
  public mutating func addInput(at path: String, _ content: WorkInput.Content) throws(WorkSpecError) {
    inputs.append(WorkInput(at: path, content: content))
    do {
      try check()
    } catch {
      inputs.removeLast()
      throw error
    }
  }

  /// A tree root by the names that people use for architectures: `x86-64` and `amd64` are x86_64, `arm64` is aarch64.
  public static func architecture(_ text: String) -> String {
    switch text {
    case "x86-64", "amd64": "x86_64"
    case "arm64": "aarch64"
    default: text
    }
  }
}
