// Owns: text of others inside our own sentences: no control character gets through, and no more than a line of it.

enum Shown {
  /// In double quotes, escaped, at most 60 characters.
  static func text(_ text: some StringProtocol) -> String {
    var result = "\""
    for scalar in text.unicodeScalars.prefix(60) { result += scalar.escaped(asASCII: true) }
    if text.unicodeScalars.count > 60 { result += "…" }
    return result + "\""
  }

  static func bytes(_ bytes: [UInt8]) -> String { text(String(decoding: bytes, as: UTF8.self)) }
}
