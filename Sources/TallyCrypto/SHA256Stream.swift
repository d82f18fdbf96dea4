// Owns: the SHA-256 of bytes that come in pieces, such as a file's. FIPS 180-4, by libsodium.
import CSodium
import TallyBase

public struct SHA256Stream {
  private var state = crypto_hash_sha256_state()

  public init() {
    // Safe: the call writes one struct that this value owns.
    unsafe _ = crypto_hash_sha256_init(&state)
  }

  public mutating func update(_ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    // Safe: reads exactly `count` bytes of an array that outlives the call.
    unsafe _ = crypto_hash_sha256_update(&state, bytes, UInt64(bytes.count))
  }

  /// The digest of everything given so far; the stream must not be used afterwards.
  public mutating func finish() -> Digest {
    var out = [UInt8](repeating: 0, count: 32)
    // Safe: writes exactly 32 bytes into an array of 32.
    unsafe _ = crypto_hash_sha256_final(&state, &out)
    guard let digest = Digest(out) else { preconditionFailure("a SHA-256 of \(out.count) bytes") }
    return digest
  }
}
