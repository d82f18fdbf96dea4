// Owns: checking Ed25519 signatures and keys. Refuses to know: secrets.
// RFC 8032 with libsodium's strictness: canonical S, R and A; no low-order A or R; no cofactor. Frozen by vectors.

import CSodium
import TallyBase

public enum Ed25519 {
  /// True when `signature` is `key`'s over `message`.
  public static func verify(_ signature: Signature, of message: [UInt8], by key: PublicKey) -> Bool {
    Sodium.prepare()
    let bytes = signature.bytes
    return unsafe withBytes(of: key.raw) { key in
      // Safe: 64 bytes of signature, `message.count` of message, 32 of key.
      unsafe crypto_sign_ed25519_verify_detached(bytes, message, UInt64(message.count), key) == 0
    }
  }

  /// True when `key` is the canonical encoding of a point of prime order: the only keys Tally gives a name to.
  /// Without this one secret could appear under eight keys.
  public static func isAcceptable(_ key: PublicKey) -> Bool {
    Sodium.prepare()
    // Safe: 32 bytes of point.
    return unsafe withBytes(of: key.raw) { unsafe crypto_core_ed25519_is_valid_point($0) == 1 }
  }

  /// The X25519 key of an acceptable Ed25519 key; nil for any other.
  public static func x25519(_ key: PublicKey) -> Bytes32? {
    guard isAcceptable(key) else { return nil }
    var status: Int32 = -1
    let converted = unsafe makeBytes32 { out in
      // Safe: 32 bytes in, 32 bytes out.
      status = unsafe withBytes(of: key.raw) { unsafe crypto_sign_ed25519_pk_to_curve25519(out, $0) }
    }
    return status == 0 ? converted : nil
  }
}

/// X25519 (RFC 7748) over plain values: the ephemeral keys of a handshake.
public enum X25519 {
  /// The public key of a 32-byte secret.
  public static func publicKey(of secret: Bytes32) -> Bytes32 {
    Sodium.prepare()
    return unsafe makeBytes32 { out in
      // Safe: 32 bytes in, 32 bytes out. It fails only for a point at infinity, which the base point never gives.
      _ = unsafe withBytes(of: secret) { unsafe crypto_scalarmult_curve25519_base(out, $0) }
    }
  }

  /// The shared secret; nil when it is all zero (`point` of low order).
  public static func agree(secret: Bytes32, with point: Bytes32) -> Bytes32? {
    Sodium.prepare()
    var status: Int32 = -1
    let shared = unsafe makeBytes32 { out in
      unsafe withBytes(of: secret) { secret in
        // Safe: three buffers of 32 bytes.
        unsafe withBytes(of: point) { status = unsafe crypto_scalarmult_curve25519(out, secret, $0) }
      }
    }
    return status == 0 ? shared : nil
  }
}
