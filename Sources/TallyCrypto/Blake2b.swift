// Owns: BLAKE2b (RFC 7693), HMAC over it (RFC 2104) and Noise's HKDF (Noise revision 34, section 4.3).
// Refuses to know: what is hashed; the tags stand beside their uses.

import CSodium
import TallyBase

public enum Blake2b {
  /// BLAKE2b-256 of the parts one after another.
  public static func hash256(_ parts: [UInt8]...) -> Bytes32 { hash256(joined(parts)) }

  /// BLAKE2b-256 of an ASCII tag and the parts one after another.
  public static func hash256(tag: String, _ parts: [[UInt8]]) -> Bytes32 { hash256(Array(tag.utf8) + joined(parts)) }

  /// BLAKE2b-256 of one run of bytes.
  public static func hash256(_ bytes: [UInt8]) -> Bytes32 {
    Sodium.prepare()
    return unsafe makeBytes32 { out in
      // Safe: 32 bytes of room, `bytes.count` bytes to read, no key.
      _ = unsafe crypto_generichash_blake2b(out, 32, bytes, UInt64(bytes.count), nil, 0)
    }
  }

  /// BLAKE2b-512 of the parts one after another: 64 bytes.
  public static func hash512(_ parts: [UInt8]...) -> [UInt8] {
    parts.count == 1 ? hash(parts[0], key: [], count: 64) : hash(joined(parts), key: [], count: 64)
  }

  /// Keyed BLAKE2b with a 16-byte result. `key` is 16 to 64 bytes.
  public static func keyed16(key: [UInt8], _ message: [UInt8]) -> [UInt8] { hash(message, key: key, count: 16) }

  /// BLAKE2b with a result of `count` (16 to 64) bytes and a key of 0 or 16 to 64 bytes.
  public static func hash(_ message: [UInt8], key: [UInt8], count: Int) -> [UInt8] {
    precondition((16...64).contains(count), "a BLAKE2b result of \(count) bytes")
    precondition(key.isEmpty || (16...64).contains(key.count), "a BLAKE2b key of \(key.count) bytes")
    Sodium.prepare()
    var out = [UInt8](repeating: 0, count: count)
    // Safe: the three counts are those of the three arrays.
    _ = unsafe crypto_generichash_blake2b(&out, count, message, UInt64(message.count), key, key.count)
    return out
  }

  private static func joined(_ parts: [[UInt8]]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(parts.reduce(0) { $0 + $1.count })
    for part in parts { bytes.append(contentsOf: part) }
    return bytes
  }
}

/// HMAC with BLAKE2b-512 as a plain hash. This is Noise's HMAC-HASH; it is not keyed BLAKE2b.
public enum HMACBlake2b {
  private static let blockCount = 128

  /// 64 bytes.
  public static func mac(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    var block = key.count > blockCount ? Blake2b.hash512(key) : key
    block.append(contentsOf: [UInt8](repeating: 0, count: blockCount - block.count))
    let inner = Blake2b.hash512(block.map { $0 ^ 0x36 } + message)
    return Blake2b.hash512(block.map { $0 ^ 0x5c } + inner)
  }
}

/// Noise's HKDF: three chained outputs of 64 bytes.
public enum NoiseHKDF {
  public static func derive(
    chainingKey: [UInt8], _ material: [UInt8]
  ) -> (first: [UInt8], second: [UInt8], third: [UInt8]) {
    let temporary = HMACBlake2b.mac(key: chainingKey, material)
    let first = HMACBlake2b.mac(key: temporary, [1])
    let second = HMACBlake2b.mac(key: temporary, first + [2])
    return (first, second, HMACBlake2b.mac(key: temporary, second + [3]))
  }
}
