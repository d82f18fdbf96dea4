// Signed notes, checkpoints, keys, cosignatures and proofs: C2SP's texts, everybody's vectors, our own.
import Foundation
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import Testing

struct NoteTests {
  // MARK: Our own

  @Test func our_head_is_a_note_that_its_key_verifies() throws {
    let author = try Author()
    let head = author.head(leaves(5))
    #expect(head.isSigned(by: author.key, mesh: author.mesh))
    #expect(!head.isSigned(by: author.key, mesh: "away"))
    #expect(!head.isSigned(by: try Author(2).key, mesh: author.mesh))
    let note = head.note(mesh: author.mesh, author: author.key)
    let again = try SignedNote(parsing: note.bytes)
    #expect(again == note)
    let key = try VerifierKey(parsing: VerifierKey(mesh: author.mesh, feed: author.feed, author: author.key).text)
    #expect(try again.verify([key]) == [key])
    let checkpoint = try Checkpoint(parsing: again.text)
    #expect(checkpoint.origin == "tally/home/\(author.feed.hex)")
    #expect(checkpoint.size == 5 && checkpoint.root == head.root && checkpoint.extensions == [])
    #expect(checkpoint.text == again.text)
  }

  @Test func a_proof_of_ours_holds_for_its_entry_only() throws {
    let author = try Author()
    let entries = author.entries(13)
    let hashes = LeafHasher.hashAll(entries)
    #expect(hashes == entries.map(\.leafHash))
    let head = author.head(hashes)
    let log = VerifierKey(mesh: author.mesh, feed: author.feed, author: author.key)
    for index in entries.indices {
      let proof = TlogProof(
        index: UInt64(index), path: MerkleTree.inclusionPath(hashes, index: UInt64(index)), head: head,
        mesh: author.mesh, author: author.key)
      let again = try TlogProof(parsing: proof.bytes)
      #expect(again == proof)
      #expect(try again.verify(leaf: hashes[index], log: log).checkpoint.size == 13)
      #expect(throws: NoteFault.notIncluded) { try again.verify(leaf: hashes[(index + 1) % 13], log: log) }
    }
  }

  @Test func every_flipped_byte_of_a_proof_is_noticed() throws {
    let author = try Author()
    let hashes = LeafHasher.hashAll(author.entries(6))
    let log = VerifierKey(mesh: author.mesh, feed: author.feed, author: author.key)
    let proof = TlogProof(
      index: 4, path: MerkleTree.inclusionPath(hashes, index: 4), head: author.head(hashes), mesh: author.mesh,
      author: author.key
    ).bytes
    for index in proof.indices {
      var bytes = proof
      bytes[index] ^= 1
      #expect(throws: NoteFault.self, "byte \(index)") {
        try TlogProof(parsing: bytes).verify(leaf: hashes[4], log: log)
      }
    }
  }

  // MARK: Limits

  @Test func a_note_holds_64_signatures() throws {
    func note(_ count: Int) -> [UInt8] {
      let line = "— a.example \(String(decoding: Base64.encode([UInt8](repeating: 1, count: 68)), as: UTF8.self))\n"
      return Array(("text\n\n" + String(repeating: line, count: count)).utf8)
    }
    #expect(try SignedNote(parsing: note(64)).signatures.count == 64)
    #expect(throws: NoteFault.aboveLimit("note signatures")) { try SignedNote(parsing: note(65)) }
    #expect(throws: NoteFault.malformed("signature lines")) { try SignedNote(parsing: note(0)) }
  }

  @Test func a_note_holds_96_kib() throws {
    let tail = Array("\n\n— a.example AQEBAQE=\n".utf8)
    let text = [UInt8](repeating: 0x61, count: LogLimits.noteBytes - tail.count)
    #expect(try SignedNote(parsing: text + tail).text.count == text.count + 1)
    #expect(throws: NoteFault.aboveLimit("note bytes")) { try SignedNote(parsing: [0x61] + text + tail) }
  }

  @Test func a_proof_holds_64_hashes_and_16_kib_of_extra() throws {
    func proof(_ hashes: Int, _ extra: Int) -> [UInt8] {
      TlogProof(
        extra: [UInt8](repeating: 5, count: extra), index: 0, path: [Digest](repeating: .zero, count: hashes),
        checkpoint: [0x61]
      ).bytes
    }
    #expect(try TlogProof(parsing: proof(64, LogLimits.proofExtraBytes)).path.count == 64)
    #expect(throws: NoteFault.aboveLimit("proof hashes")) { try TlogProof(parsing: proof(65, 0)) }
    #expect(throws: NoteFault.aboveLimit("proof extra")) {
      try TlogProof(parsing: proof(0, LogLimits.proofExtraBytes + 1))
    }
    let long = proof(0, 0) + [UInt8](repeating: 0x61, count: 2 * LogLimits.noteBytes)
    #expect(throws: NoteFault.aboveLimit("proof bytes")) { try TlogProof(parsing: long) }
  }

  @Test func notes_are_read_strictly() {
    let line = "— a.example AQEBAQE=\n"
    let wrong: [(String, NoteFault)] = [
      ("text\n\n\(line.dropLast())", .malformed("final newline")),
      ("text\n\(line)", .malformed("empty line")),
      ("te\txt\n\n\(line)", .malformed("control character")),
      ("text\r\n\r\n\(line)", .malformed("control character")),
      ("text\n\n\(line)more\n", .malformed("signature line")),
      ("text\n\n— a.example\n", .malformed("signature line")),
      ("text\n\n— a.example AQEBAQE= \n", .malformed("signature line")),
      ("text\n\n- a.example AQEBAQE=\n", .malformed("signature line")),
      ("text\n\n— a+b AQEBAQE=\n", .malformed("key name")),
      ("text\n\n—  AQEBAQE=\n", .malformed("key name")),
      ("text\n\n— a\u{2003}b AQEBAQE=\n", .malformed("key name")),
      ("text\n\n— a AQEBAQF=\n", .malformed("signature")),
      ("text\n\n— a AQEBAQE\n", .malformed("signature")),
      ("text\n\n— a AQEBAQ==\n", .malformed("signature")),
      ("", .malformed("final newline")),
      ("\n", .malformed("empty line")),
    ]
    for (text, fault) in wrong {
      #expect(throws: fault, "\(text)") { try SignedNote(parsing: Array(text.utf8)) }
    }
    #expect(throws: NoteFault.malformed("UTF-8")) { try SignedNote(parsing: [0xff] + Array("text\n\n\(line)".utf8)) }
    // The text may hold empty lines: the last one counts.
    #expect(throws: Never.self) { try SignedNote(parsing: Array("one\n\ntwo\n\n\(line)".utf8)) }
  }

  @Test func base64_has_one_spelling() {
    var generator = Generator(seed: .zero, stream: 1)
    for count in 0..<100 {
      let bytes = generator.bytes(count)
      #expect(Base64.decode(Base64.encode(bytes)) == bytes)
      #expect(Base64.encode(bytes) == Array(Data(bytes).base64EncodedString().utf8))
    }
    for text in ["A", "AA", "AAA", "A===", "AA=A", "====", "AB==", "AAB=", "AA==AA==", "AAA\n", "AA-_", " AAA"] {
      #expect(Base64.decode(Array(text.utf8)) == nil, "\(text)")
    }
  }

  // MARK: Vectors

  struct NoteCase: Decodable {
    let kind: String
    let vkeys: [String]
    let expect: String
    let verified: [String]?
    let leaf_hashes_hex: [String]?
    let leaf_data: String?
  }

  static func cases(_ index: String) throws -> [(name: String, test: NoteCase, bytes: [UInt8])]? {
    guard let cases = try Vectors.json([String: NoteCase].self, "notes/\(index)", suite: "notes \(index)") else {
      return nil
    }
    return try cases.sorted { $0.key < $1.key }.compactMap { name, test in
      guard let data = try Vectors.data("notes/files/\(name)", suite: "notes") else { return nil }
      return (name, test, Array(data))
    }
  }

  @Test(arguments: ["index.json", "made_index.json"])
  func notes_and_checkpoints_of_others(index: String) throws {
    guard let cases = try Self.cases(index) else { return }
    #expect(cases.count > 10)
    for (name, test, bytes) in cases where test.kind != "tlog-proof" {
      let keys = try test.vkeys.map { try VerifierKey(parsing: $0) }
      func signers() throws -> [String] { try SignedNote(parsing: bytes).verify(keys).map(\.name) }
      switch test.expect {
      case "valid":
        let names = try signers()
        if let verified = test.verified { #expect(names.sorted() == verified.sorted(), "\(name)") }
        #expect(try SignedNote(parsing: bytes).bytes == bytes, "\(name)")
        if test.kind != "note" { try check(bytes, origin: keys[0].name, leaves: test.leaf_hashes_hex, name) }
      case "invalid":
        #expect(throws: NoteFault.self, "\(name)") { try signers() }
      case "invalid-checkpoint":
        #expect(try signers() == test.verified, "\(name)")
        var isOurs = false
        do throws(NoteFault) {
          isOurs = try Checkpoint(parsing: SignedNote(parsing: bytes).text).origin == keys[0].name
        } catch {
          // The root's length is wrong: refused earlier.
        }
        #expect(!isOurs, "\(name)")
      default:
        #expect(test.expect == "parse-only", "\(name)")
        #expect(try SignedNote(parsing: bytes).bytes == bytes, "\(name)")
      }
    }
  }

  private func check(_ bytes: [UInt8], origin: String, leaves: [String]?, _ name: String) throws {
    let note = try SignedNote(parsing: bytes)
    let checkpoint = try Checkpoint(parsing: note.text)
    #expect(checkpoint.text == note.text && checkpoint.origin == origin, "\(name)")
    if let leaves {
      let hashes = try leaves.map { try #require(Digest(hex: $0)) }
      #expect(checkpoint.size == UInt64(hashes.count) && MerkleTree.root(hashes) == checkpoint.root, "\(name)")
    }
  }

  @Test func the_c2sp_cosignature_example_gives_its_time() throws {
    guard let cases = try Self.cases("index.json") else { return }
    let example = try #require(cases.first { $0.name == "c2sp_cosignature_example.txt" })
    let note = try SignedNote(parsing: example.bytes)
    #expect(Cosignature(note.signatures[0].bytes) == nil)
    #expect(Cosignature(note.signatures[1].bytes)?.timeSeconds == 1_679_315_147)
  }

  @Test func proofs_of_others() throws {
    guard let cases = try Self.cases("made_index.json") else { return }
    let proofs = cases.filter { $0.test.kind == "tlog-proof" }
    #expect(proofs.count == 7)
    for (name, test, bytes) in proofs {
      let keys = try test.vkeys.map { try VerifierKey(parsing: $0) }
      let leaf = SHA256Hash.leaf(Array(try #require(test.leaf_data).utf8))
      func verified() throws -> TlogProof.Verified {
        try TlogProof(parsing: bytes).verify(leaf: leaf, log: keys[0], cosigners: Array(keys.dropFirst()))
      }
      if test.expect == "valid" {
        #expect(try verified().signers.map(\.name).sorted() == test.verified?.sorted(), "\(name)")
        #expect(try TlogProof(parsing: bytes).bytes == bytes, "\(name)")
      } else {
        #expect(throws: NoteFault.self, "\(name)") { try verified() }
      }
    }
  }

  struct TextCases: Decodable {
    struct Case: Decodable {
      let name: String
      let body: String?
      let text: String?
      let parses: Bool
    }
    let cases: [Case]
  }

  @Test func checkpoint_bodies_of_transparency_dev() throws {
    let path = "notes/formats_checkpoint_bodies.json"
    guard let list = try Vectors.json(TextCases.self, path, suite: "notes checkpoints") else { return }
    for test in list.cases {
      // Upstream takes a root of any length, and its roots are not 32 bytes: only the lines can be compared.
      let body = try #require(test.body)
      let fault: NoteFault? = test.parses ? .malformed("checkpoint root") : nil
      do throws(NoteFault) {
        _ = try Checkpoint(parsing: Array(body.utf8))
        Issue.record("\(test.name) has no 32-byte root")
      } catch {
        if let fault { #expect(error == fault, "\(test.name)") }
      }
    }
  }

  @Test func proof_texts_of_transparency_dev() throws {
    let path = "notes/formats_tlog_proofs.json"
    guard let list = try Vectors.json(TextCases.self, path, suite: "notes proofs") else { return }
    for test in list.cases {
      let bytes = Array(try #require(test.text).utf8)
      if test.parses {
        #expect(try TlogProof(parsing: bytes).bytes == bytes, "\(test.name)")
      } else {
        #expect(throws: NoteFault.self, "\(test.name)") { try TlogProof(parsing: bytes) }
      }
    }
  }

  struct KeyCases: Decodable {
    struct Case: Decodable {
      let vkey: String
      let valid: Bool?
    }
    let cases: [Case]
  }

  @Test func verifier_keys_of_others() throws {
    guard let list = try Vectors.json(KeyCases.self, "notes/vkeys.json", suite: "notes keys") else { return }
    for test in list.cases {
      // Where the sources differ (upper-case key ID) we go with the document, which asks for lower case.
      if test.valid == true {
        #expect(try VerifierKey(parsing: test.vkey).text == test.vkey)
      } else {
        #expect(throws: NoteFault.self, "\(test.vkey)") { try VerifierKey(parsing: test.vkey) }
      }
    }
    #expect(throws: NoteFault.unknownType(2)) {
      try VerifierKey(parsing: "a+00000000+\(String(decoding: Base64.encode([2] + Digest.zero.bytes), as: UTF8.self))")
    }
  }
}
