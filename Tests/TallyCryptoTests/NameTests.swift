// Owns: text forms of keys and the derivation of names.

import TallyBase
import Testing

@testable import TallyCrypto

@Suite("Key text")
struct KeyTextTests {
  private struct BIP350: Decodable { let valid: [String], invalid: [String] }

  @Test func bip350StringsHold() throws {
    let file: BIP350 = try Vectors.fixture("bip350.json")
    for text in file.valid {
      let (prefix, values) = try Bech32m.decode(text)
      #expect(Bech32m.encode(prefix: prefix, values: values) == text.lowercased())
    }
    for text in file.invalid {
      #expect(throws: KeyTextError.self, "\(text)") { _ = try Bech32m.decode(text) }
    }
  }

  @Test func keysGoThereAndBack() throws {
    for byte in 0..<32 as Range<UInt8> {
      let key = try Identity(seed: [UInt8](repeating: byte, count: 32)).publicKey
      let text = KeyText.encode(key)
      #expect(text.hasPrefix("tal1"))
      #expect(text.utf8.count == 62)
      #expect(try KeyText.decode(text) == key)
      #expect(try KeyText.decode(text.uppercased()) == key)
    }
  }

  @Test func everyTypingErrorIsFound() throws {
    let text = Array(KeyText.encode(try Identity(seed: [UInt8](repeating: 9, count: 32)).publicKey).utf8)
    for index in text.indices {
      for letter in "qpzry9x8gf2tvdw0s3jn54khce6mua7lb1io-".utf8 where letter != text[index] {
        var changed = text
        changed[index] = letter
        #expect(throws: KeyTextError.self) { _ = try KeyText.decode(String(decoding: changed, as: UTF8.self)) }
      }
      var shorter = text
      shorter.remove(at: index)
      #expect(throws: KeyTextError.self) { _ = try KeyText.decode(String(decoding: shorter, as: UTF8.self)) }
    }
  }

  @Test func otherTextIsRefusedByName() throws {
    let key = try Identity(seed: [UInt8](repeating: 9, count: 32)).publicKey
    let values = Bech32m.fiveBits(key.bytes)
    #expect(throws: KeyTextError.wrongPrefix) { _ = try KeyText.decode(Bech32m.encode(prefix: "tel", values: values)) }
    #expect(throws: KeyTextError.badPadding) {
      var padded = values
      padded[51] |= 1
      _ = try KeyText.decode(Bech32m.encode(prefix: "tal", values: padded))
    }
    #expect(throws: KeyTextError.notAKey) {
      _ = try KeyText.decode(Bech32m.encode(prefix: "tal", values: Bech32m.fiveBits([UInt8](repeating: 0, count: 32))))
    }
    #expect(throws: KeyTextError.self) { _ = try KeyText.decode(String(repeating: "q", count: 10_000)) }
    #expect(throws: KeyTextError.self) { _ = try KeyText.decode("") }
  }
}

@Suite("Names")
struct NameTests {
  @Test func meshNamesAreNarrow() {
    for name in ["a", "0", "lab-1.example", String(repeating: "a", count: 63)] { #expect(Names.isMeshName(name)) }
    for name in ["", "-a", ".a", "A", "a_b", "ä", "a b", String(repeating: "a", count: 64)] {
      #expect(!Names.isMeshName(name))
    }
  }

  @Test func derivationsAreTheirFormulas() {
    let nonce = [UInt8](0..<16)
    let mesh = Names.meshID(name: "lab", nonce: nonce)
    #expect(mesh.raw == Blake2b.hash256(Array("tally/mesh/1".utf8) + [3] + Array("lab".utf8) + nonce))
    let key = PublicKey([UInt8](repeating: 5, count: 32))!
    let node = Names.nodeID(mesh: mesh, key: key)
    #expect(node.raw == Blake2b.hash256(Array("tally/id/1".utf8) + mesh.bytes + key.bytes))
    let feed = Names.feedID(mesh: mesh, author: key, incarnation: 0x0102_0304_0506_0708)
    #expect(
      feed.raw == Blake2b.hash256(Array("tally/feed/1".utf8) + mesh.bytes + key.bytes + [8, 7, 6, 5, 4, 3, 2, 1]))
    let leaf = SHA256Hash.leaf([1])
    let entry = Names.entryID(feed: feed, index: 7, leaf: leaf)
    #expect(
      entry.raw == Blake2b.hash256(
        Array("tally/entry/1".utf8) + feed.bytes + [7, 0, 0, 0, 0, 0, 0, 0] + leaf.bytes))
    #expect(Names.puzzleBits(node) == Blake2b.hash256(Array("tally/pow/1".utf8) + node.bytes).leadingZeroBitCount)
  }

  @Test func equalNamesAreDifferentMeshes() {
    let one = Names.meshID(name: "lab", nonce: [UInt8](repeating: 0, count: 16))
    #expect(one != Names.meshID(name: "lab", nonce: [UInt8](repeating: 1, count: 16)))
  }
}
