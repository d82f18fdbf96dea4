// Owns: SHA-256 (FIPS 180-4) and the two node hashes of an RFC 6962 tree. Refuses to know: trees.

import CSHA
import TallyBase

public enum SHA256Hash {
  /// SHA-256 of `bytes`.
  public static func hash(_ bytes: [UInt8]) -> Digest {
    // Safe: `bytes.count` bytes to read, 32 bytes of room.
    Digest(raw: unsafe makeBytes32 { unsafe csha_hash(bytes, bytes.count, $0) })
  }

  /// RFC 6962 section 2.1: SHA-256(0x00 ‖ bytes).
  public static func leaf(_ bytes: [UInt8]) -> Digest {
    // Safe: `bytes.count` bytes to read, 32 bytes of room.
    Digest(raw: unsafe makeBytes32 { unsafe csha_leaf(bytes, bytes.count, $0) })
  }

  /// RFC 6962 section 2.1: SHA-256(0x01 ‖ left ‖ right).
  public static func node(_ left: Digest, _ right: Digest) -> Digest {
    Digest(
      raw: unsafe makeBytes32 { out in
        unsafe withBytes(of: left.raw) { left in
          // Safe: two inputs of 32 bytes, 32 bytes of room.
          unsafe withBytes(of: right.raw) { unsafe csha_node(left, $0, out) }
        }
      })
  }
}
