// Owns: a host's secret key, in memory that libsodium locks, guards and wipes.
// Refuses to know: where the seed is stored. Ed25519 (RFC 8032), X25519 (RFC 7748).

import CSodium
import TallyBase

/// What can go wrong when a key is made.
public enum CryptoError: Error, Hashable, Sendable {
  /// A seed is 32 bytes.
  case seedSize(Int)
  /// The kernel gave no locked memory for the secret.
  case noSecureMemory
  /// The seed gives no usable key (does not happen by chance).
  case unusableSeed
}

/// An Ed25519 key pair and the X25519 secret made from it. The secret has no description, no copy and no getter;
/// it is zeroed when the value ends.
public struct Identity: ~Copyable, Sendable {
  /// The host's name to everybody else.
  public let publicKey: PublicKey
  /// The same key on Curve25519, as the Noise handshake uses it.
  public let x25519Key: Bytes32
  /// Where the secrets lie: 64 bytes of libsodium's Ed25519 secret key, then 32 bytes of X25519 secret. A number,
  /// since only this file makes a pointer of it, for the length of one call.
  private let address: UInt

  private static let ed25519Count = 64
  private static let byteCount = 96

  /// Makes the key pair of a 32-byte seed (RFC 8032's private key). The same seed always gives the same keys.
  public init(seed: [UInt8]) throws(CryptoError) {
    guard seed.count == 32 else { throw .seedSize(seed.count) }
    Sodium.prepare()
    // Safe: checked for nil; `byteCount` bytes, used only below and in this file until `deinit` frees them.
    guard let memory = unsafe sodium_malloc(Self.byteCount) else { throw .noSecureMemory }
    let secret = unsafe memory.assumingMemoryBound(to: UInt8.self)
    let scalar = unsafe secret + Self.ed25519Count
    var converted: Int32 = -1
    // Safe: 32 bytes for the public key, 64 for the secret, 32 of seed, as libsodium asks.
    let key = unsafe makeBytes32 { out in _ = unsafe crypto_sign_ed25519_seed_keypair(out, secret, seed) }
    let curve = unsafe makeBytes32 { out in
      // Safe: the scalar's 32 bytes lie behind the 64 of the secret key.
      converted = unsafe crypto_sign_ed25519_sk_to_curve25519(scalar, secret)
      if converted == 0 { converted = unsafe crypto_scalarmult_curve25519_base(out, scalar) }
    }
    guard converted == 0 else {
      unsafe sodium_free(memory)
      throw .unusableSeed
    }
    unsafe sodium_mprotect_readonly(memory)
    address = UInt(bitPattern: memory)
    publicKey = PublicKey(raw: key)
    x25519Key = curve
  }

  deinit {
    // Safe: `address` came from sodium_malloc in `init` and is freed exactly once; sodium_free zeroes it.
    unsafe sodium_free(UnsafeMutableRawPointer(bitPattern: address))
  }

  /// Signs `message`. It must begin with 0x00 and `tally/`, or be the text of a note that begins with `tally/`:
  /// so nobody who makes a host sign something gets a signature that means anything elsewhere. Other bytes trap.
  public borrowing func sign(_ message: [UInt8]) -> Signature {
    precondition(SignedPrefix.isListed(message), "asked to sign \(message.count) bytes without a listed prefix")
    return signUnchecked(message)
  }

  /// Signs anything. For test vectors alone.
  borrowing func signUnchecked(_ message: [UInt8]) -> Signature {
    var bytes = [UInt8](repeating: 0, count: 64)
    if let secret = unsafe UnsafePointer<UInt8>(bitPattern: address) {
      // Safe: `secret` holds 64 bytes of secret key; the signature has 64 bytes of room.
      _ = unsafe crypto_sign_ed25519_detached(&bytes, nil, message, UInt64(message.count), secret)
    }
    guard let signature = Signature(bytes) else { preconditionFailure("a signature of \(bytes.count) bytes") }
    return signature
  }

  /// X25519 of this host's secret and `other`; nil when the result is all zero (`other` of low order).
  public borrowing func agree(with other: Bytes32) -> Bytes32? {
    var status: Int32 = -1
    let shared = unsafe makeBytes32 { out in
      guard let secret = unsafe UnsafePointer<UInt8>(bitPattern: address) else { return }
      // Safe: the scalar's 32 bytes lie behind the 64 of the secret key.
      status = unsafe withBytes(of: other) { unsafe crypto_scalarmult_curve25519(out, secret + Self.ed25519Count, $0) }
    }
    return status == 0 ? shared : nil
  }
}

/// The beginnings of everything a host's key may sign. DESIGN section 5.
public enum SignedPrefix {
  private static let note: [UInt8] = Array("tally/".utf8)

  /// True for 0x00 ‖ `tally/…` (our own statements) and `tally/…` (the text of a C2SP note).
  public static func isListed(_ message: [UInt8]) -> Bool {
    message.starts(with: note) || (message.first == 0 && message.dropFirst().starts(with: note))
  }
}
