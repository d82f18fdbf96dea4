// Owns: the denominator (libsodium's single verifies), hashes, AEAD and LZ4 as Tally calls them.
// Refuses to know: protocols.
import TallyBase
import TallyCrypto
import TallySession

enum CryptoBench {
  static let payload: [UInt8] = {
    var generator = Generator(seed: Blake2b.hash256([1]), stream: 3)
    return generator.bytes(200)
  }()

  /// Ed25519 verifies a second on one core, one after the other, of a note of 200 bytes.
  static func verifies(rounds: Int = 5) throws -> Double {
    let identity = try Identity(seed: [UInt8](repeating: 5, count: 32))
    let message = Array("tally/bench\n".utf8) + payload
    let signature = identity.sign(message)
    return Meter.rate(rounds: rounds) {
      precondition(Ed25519.verify(signature, of: message, by: identity.publicKey), "our own signature")
    }
  }

  static func run() throws -> [Figure] {
    let verify = try verifies()
    let identity = try Identity(seed: [UInt8](repeating: 6, count: 32))
    let message = Array("tally/bench\n".utf8) + payload
    let sign = Meter.rate { keep(identity.sign(message)) }
    let leaf = [UInt8](repeating: 3, count: 61)
    let digest = SHA256Hash.hash(leaf)
    let other = SHA256Hash.hash(leaf + [1])
    let leaves = Meter.rate { keep(SHA256Hash.leaf(leaf)) }
    let nodes = Meter.rate { keep(SHA256Hash.node(digest, other)) }
    return [
      Figure("crypto.verify", verify, "/s", "Ed25519, 212 bytes, libsodium: the denominator"),
      Figure("crypto.sign", sign, "/s", "Ed25519, 212 bytes"),
      Figure("crypto.leaf", leaves, "/s", "SHA-256 of an entry of 61 bytes"),
      Figure("crypto.node", nodes, "/s", "SHA-256 of two hashes"),
    ] + aead() + lz4()
  }

  private static func aead() -> [Figure] {
    [200, 1200, 61_440].map { size in
      let key = AEADKey(Blake2b.hash256([2]))
      let plain = [UInt8](repeating: 7, count: size)
      var counter: UInt64 = 0
      var sealed: [UInt8] = []
      let rate = Meter.rate {
        sealed.removeAll(keepingCapacity: true)
        AEAD.seal(plain, key: key, nonce: AEADNonce(counter: counter), into: &sealed)
        counter += 1
      }
      return Figure("aead.seal.\(size)", rate * Double(size) / 1e6, "MB/s", "ChaCha20-Poly1305 (RFC 8439)")
    }
  }

  /// Text that packs as Tally's own messages do not: about 2.4 to 1.
  private static func lz4() -> [Figure] {
    var generator = Generator(seed: Blake2b.hash256([4]), stream: 0)
    var text: [UInt8] = []
    while text.count < 60_000 {
      let task = Hex.encode(generator.bytes(8))
      text += Array(#"{"task":"\#(task)","state":"accepted","units":\#(generator.below(99))},"#.utf8)
    }
    guard let packed = Compression.pack(text, saving: 0) else { return [] }
    let pack = Meter.rate { keep(Compression.pack(text, saving: 0)) }
    let unpack = Meter.rate { keep(Compression.unpack(packed[...], size: text.count)) }
    let note = "60 kB of JSON, \(packed.count * 100 / text.count) % of its size"
    return [
      Figure("lz4.pack", pack * Double(text.count) / 1e6, "MB/s", note),
      Figure("lz4.unpack", unpack * Double(text.count) / 1e6, "MB/s", note),
    ]
  }
}
