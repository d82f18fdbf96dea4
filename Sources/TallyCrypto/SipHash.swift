// Owns: SipHash-2-4 (Aumasson and Bernstein 2012), the keyed hash of tables that strangers may fill.

import CSodium
import TallyBase

public enum SipHash {
  /// 64 bits, little-endian as the reference code writes them. `key` is 16 bytes; another count traps.
  public static func hash64(key: [UInt8], _ bytes: [UInt8]) -> UInt64 {
    precondition(key.count == 16, "a SipHash key of \(key.count) bytes")
    var out = [UInt8](repeating: 0, count: 8)
    // Safe: 8 bytes of room, `bytes.count` to read, 16 of key.
    _ = unsafe crypto_shorthash_siphash24(&out, bytes, UInt64(bytes.count), key)
    return out.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
