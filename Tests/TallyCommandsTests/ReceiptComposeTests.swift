// What a daemon gives for one entry, read back and checked: whatever does not prove itself is refused.
import TallyAdmin
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import TallyWork
import Testing

@testable import TallyCommands

@Suite struct ReceiptComposeTests {
  private let mesh: MeshName
  private let proof: ProofResult

  /// Three entries of one feed, a head over them, and the proof of the middle one, as a daemon would give it.
  init() throws {
    let mesh = try #require(MeshName(name: "test", nonce: [UInt8](repeating: 5, count: 16)))
    let identity = try Identity(seed: [UInt8](repeating: 3, count: 32))
    let incarnation: UInt64 = 0xabc
    let feed = Names.feedID(mesh: mesh.id, author: identity.publicKey, incarnation: incarnation)
    let entries = (0..<3).map {
      Entry(kind: .record, timeMs: Int64($0), links: [], body: RecordBody.plain([UInt8($0)]).encoded)
    }
    let leaves = entries.map(\.leafHash)
    let head = Head.signed(by: identity, mesh: mesh.name, feed: feed, size: 3, root: MerkleTree.root(leaves))
    self.mesh = mesh
    proof = ProofResult(
      feed: feed.hex, author: KeyText.encode(identity.publicKey), incarnation: String(incarnation, radix: 16), index: 1,
      size: 3, preimage: Base64Bytes(entries[1].preimage),
      path: MerkleTree.inclusionPath(leaves, index: 1).map(\.hex), root: head.root.hex,
      signature: Base64Bytes(head.signature.bytes), note: "")
  }

  @Test func aProofHolds() throws {
    let entry = try ReceiptCompose.read(proof)
    let fault = ReceiptCompose.fault(entry, mesh: mesh)
    #expect(fault == nil && entry.entry.kind == .record)
    let receipt = Receipt.record(RecordReceipt(mesh: mesh, author: entry.author, salt: nil, words: [1], record: entry))
    let text = try ReceiptCompose.text(receipt)
    #expect(try Receipt.parse(text).verify(author: entry.author).holds)
  }

  @Test func whatADaemonInventsIsFound() throws {
    let flip = { (bytes: [UInt8]) in bytes.enumerated().map { $0.offset == bytes.count - 1 ? $0.element ^ 1 : $0.element } }
    let turned = { (hex: String) in String(hex.dropLast()) + (hex.hasSuffix("0") ? "1" : "0") }
    var cases: [(ProofResult, String)] = []
    var proof = proof
    proof.preimage = Base64Bytes(flip(proof.preimage.bytes))
    cases.append((proof, "root"))
    proof = self.proof
    proof.path[0] = turned(proof.path[0])
    cases.append((proof, "root"))
    proof = self.proof
    proof.path.removeLast()
    cases.append((proof, "root"))
    proof = self.proof
    proof.index = 2
    cases.append((proof, "root"))
    proof = self.proof
    proof.root = turned(proof.root)
    cases.append((proof, "root"))
    proof = self.proof
    proof.signature = Base64Bytes(flip(proof.signature.bytes))
    cases.append((proof, "signature"))
    proof = self.proof
    proof.incarnation = "abd"
    cases.append((proof, "feed"))
    proof = self.proof
    proof.author = KeyText.encode(try Identity(seed: [UInt8](repeating: 4, count: 32)).publicKey)
    cases.append((proof, "feed"))
    for (proof, says) in cases {
      let fault = ReceiptCompose.fault(try ReceiptCompose.read(proof), mesh: mesh)
      #expect(fault?.contains(says) == true, "\(fault ?? "it holds") should say \(says)")
    }
  }

  @Test func whatCannotBeReadIsBadData() {
    var proof = proof
    proof.feed = "zz"
    #expect { _ = try ReceiptCompose.read(proof) } throws: { ($0 as? ClientError)?.code == .badData }
    proof = self.proof
    proof.signature = Base64Bytes([1])
    #expect { _ = try ReceiptCompose.read(proof) } throws: { ($0 as? ClientError)?.code == .badData }
    proof = self.proof
    proof.preimage = Base64Bytes([])
    #expect { _ = try ReceiptCompose.read(proof) } throws: { ($0 as? ClientError)?.code == .badData }
  }
}
