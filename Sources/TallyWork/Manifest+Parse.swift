// Owns: reading a manifest: exactly what `text` writes, nothing else.

import TallyBase

extension Manifest {
  public static func parse(_ bytes: [UInt8]) throws(TextError) -> Manifest {
    guard bytes.count <= TextLimits.manifestBytes else {
      throw TextError(line: 0, problem: "a manifest of \(bytes.count) bytes, the limit is \(TextLimits.manifestBytes)")
    }
    var lines = TextLines(bytes)
    var manifest = try header(try lines.next())
    guard try Array(lines.next()) == Array(sentence.utf8) else {
      throw TextError(line: 2, problem: "the second line is not the sentence that every manifest has")
    }
    var executables: Set<[UInt8]> = []
    while !lines.isAtEnd {
      let line = try lines.next()
      guard lines.number <= 2 * TextLimits.manifestLines else {
        throw TextError(line: lines.number, problem: "more than \(2 * TextLimits.manifestLines) lines")
      }
      guard manifest.take(line, executables: &executables) else {
        throw TextError(line: lines.number, problem: "not a line of a manifest: \(Shown.bytes(Array(line)))")
      }
    }
    for index in manifest.files.indices where executables.contains(manifest.files[index].path) {
      manifest.files[index].isExecutable = true
    }
    guard try manifest.text() == bytes else {
      throw TextError(line: 0, problem: "a manifest that is not in canonical form")
    }
    return manifest
  }

  private static func header(_ line: ArraySlice<UInt8>) throws(TextError) -> Manifest {
    let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    guard words.count == 5, words[0] == "#", words[1] == "tally-manifest/1",
      let work = value(words[2], "work="), let hash = Digest(hex: work),
      let index = value(words[3], "index=").flatMap({ UInt32($0) }),
      let exit = value(words[4], "exit=").flatMap({ Int32($0) })
    else { throw TextError(line: 1, problem: "the first line is not `# tally-manifest/1 work=… index=… exit=…`") }
    return Manifest(workHash: hash, index: index, exit: exit)
  }

  private static func value(_ word: String, _ name: String) -> String? {
    word.hasPrefix(name) ? String(word.dropFirst(name.count)) : nil
  }

  /// Appends what one line says; false when it says nothing known. Order and spelling are checked by writing it again.
  private mutating func take(_ line: ArraySlice<UInt8>, executables: inout Set<[UInt8]>) -> Bool {
    if let rest = Self.after("# exec ", line) {
      guard let path = PathText.unescape(rest) else { return false }
      executables.insert(path)
    } else if let rest = Self.after("# link ", line) {
      guard let link = PathText.splitLink(rest) else { return false }
      links.append(Link(path: link.path, target: link.target))
    } else if let rest = Self.after("# dir ", line) {
      guard let path = PathText.unescape(rest) else { return false }
      directories.append(path)
    } else if let rest = Self.after("# stdout ", line) {
      guard stdout == nil, let hash = Digest(hex: String(decoding: rest, as: UTF8.self)) else { return false }
      stdout = hash
    } else {
      let isEscaped = line.first == 0x5c
      let text = isEscaped ? line.dropFirst() : line
      guard text.count > 66, let hash = Digest(hex: String(decoding: text.prefix(64), as: UTF8.self)),
        Array(text.dropFirst(64).prefix(2)) == [0x20, 0x20]
      else { return false }
      let name = text.dropFirst(66)
      guard let path = isEscaped ? PathText.unescape(name) : Array(name) else { return false }
      files.append(File(path: path, sha256: hash, isExecutable: false))
    }
    return true
  }

  private static func after(_ word: String, _ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    line.starts(with: Array(word.utf8)) ? line.dropFirst(word.utf8.count) : nil
  }
}
