// Owns: ChaCha20-Poly1305 with a 12-byte nonce (RFC 8439). Refuses to know: where nonces come from; a nonce that
// is used twice under one key gives both plain texts away, so only `TallySession`'s counters choose them.

import CSodium
import TallyBase

/// A key of ChaCha20-Poly1305.
public struct AEADKey: Sendable {
  let raw: Bytes32
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// Twelve bytes, never twice under one key.
public struct AEADNonce: Sendable {
  let head: UInt32
  let tail: UInt64

  /// Noise's nonce: four zero bytes and the counter, little-endian.
  public init(counter: UInt64) {
    head = 0
    tail = counter.littleEndian
  }

  /// Exactly twelve bytes; nil for any other count.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == 12 else { return nil }
    head = UInt32(littleEndian: bytes[..<4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
    tail = UInt64(littleEndian: bytes[4...].reversed().reduce(0) { $0 << 8 | UInt64($1) })
  }

  @inline(__always)
  func withPointer<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
    let words = (head, UInt32(truncatingIfNeeded: tail), UInt32(truncatingIfNeeded: tail >> 32))
    // Safe: three words without padding are 12 bytes; the pointer is used inside the closure only. On a big-endian
    // machine the halves of `tail` would swap; Tally's hosts (x86-64, aarch64) are little-endian.
    return unsafe withUnsafePointer(to: words) { pointer in
      unsafe body(UnsafeRawPointer(pointer).assumingMemoryBound(to: UInt8.self))
    }
  }
}

public enum AEAD {
  /// How many bytes longer a sealed text is.
  public static let tagCount = 16

  /// Appends the sealed form of `plain` to `out`: as many bytes and a tag of 16.
  public static func seal(
    _ plain: [UInt8], key: AEADKey, nonce: AEADNonce, associated: [UInt8] = [], into out: inout [UInt8]
  ) {
    Sodium.prepare()
    let start = out.count
    out.append(contentsOf: [UInt8](repeating: 0, count: plain.count + tagCount))
    unsafe withBytes(of: key.raw) { key in
      unsafe nonce.withPointer { nonce in
        // Safe: `plain.count + 16` bytes of room behind `start`; the other counts are those of their arrays.
        unsafe out.withUnsafeMutableBufferPointer { room in
          guard let base = room.baseAddress else { return }
          _ = unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
            base + start, nil, plain, UInt64(plain.count), associated, UInt64(associated.count), nil, nonce, key)
        }
      }
    }
  }

  /// The plain text of `sealed[from...]`; nil when it was not sealed with this key, nonce and associated data.
  public static func open(
    _ sealed: [UInt8], from start: Int = 0, key: AEADKey, nonce: AEADNonce, associated: [UInt8] = []
  ) -> [UInt8]? {
    guard start >= 0, start <= sealed.count, sealed.count - start >= tagCount else { return nil }
    Sodium.prepare()
    let count = sealed.count - start
    var status: Int32 = -1
    // One byte more than the plain text has, so that the room has an address even when that is empty.
    let plain = unsafe [UInt8](unsafeUninitializedCapacity: count - tagCount + 1) { room, written in
      unsafe withBytes(of: key.raw) { key in
        unsafe nonce.withPointer { nonce in
          unsafe sealed.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress, let target = room.baseAddress else { return }
            // Safe: `count` bytes are read from `start` on; `count - 16` bytes of room are written.
            status = unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
              target, nil, nil, base + start, UInt64(count), associated, UInt64(associated.count), nonce, key)
          }
        }
      }
      written = status == 0 ? count - tagCount : 0
    }
    return status == 0 ? plain : nil
  }

  /// Seals `plain` behind `packet`, whose bytes so far are the associated data: a header that is sent in clear.
  public static func seal(_ plain: [UInt8], behind packet: inout [UInt8], key: AEADKey, nonce: AEADNonce) {
    Sodium.prepare()
    let header = packet.count
    packet.append(contentsOf: [UInt8](repeating: 0, count: plain.count + tagCount))
    unsafe withBytes(of: key.raw) { key in
      unsafe nonce.withPointer { nonce in
        unsafe packet.withUnsafeMutableBufferPointer { room in
          guard let base = room.baseAddress else { return }
          // Safe: `header` bytes are read, and the `plain.count + 16` bytes of room behind them are written.
          _ = unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
            base + header, nil, plain, UInt64(plain.count), base, UInt64(header), nil, nonce, key)
        }
      }
    }
  }

  /// What `seal(_:behind:)` sealed: the plain text behind the first `header` bytes; nil when anything was changed.
  public static func open(behind header: Int, of packet: [UInt8], key: AEADKey, nonce: AEADNonce) -> [UInt8]? {
    guard header >= 0, header <= packet.count, packet.count - header >= tagCount else { return nil }
    Sodium.prepare()
    let count = packet.count - header
    var status: Int32 = -1
    // One byte more than the plain text has, so that the room has an address even when that is empty.
    let plain = unsafe [UInt8](unsafeUninitializedCapacity: count - tagCount + 1) { room, written in
      unsafe withBytes(of: key.raw) { key in
        unsafe nonce.withPointer { nonce in
          unsafe packet.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress, let target = room.baseAddress else { return }
            // Safe: `header + count` bytes are the packet; `count - 16` bytes of room are written.
            status = unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
              target, nil, nil, base + header, UInt64(count), base, UInt64(header), nonce, key)
          }
        }
      }
      written = status == 0 ? count - tagCount : 0
    }
    return status == 0 ? plain : nil
  }
}
