// Owns: the other primitives against public vectors.

import CSodium
import FoundationEssentials
import TallyBase
import Testing

@testable import TallyCrypto

@Suite("X25519")
struct X25519Tests {
  private struct RFC: Decodable {
    struct Vector: Decodable { let scalar: String?, u: String?, out: String? }
    let vectors: [Vector]?
    let cases: [Vector]?
  }

  @Test func rfc7748ValuesHold() throws {
    let file: RFC = try Vectors.fixture("rfc7748.json")
    var count = 0
    for vector in (file.vectors ?? file.cases)! {
      guard let scalar = vector.scalar, let u = vector.u, let out = vector.out else { continue }
      count += 1
      #expect(X25519.agree(secret: bytes32(scalar), with: bytes32(u))?.bytes == hex(out))
    }
    #expect(count >= 2)
  }

  private struct Wycheproof: Decodable {
    struct Group: Decodable {
      struct Case: Decodable { let tcId: Int, `public`: String, `private`: String, shared: String, flags: [String] }
      let tests: [Case]
    }
    let testGroups: [Group]
  }

  @Test func wycheproofValuesHoldAndZeroIsRefused() throws {
    guard let file: Wycheproof = try Vectors.shared("x25519/wycheproof_x25519_test.json", suite: "wycheproof X25519")
    else { return }
    for test in file.testGroups.flatMap(\.tests) {
      let shared = X25519.agree(secret: bytes32(test.private), with: bytes32(test.public))
      let isZero = test.flags.contains("ZeroSharedSecret")
      #expect(shared?.bytes == (isZero ? nil : hex(test.shared)), "tcId \(test.tcId)")
    }
  }
}

@Suite("BLAKE2b")
struct Blake2bTests {
  private struct KAT: Decodable {
    let key: String, out: String, input: String
    enum CodingKeys: String, CodingKey { case key, out, input = "in" }
  }

  @Test func knownAnswersHold() throws {
    guard let cases: [KAT] = try Vectors.shared("blake2/blake2b-kat.json", suite: "BLAKE2b") else { return }
    for test in cases {
      #expect(Blake2b.hash(hex(test.input), key: hex(test.key), count: 64) == hex(test.out))
      if test.key.isEmpty { #expect(Blake2b.hash512(hex(test.input)) == hex(test.out)) }
    }
  }

  private struct HMACFile: Decodable {
    struct Case: Decodable { let key: String, msg: String, mac: String }
    let cases: [Case]
  }

  @Test func hmacIsNoisesAndNotKeyedBlake2b() throws {
    guard let file: HMACFile = try Vectors.shared("blake2/made_hmac-blake2b.json", suite: "HMAC-BLAKE2b") else {
      return
    }
    for test in file.cases { #expect(HMACBlake2b.mac(key: hex(test.key), hex(test.msg)) == hex(test.mac)) }
  }

  private struct HKDFFile: Decodable {
    struct Case: Decodable {
      let chaining: String, material: String, output1: String, output2: String, output3: String
      enum CodingKeys: String, CodingKey {
        case chaining = "chaining_key", material = "input_key_material", output1, output2, output3
      }
    }
    let cases: [Case]
  }

  @Test func hkdfHolds() throws {
    guard let file: HKDFFile = try Vectors.shared("blake2/made_noise-hkdf-blake2b.json", suite: "Noise HKDF") else {
      return
    }
    for test in file.cases {
      let output = NoiseHKDF.derive(chainingKey: hex(test.chaining), hex(test.material))
      #expect(output.first == hex(test.output1))
      #expect(output.second == hex(test.output2))
      #expect(output.third == hex(test.output3))
    }
  }

  @Test func partsAreHashedOneAfterAnother() {
    #expect(Blake2b.hash256([1, 2], [], [3]) == Blake2b.hash256([1, 2, 3]))
    #expect(Blake2b.hash256(tag: "ab", [[1]]) == Blake2b.hash256([0x61, 0x62, 1]))
    // RFC 7693 appendix A has the 512-bit value of "abc".
    #expect(
      Hex.encode(Blake2b.hash512(Array("abc".utf8))).hasPrefix("ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b7"))
    #expect(Blake2b.keyed16(key: [UInt8](repeating: 1, count: 32), [2]).count == 16)
  }
}

@Suite("SHA-256")
struct SHA256Tests {
  private struct NIST: Decodable {
    struct Case: Decodable { let msg: String, md: String }
    let cases: [Case]
  }

  @Test func nistValuesHold() throws {
    guard let file: NIST = try Vectors.shared("sha256/nist_sha256_shortmsg.json", suite: "SHA-256") else { return }
    for test in file.cases { #expect(SHA256Hash.hash(hex(test.msg)).hex == test.md) }
  }

  private struct FIPS: Decodable {
    struct Case: Decodable { let msg: String?, `repeat`: String?, count: Int?, md: String }
    let cases: [Case]
  }

  @Test func fipsExamplesHold() throws {
    guard let file: FIPS = try Vectors.shared("sha256/fips180_examples.json", suite: "FIPS 180-4") else { return }
    for test in file.cases {
      let message =
        test.msg.map { hex($0) } ?? Array(repeatElement(hex(test.repeat!), count: test.count!).joined())
      #expect(SHA256Hash.hash(message).hex == test.md)
    }
  }

  /// The fast code (libcrypto) and libsodium's must be one function.
  @Test func libsodiumAgrees() {
    var generator = Generator(seed: .zero, stream: 256)
    for _ in 0..<400 {
      let message = generator.bytes(generator.below(300))
      #expect(SHA256Hash.hash(message).bytes == sodium(message))
      #expect(SHA256Hash.leaf(message).bytes == sodium([0] + message))
      let (left, right) = (Digest(raw: generator.bytes32()), Digest(raw: generator.bytes32()))
      #expect(SHA256Hash.node(left, right).bytes == sodium([1] + left.bytes + right.bytes))
    }
  }

  private func sodium(_ message: [UInt8]) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: 32)
    // Safe: 32 bytes of room, `message.count` to read.
    _ = unsafe crypto_hash_sha256(&out, message, UInt64(message.count))
    return out
  }
}

@Suite("ChaCha20-Poly1305")
struct AEADTests {
  private struct RFC: Decodable {
    struct Vector: Decodable { let key: String, nonce: String, aad: String, msg: String, ct: String, tag: String }
    let vectors: [Vector]?
    let cases: [Vector]?
  }

  private func check(key: String, nonce: String, aad: String, plain: String, sealed: String, valid: Bool) {
    let key = AEADKey(bytes32(key))
    let nonce = AEADNonce(hex(nonce))!
    let opened = AEAD.open(hex(sealed), key: key, nonce: nonce, associated: hex(aad))
    #expect(opened == (valid ? hex(plain) : nil))
    #expect(AEAD.open(behind: hex(aad).count, of: hex(aad) + hex(sealed), key: key, nonce: nonce) == opened)
    guard valid else { return }
    var out: [UInt8] = [9]
    AEAD.seal(hex(plain), key: key, nonce: nonce, associated: hex(aad), into: &out)
    #expect(out == [9] + hex(sealed))
    var packet = hex(aad)
    AEAD.seal(hex(plain), behind: &packet, key: key, nonce: nonce)
    #expect(packet == hex(aad) + hex(sealed))
  }

  @Test func rfc8439ValuesHold() throws {
    let file: RFC = try Vectors.fixture("rfc8439.json")
    for test in (file.vectors ?? file.cases)! {
      check(
        key: test.key, nonce: test.nonce, aad: test.aad, plain: test.msg, sealed: test.ct + test.tag, valid: true)
    }
  }

  private struct Wycheproof: Decodable {
    struct Group: Decodable {
      struct Case: Decodable {
        let tcId: Int, key: String, iv: String, aad: String, msg: String, ct: String, tag: String, result: String
      }
      let ivSize: Int
      let tests: [Case]
    }
    let testGroups: [Group]
  }

  @Test func wycheproofVerdictsHold() throws {
    guard
      let file: Wycheproof = try Vectors.shared(
        "chacha20poly1305/wycheproof_chacha20_poly1305_test.json", suite: "wycheproof AEAD")
    else { return }
    for group in file.testGroups {
      for test in group.tests {
        if group.ivSize != 96 {
          #expect(AEADNonce(hex(test.iv)) == nil)
          continue
        }
        check(
          key: test.key, nonce: test.iv, aad: test.aad, plain: test.msg, sealed: test.ct + test.tag,
          valid: test.result == "valid")
      }
    }
  }

  @Test func tooShortIsRefused() {
    let key = AEADKey(.zero)
    for count in 0..<16 {
      let bytes = [UInt8](repeating: 0, count: count)
      #expect(AEAD.open(bytes, key: key, nonce: AEADNonce(counter: 0)) == nil)
      #expect(AEAD.open(behind: 8, of: bytes, key: key, nonce: AEADNonce(counter: 0)) == nil)
    }
    var empty: [UInt8] = []
    AEAD.seal([], behind: &empty, key: key, nonce: AEADNonce(counter: 5))
    #expect(AEAD.open(behind: 0, of: empty, key: key, nonce: AEADNonce(counter: 5)) == [])
    #expect(AEAD.open(behind: 0, of: empty, key: key, nonce: AEADNonce(counter: 6)) == nil)
  }
}

@Suite("SipHash")
struct SipHashTests {
  private struct Reference: Decodable {
    struct Vector: Decodable { let len: Int, out: String }
    let vectors: [Vector]
  }

  @Test func referenceValuesHold() throws {
    guard let file: Reference = try Vectors.shared("siphash/siphash24_reference.json", suite: "SipHash") else { return }
    let key = (0..<16).map { UInt8($0) }
    for vector in file.vectors {
      let value = SipHash.hash64(key: key, (0..<vector.len).map { UInt8($0) })
      #expect((0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) } == hex(vector.out))
    }
  }

  private struct Wycheproof: Decodable {
    struct Group: Decodable {
      struct Case: Decodable { let tcId: Int, key: String, msg: String, tag: String, result: String }
      let tests: [Case]
    }
    let testGroups: [Group]
  }

  @Test func wycheproofVerdictsHold() throws {
    guard let file: Wycheproof = try Vectors.shared("siphash/wycheproof_siphash_2_4_test.json", suite: "SipHash")
    else { return }
    for test in file.testGroups.flatMap(\.tests) {
      let value = SipHash.hash64(key: hex(test.key), hex(test.msg))
      let tag = (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
      #expect((tag == hex(test.tag)) == (test.result == "valid"), "tcId \(test.tcId)")
    }
  }
}

@Suite("Constant time")
struct ConstantTimeTests {
  @Test func equalMeansEqual() {
    #expect(ConstantTime.equal([], []))
    #expect(ConstantTime.equal([1, 2], [1, 2]))
    #expect(!ConstantTime.equal([1, 2], [1, 3]))
    #expect(!ConstantTime.equal([1, 2], [1, 2, 0]))
  }
}
