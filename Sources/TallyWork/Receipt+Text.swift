// Owns: the bytes of a receipt. One receipt, one text: whatever is not exactly what `text` writes is refused, so every
// byte of the file matters.

import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

extension Receipt {
  static let version = "tally-receipt/1"

  public var text: [UInt8] {
    var text: [UInt8] = []
    switch self {
    case .work(let receipt): receipt.write(to: &text)
    case .record(let receipt): receipt.write(to: &text)
    }
    return text
  }

  /// Reads a receipt; throws unless the file is canonical. It verifies no signature.
  public static func parse(_ bytes: [UInt8]) throws(ReceiptError) -> Receipt {
    guard bytes.count <= TextLimits.receiptBytes else {
      throw ReceiptError(section: "file", problem: "\(bytes.count) bytes, the limit is \(TextLimits.receiptBytes)")
    }
    var reader = try ReceiptReader(bytes)
    let receipt: Receipt
    switch reader.about {
    case "work": receipt = .work(try WorkReceipt(from: &reader))
    case "record": receipt = .record(try RecordReceipt(from: &reader))
    default:
      throw ReceiptError(
        section: "file", problem: "about \(Shown.text(reader.about)), which this version does not know")
    }
    try reader.finish()
    guard receipt.text == bytes else {
      throw ReceiptError(section: "file", problem: "not in canonical form: some byte was changed")
    }
    return receipt
  }
}

extension WorkReceipt {
  func write(to text: inout [UInt8]) {
    ReceiptText.line("\(Receipt.version) work", to: &text)
    ReceiptText.line("mesh \(mesh.name) \(Hex.encode(mesh.nonce))", to: &text)
    ReceiptText.line("requester \(KeyText.encode(requester))", to: &text)
    ReceiptText.line("worker \(KeyText.encode(worker))", to: &text)
    ReceiptText.line("post-salt \(Hex.encode(postSalt.bytes))", to: &text)
    ReceiptText.line("task-salt \(Hex.encode(taskSalt.bytes))", to: &text)
    ReceiptText.section("work", work + [0x0a], to: &text)
    ReceiptText.section("manifest", manifest, to: &text)
    ReceiptText.section(post, "post", mesh: mesh, to: &text)
    ReceiptText.section(grant, "grant", mesh: mesh, to: &text)
    ReceiptText.section(claim, "claim", mesh: mesh, to: &text)
    if let accept { ReceiptText.section(accept, "accept", mesh: mesh, to: &text) }
    ReceiptText.line("== end", to: &text)
  }

  init(from reader: inout ReceiptReader) throws(ReceiptError) {
    mesh = try reader.mesh()
    requester = try reader.key("requester")
    worker = try reader.key("worker")
    postSalt = try reader.salt("post-salt")
    taskSalt = try reader.salt("task-salt")
    work = Array(try reader.section("work").dropLast())
    manifest = try reader.section("manifest")
    post = try reader.proven("post", mesh: mesh, author: requester)
    grant = try reader.proven("grant", mesh: mesh, author: requester)
    claim = try reader.proven("claim", mesh: mesh, author: worker)
    accept = reader.hasMore ? try reader.proven("accept", mesh: mesh, author: requester) : nil
  }
}

extension RecordReceipt {
  func write(to text: inout [UInt8]) {
    ReceiptText.line("\(Receipt.version) record", to: &text)
    ReceiptText.line("mesh \(mesh.name) \(Hex.encode(mesh.nonce))", to: &text)
    ReceiptText.line("author \(KeyText.encode(author))", to: &text)
    if let salt { ReceiptText.line("salt \(Hex.encode(salt.bytes))", to: &text) }
    if let words { ReceiptText.line("words " + String(decoding: Base64.encode(words), as: UTF8.self), to: &text) }
    ReceiptText.section(record, "record", mesh: mesh, to: &text)
    ReceiptText.line("== end", to: &text)
  }

  init(from reader: inout ReceiptReader) throws(ReceiptError) {
    mesh = try reader.mesh()
    author = try reader.key("author")
    salt = reader.nextHeader == "salt" ? try reader.salt("salt") : nil
    words = nil
    if reader.nextHeader == "words" {
      guard let words = Base64.decode(Array(try reader.header("words").utf8)) else {
        throw ReceiptError(section: "words", problem: "not base64")
      }
      guard words.count <= TextLimits.receiptWordsBytes else {
        throw ReceiptError(
          section: "words", problem: "\(words.count) bytes, the limit is \(TextLimits.receiptWordsBytes)")
      }
      self.words = words
    }
    record = try reader.proven("record", mesh: mesh, author: author)
  }
}

enum ReceiptText {
  static func line(_ line: String, to text: inout [UInt8]) {
    text.append(contentsOf: Array(line.utf8))
    text.append(0x0a)
  }

  static func section(_ title: String, _ body: [UInt8], to text: inout [UInt8]) {
    line("== \(title)", to: &text)
    text.append(contentsOf: body)
  }

  static func section(_ proven: ProvenEntry, _ title: String, mesh: MeshName, to text: inout [UInt8]) {
    section("\(title) \(Hex.encode(incarnationBytes(proven.incarnation)))", proven.text(mesh: mesh), to: &text)
  }

  /// Most significant first, so that the sixteen digits read as the number.
  static func incarnationBytes(_ incarnation: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: incarnation >> UInt64(56 - 8 * $0)) }
  }
}
