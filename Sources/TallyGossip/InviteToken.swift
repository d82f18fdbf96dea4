// Owns: the token of an invite: bytes, text and the string that its issuer signs.
// Refuses to know: whether it was used. Made now, redeemed when admission is built (DESIGN, section 4).

import TallyBase
import TallyCrypto
import TallyWire

/// ```
/// offset size field
///      0    1 version, 1
///      1   32 issuer, an admitted member
///     33   16 number, random: one use
///     49    8 expires u64, seconds since 1970
///     57   64 issuer's signature over 0x00 ‖ "tally/token/1" ‖ meshID ‖ bytes 0..<57
/// ```
/// 121 bytes; as text 162 characters of base64url without padding.
public struct InviteToken: Hashable, Sendable, WireValue {
  static let version: UInt8 = 1
  public let issuer: PublicKey
  /// 16 bytes.
  public let number: [UInt8]
  public let expires: UInt64
  public let signature: Signature

  private init(issuer: PublicKey, number: [UInt8], expires: UInt64, signature: Signature) {
    self.issuer = issuer
    self.number = number
    self.expires = expires
    self.signature = signature
  }

  /// Issues a token that is good until `expires` (seconds since 1970).
  public static func issue(
    mesh: MeshID, expires: UInt64, identity: borrowing Identity, generator: inout Generator
  ) -> InviteToken {
    let empty = Signature(first: .zero, second: .zero)
    let draft = InviteToken(
      issuer: identity.publicKey, number: generator.bytes(16), expires: expires, signature: empty)
    let signature = identity.sign(draft.signedBytes(mesh: mesh))
    return InviteToken(issuer: draft.issuer, number: draft.number, expires: expires, signature: signature)
  }

  public func isSigned(mesh: MeshID) -> Bool { Ed25519.verify(signature, of: signedBytes(mesh: mesh), by: issuer) }

  public func signedBytes(mesh: MeshID) -> [UInt8] {
    var writer = ByteWriter(capacity: 14 + 32 + 57)
    writer.u8(0)
    writer.raw(Array("tally/token/1".utf8))
    writer.named(mesh)
    writeCore(into: &writer)
    return writer.bytes
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    let version = try reader.u8()
    guard version == Self.version else { throw .unknown(field: "token version", value: Int(version)) }
    issuer = try reader.named()
    number = try reader.take(16)
    expires = try reader.u64()
    signature = try reader.signature()
  }

  public func write(into writer: inout ByteWriter) {
    writeCore(into: &writer)
    writer.signature(signature)
  }

  private func writeCore(into writer: inout ByteWriter) {
    writer.u8(Self.version)
    writer.named(issuer)
    writer.raw(number)
    writer.u64(expires)
  }

  public var text: String { Base64URL.encode(encoded) }

  /// Nil for text that is not base64url; throws when its bytes are not a token.
  public init?(text: String) throws(DecodeError) {
    guard let bytes = Base64URL.decode(text) else { return nil }
    try self.init(decoding: bytes)
  }
}

/// RFC 4648, section 5, without padding; one text a value.
public enum Base64URL {
  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  public static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(digits[Int(bits >> UInt32(count) & 63)])
      }
    }
    if count > 0 { text.append(digits[Int(bits << UInt32(6 - count) & 63)]) }
    return String(decoding: text, as: UTF8.self)
  }

  /// Nil for other characters, padding, or bits left over that are not zero.
  public static func decode(_ text: some StringProtocol) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for character in text.utf8 {
      guard let value = digits.firstIndex(of: character) else { return nil }
      bits = (bits << 6 | UInt32(value)) & 0xffff
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    guard count < 6, bits & (1 << UInt32(count) - 1) == 0 else { return nil }
    return bytes
  }
}
