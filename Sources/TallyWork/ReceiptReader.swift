// Owns: cutting a receipt into header lines and sections. Refuses to know: what they mean.

import TallyBase
import TallyCrypto

/// Header lines `name value`, then sections that begin with `== title`, the last one `== end`.
struct ReceiptReader {
  /// The word behind the version.
  let about: String
  private let headers: [(name: String, value: String)]
  private let sections: [(title: [String], body: [UInt8])]
  private var header = 0
  private var section = 0

  init(_ bytes: [UInt8]) throws(ReceiptError) {
    var lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
    guard lines.popLast()?.isEmpty == true, let first = lines.first else {
      throw ReceiptError(section: "file", problem: "the last line has no end")
    }
    let words = Self.words(first)
    guard words.count == 2, words[0] == Receipt.version else {
      throw ReceiptError(section: "file", problem: "the first line is not `\(Receipt.version) …`: not a receipt")
    }
    about = words[1]
    let marker: [UInt8] = [0x3d, 0x3d, 0x20]
    var headers: [(name: String, value: String)] = []
    var sections: [(title: [String], body: [UInt8])] = []
    for line in lines.dropFirst() {
      if line.starts(with: marker) {
        sections.append((Self.words(line.dropFirst(3)), []))
      } else if sections.isEmpty {
        let name = line.prefix { $0 != 0x20 }
        headers.append(
          (String(decoding: name, as: UTF8.self), String(decoding: line.dropFirst(name.count + 1), as: UTF8.self)))
      } else {
        sections[sections.count - 1].body.append(contentsOf: line)
        sections[sections.count - 1].body.append(0x0a)
      }
      guard sections.count <= Self.sectionsMax, headers.count <= Self.headersMax else {
        throw ReceiptError(section: "file", problem: "more than \(Self.sectionsMax) sections")
      }
    }
    guard let last = sections.popLast(), last.title == ["end"], last.body.isEmpty else {
      throw ReceiptError(section: "file", problem: "the file does not end with `== end`: it was cut")
    }
    self.headers = headers
    self.sections = sections
  }

  private static let sectionsMax = 16
  private static let headersMax = 16

  var hasMore: Bool { section < sections.count }
  var nextHeader: String? { header < headers.count ? headers[header].name : nil }

  mutating func header(_ name: String) throws(ReceiptError) -> String {
    guard nextHeader == name else { throw ReceiptError(section: name, problem: "missing") }
    header += 1
    return headers[header - 1].value
  }

  mutating func mesh() throws(ReceiptError) -> MeshName {
    let words = Self.words(Array(try header("mesh").utf8)[...])
    guard words.count == 2, let nonce = Hex.decode(words[1]), let mesh = MeshName(name: words[0], nonce: nonce) else {
      throw ReceiptError(section: "mesh", problem: "not a mesh's name and nonce")
    }
    return mesh
  }

  mutating func key(_ name: String) throws(ReceiptError) -> PublicKey {
    let text = try header(name)
    do {
      return try KeyText.decode(text)
    } catch {
      throw ReceiptError(section: name, problem: "not a host's key: \(Shown.text(text))")
    }
  }

  mutating func salt(_ name: String) throws(ReceiptError) -> Bytes32 {
    guard let bytes = Hex.decode(try header(name)), let salt = Bytes32(bytes) else {
      throw ReceiptError(section: name, problem: "not 64 hexadecimal digits")
    }
    return salt
  }

  mutating func section(_ title: String) throws(ReceiptError) -> [UInt8] {
    guard hasMore, sections[section].title == [title] else { throw ReceiptError(section: title, problem: "missing") }
    section += 1
    return sections[section - 1].body
  }

  mutating func proven(_ title: String, mesh: MeshName, author: PublicKey) throws(ReceiptError) -> ProvenEntry {
    guard hasMore, sections[section].title.count == 2, sections[section].title[0] == title,
      let bytes = Hex.decode(sections[section].title[1]), bytes.count == 8
    else { throw ReceiptError(section: title, problem: "missing, or without its incarnation") }
    section += 1
    return try ProvenEntry.parse(
      sections[section - 1].body, mesh: mesh, author: author, incarnation: bytes.reduce(0) { $0 << 8 | UInt64($1) },
      section: title)
  }

  func finish() throws(ReceiptError) {
    guard header == headers.count, section == sections.count else {
      throw ReceiptError(section: "file", problem: "lines or sections that do not belong there")
    }
  }

  private static func words(_ line: ArraySlice<UInt8>) -> [String] {
    line.split(separator: 0x20, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
  }
}
