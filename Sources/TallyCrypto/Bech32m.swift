// Owns: bech32m text (BIP-350): a lower-case prefix, `1`, data in base 32 and a checksum that finds typing errors.
// Refuses to know: what the data is.

import TallyBase

/// What is wrong with a text that should name a key.
public enum KeyTextError: Error, Hashable, Sendable {
  case badCharacter
  case mixedCase
  case noSeparator
  case badLength(Int)
  case badChecksum
  case wrongPrefix
  case badPadding
  /// 32 bytes that are not the canonical encoding of a point of prime order.
  case notAKey
}

public enum Bech32m {
  /// BIP-173's limit on the whole text.
  public static let textLimit = 90
  private static let alphabet: [UInt8] = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
  private static let constant: UInt32 = 0x2bc8_30a3
  private static let generator: [UInt32] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]

  /// The text of five-bit `values` behind a lower-case `prefix`.
  public static func encode(prefix: String, values: [UInt8]) -> String {
    let checksum = polymod(expand(Array(prefix.utf8)) + values + [0, 0, 0, 0, 0, 0]) ^ constant
    let tail = (0..<6).map { UInt8(checksum >> UInt32(5 * (5 - $0)) & 31) }
    return prefix + "1" + String(decoding: (values + tail).map { alphabet[Int($0 & 31)] }, as: UTF8.self)
  }

  /// The prefix in lower case and the five-bit values without their checksum.
  public static func decode(_ text: String) throws(KeyTextError) -> (prefix: String, values: [UInt8]) {
    var bytes = Array(text.utf8)
    guard bytes.allSatisfy({ (33...126).contains($0) }) else { throw .badCharacter }
    guard bytes.count <= textLimit else { throw .badLength(bytes.count) }
    let hasLower = bytes.contains { (0x61...0x7a).contains($0) }
    let hasUpper = bytes.contains { (0x41...0x5a).contains($0) }
    guard !(hasLower && hasUpper) else { throw .mixedCase }
    if hasUpper { bytes = bytes.map { (0x41...0x5a).contains($0) ? $0 + 32 : $0 } }
    guard let separator = bytes.lastIndex(of: 0x31), separator > 0 else { throw .noSeparator }
    guard bytes.count - separator - 1 >= 6 else { throw .badLength(bytes.count) }
    var values: [UInt8] = []
    for byte in bytes[(separator + 1)...] {
      guard let value = alphabet.firstIndex(of: byte) else { throw .badCharacter }
      values.append(UInt8(value))
    }
    let prefix = Array(bytes[..<separator])
    guard polymod(expand(prefix) + values) == constant else { throw .badChecksum }
    return (String(decoding: prefix, as: UTF8.self), Array(values.dropLast(6)))
  }

  /// Regroups bytes into five-bit values, the last one padded with zero bits.
  public static func fiveBits(_ bytes: [UInt8]) -> [UInt8] {
    var values: [UInt8] = []
    var pending: UInt32 = 0
    var bits: UInt32 = 0
    for byte in bytes {
      pending = (pending << 8 | UInt32(byte)) & 0xfff
      bits += 8
      while bits >= 5 {
        bits -= 5
        values.append(UInt8(pending >> bits & 31))
      }
    }
    if bits > 0 { values.append(UInt8(pending << (5 - bits) & 31)) }
    return values
  }

  /// The bytes of five-bit values; fewer than five bits of padding, all zero, or an error.
  public static func eightBits(_ values: [UInt8]) throws(KeyTextError) -> [UInt8] {
    var bytes: [UInt8] = []
    var pending: UInt32 = 0
    var bits: UInt32 = 0
    for value in values {
      pending = (pending << 5 | UInt32(value & 31)) & 0xfff
      bits += 5
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(pending >> bits & 255))
      }
    }
    guard bits < 5, pending & ((1 << bits) - 1) == 0 else { throw .badPadding }
    return bytes
  }

  private static func expand(_ prefix: [UInt8]) -> [UInt8] { prefix.map { $0 >> 5 } + [0] + prefix.map { $0 & 31 } }

  private static func polymod(_ values: [UInt8]) -> UInt32 {
    var check: UInt32 = 1
    for value in values {
      let top = check >> 25
      check = (check & 0x1ff_ffff) << 5 ^ UInt32(value)
      for index in 0..<5 where top >> UInt32(index) & 1 == 1 { check ^= generator[index] }
    }
    return check
  }
}

/// The text of a host's key: bech32m with the prefix `tal`, 62 characters.
public enum KeyText {
  public static let prefix = "tal"

  public static func encode(_ key: PublicKey) -> String {
    Bech32m.encode(prefix: prefix, values: Bech32m.fiveBits(key.bytes))
  }

  /// Reads what `encode` writes, in lower or upper case, and refuses bytes that cannot be a host's key.
  public static func decode(_ text: String) throws(KeyTextError) -> PublicKey {
    let (found, values) = try Bech32m.decode(text)
    guard found == prefix else { throw .wrongPrefix }
    let bytes = try Bech32m.eightBits(values)
    guard let key = PublicKey(bytes) else { throw .badLength(text.utf8.count) }
    guard Ed25519.isAcceptable(key) else { throw .notAKey }
    return key
  }
}
