// Owns: what our Ed25519 accepts, frozen by public vectors.

import TallyBase
import Testing

@testable import TallyCrypto

private func verify(_ signature: String, _ message: [UInt8], _ key: String) -> Bool {
  guard let signature = Signature(hex(signature)), let key = PublicKey(hex(key)) else { return false }
  return Ed25519.verify(signature, of: message, by: key)
}

@Suite("Ed25519")
struct Ed25519Tests {
  private struct RFC: Decodable {
    struct Vector: Decodable {
      let secret: String, `public`: String, message: String, signature: String
    }
    let vectors: [Vector]
  }

  @Test func rfc8032KeysAndSignaturesAreReproduced() throws {
    let file: RFC = try Vectors.fixture("rfc8032.json")
    #expect(file.vectors.count == 5)
    for vector in file.vectors {
      let identity = try Identity(seed: hex(vector.secret))
      #expect(identity.publicKey.hex == vector.public)
      #expect(Hex.encode(identity.signUnchecked(hex(vector.message)).bytes) == vector.signature)
      #expect(verify(vector.signature, hex(vector.message), vector.public))
      #expect(Ed25519.isAcceptable(identity.publicKey))
    }
  }

  private struct Wycheproof: Decodable {
    struct Group: Decodable {
      struct Key: Decodable { let pk: String }
      struct Case: Decodable { let tcId: Int, msg: String, sig: String, result: String }
      let publicKey: Key
      let tests: [Case]
    }
    let testGroups: [Group]
  }

  @Test func wycheproofVerdictsHold() throws {
    guard
      let file: Wycheproof = try Vectors.shared("ed25519/wycheproof_ed25519_test.json", suite: "wycheproof Ed25519")
    else { return }
    var count = 0
    for group in file.testGroups {
      for test in group.tests {
        count += 1
        let accepted = verify(test.sig, hex(test.msg), group.publicKey.pk)
        #expect(accepted == (test.result == "valid"), "tcId \(test.tcId)")
      }
    }
    #expect(count == 105)
  }

  private struct CCTV: Decodable { let number: Int, key: String, sig: String, msg: String, flags: [String]? }
  private struct CCTVObserved: Decodable {
    let accepted: [Int]
    enum CodingKeys: String, CodingKey { case accepted = "accepted_numbers" }
  }

  @Test func cctvVerdictsAreFrozen() throws {
    guard let cases: [CCTV] = try Vectors.shared("ed25519/cctv_ed25519vectors.json", suite: "CCTV Ed25519"),
      let observed: CCTVObserved = try Vectors.shared(
        "ed25519/cctv_ed25519vectors.observed.json", suite: "CCTV Ed25519")
    else { return }
    let accepted = cases.filter { verify($0.sig, Array($0.msg.utf8), $0.key) }
    #expect(accepted.map(\.number) == observed.accepted)
    for test in accepted {
      let flags = test.flags ?? []
      #expect(!flags.contains("low_order_A") && !flags.contains("low_order_R") && !flags.contains("low_order_residue"))
    }
    // What verification alone lets through, the rule for keys refuses: a key with a low-order component.
    for test in cases {
      let flags = test.flags ?? []
      let mixed = flags.contains { $0 == "low_order_component_A" || $0 == "low_order_A" || $0 == "non_canonical_A" }
      if mixed { #expect(!Ed25519.isAcceptable(PublicKey(hex(test.key))!), "number \(test.number)") }
    }
    #expect(accepted.contains { !Ed25519.isAcceptable(PublicKey(hex($0.key))!) })
  }

  private struct Speccheck: Decodable {
    let message: String, key: String, signature: String
    enum CodingKeys: String, CodingKey { case message, signature, key = "pub_key" }
  }

  @Test func speccheckVerdictsAreFrozen() throws {
    guard let cases: [Speccheck] = try Vectors.shared("ed25519/speccheck_cases.json", suite: "speccheck") else {
      return
    }
    // The eight cases here are the numbers 0, 1, 3, 4, 6, 7, 9 and 10 of the original: number 3 alone is accepted.
    let verdicts = cases.map { verify($0.signature, hex($0.message), $0.key) }
    #expect(verdicts == [false, false, true, false, false, false, false, false])
    #expect(!Ed25519.isAcceptable(PublicKey(hex(cases[2].key))!))
  }

  @Test func keysThatNobodyCanHaveAreRefused() {
    let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"
    for text in [
      String(repeating: "0", count: 64), "01" + String(repeating: "0", count: 62),
      "ec" + String(repeating: "f", count: 60) + "7f", "ed" + String(repeating: "f", count: 60) + "7f",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", order,
    ] {
      let key = PublicKey(hex(text))!
      #expect(!Ed25519.isAcceptable(key), "\(text)")
      #expect(Ed25519.x25519(key) == nil)
    }
  }

  @Test func conversionAgreesOnBothSides() throws {
    for byte in 1...20 as ClosedRange<UInt8> {
      let one = try Identity(seed: [UInt8](repeating: byte, count: 32))
      let two = try Identity(seed: [UInt8](repeating: byte &+ 100, count: 32))
      #expect(Ed25519.x25519(one.publicKey) == one.x25519Key)
      #expect(one.agree(with: two.x25519Key) == two.agree(with: one.x25519Key))
      #expect(one.agree(with: .zero) == nil)
    }
  }

  @Test func aSeedIs32Bytes() {
    for count in [0, 31, 33, 64] {
      #expect(throws: CryptoError.seedSize(count)) { _ = try Identity(seed: [UInt8](repeating: 7, count: count)) }
    }
  }

  @Test func onlyListedPrefixesAreSigned() throws {
    #expect(SignedPrefix.isListed(Array("tally/mesh/ab\n1\n".utf8)))
    #expect(SignedPrefix.isListed([0] + Array("tally/record/1".utf8)))
    for bytes in [[], [0], Array("tally".utf8), [1] + Array("tally/x".utf8), [0, 0] + Array("tally/x".utf8)] {
      #expect(!SignedPrefix.isListed(bytes))
    }
    let identity = try Identity(seed: [UInt8](repeating: 3, count: 32))
    let message = [0] + Array("tally/record/1".utf8) + [1, 2, 3]
    let signature = identity.sign(message)
    #expect(Ed25519.verify(signature, of: message, by: identity.publicKey))
    for index in message.indices {
      var changed = message
      changed[index] ^= 1
      #expect(!Ed25519.verify(signature, of: changed, by: identity.publicKey))
    }
  }

  @Test func otherBytesAreNotSigned() async {
    await #expect(processExitsWith: .failure) {
      let identity = try Identity(seed: [UInt8](repeating: 3, count: 32))
      _ = identity.sign(Array("SSH, please".utf8))
    }
  }
}
