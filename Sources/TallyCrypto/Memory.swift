// Owns: the crossing between our values and C's pointers, and the one-time start of libsodium.
// Refuses to know: what is computed. No pointer outlives the closure it is handed to.

import CSodium
import TallyBase

/// libsodium picks its fastest code and sets up guarded memory once; everything that needs it asks here first.
enum Sodium {
  /// True when `sodium_init` succeeded. It is idempotent and safe to race: Swift runs a static's initialiser once.
  static let isReady: Bool = sodium_init() >= 0

  static func prepare() { precondition(isReady, "libsodium did not start: sodium_init failed") }
}

/// Calls `body` with the 32 bytes of `value` in order.
@inline(__always)
func withBytes<Result>(of value: Bytes32, _ body: (UnsafePointer<UInt8>) -> Result) -> Result {
  let words = (value.word0.bigEndian, value.word1.bigEndian, value.word2.bigEndian, value.word3.bigEndian)
  // Safe: four words without padding are 32 bytes; the pointer is used inside the closure only.
  return unsafe withUnsafePointer(to: words) { pointer in
    unsafe body(UnsafeRawPointer(pointer).assumingMemoryBound(to: UInt8.self))
  }
}

/// The 32 bytes that `body` writes. It must write all of them.
@inline(__always)
func makeBytes32(_ body: (UnsafeMutablePointer<UInt8>) -> Void) -> Bytes32 {
  var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
  // Safe: four words without padding are 32 bytes; the pointer is used inside the closure only.
  unsafe withUnsafeMutablePointer(to: &words) { pointer in
    unsafe body(UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: UInt8.self))
  }
  return Bytes32(
    word0: UInt64(bigEndian: words.0), word1: UInt64(bigEndian: words.1),
    word2: UInt64(bigEndian: words.2), word3: UInt64(bigEndian: words.3))
}

/// Comparison whose time does not depend on where the bytes differ.
public enum ConstantTime {
  /// True when both hold the same bytes. Their counts are not secret.
  public static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    // Safe: both arrays hold `left.count` bytes.
    return unsafe sodium_memcmp(left, right, left.count) == 0
  }
}
