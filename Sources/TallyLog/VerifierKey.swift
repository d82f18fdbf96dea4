// Owns: the keys that notes are checked with, and their text form. C2SP signed-note, tlog-cosignature.
import TallyBase
import TallyCrypto

/// `<name>+<key ID, 8 lower-case hexadecimal digits>+<base64(type ‖ key)>`.
public struct VerifierKey: Hashable, Sendable {
  public enum Kind: UInt8, Hashable, Sendable {
    /// Signs the note's text.
    case ed25519 = 0x01
    /// Signs `cosignature/v1`, a time and the note's text: "I saw this, and it was consistent with what I saw before".
    case cosignature = 0x04
  }

  public let name: String
  public let kind: Kind
  public let key: PublicKey

  /// A name that no key can have is our own mistake.
  public init(name: String, kind: Kind, key: PublicKey) {
    precondition(Self.isName(name), "no key can be named so")
    self.name = name
    self.kind = kind
    self.key = key
  }

  /// The log key of a feed: its name is the checkpoint's origin.
  public init(mesh: String, feed: FeedID, author: PublicKey) {
    self.init(name: Checkpoint.origin(mesh: mesh, feed: feed), kind: .ed25519, key: author)
  }

  /// Reads the text form. Go's reader takes upper-case key IDs too; the document does not, and neither does this one.
  public init(parsing text: String) throws(NoteFault) {
    let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw .malformed("verifier key") }
    guard Self.isName(String(parts[0])) else { throw .malformed("key name") }
    guard parts[1].utf8.count == 8, let digits = Hex.decode(parts[1]) else { throw .malformed("key ID") }
    guard let blob = Base64.decode(Array(parts[2].utf8)), let type = blob.first else {
      throw .malformed("verifier key")
    }
    guard let kind = Kind(rawValue: type) else { throw .unknownType(type) }
    guard let key = PublicKey(blob.dropFirst()) else { throw .malformed("verifier key") }
    self.init(name: String(parts[0]), kind: kind, key: key)
    guard digits.reduce(0, { $0 << 8 | UInt32($1) }) == id else { throw .malformed("key ID") }
  }

  /// The first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key), big-endian.
  public var id: UInt32 {
    let digest = SHA256Hash.hash(Array(name.utf8) + [0x0a, kind.rawValue] + key.bytes)
    return UInt32(truncatingIfNeeded: digest.raw.word0 >> 32)
  }

  public var text: String {
    let digits = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: id >> UInt32($0)) }
    let blob = Base64.encode([kind.rawValue] + key.bytes)
    return "\(name)+\(Hex.encode(digits))+\(String(decoding: blob, as: UTF8.self))"
  }

  /// Not empty, no `+`, no Unicode space; no control character either, since a note could not hold it.
  static func isName(_ name: String) -> Bool {
    !name.isEmpty
      && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "+" && !$0.properties.isWhitespace }
  }

  /// True when the line is by this key and its signature holds.
  func accepts(_ signature: NoteSignature, of text: [UInt8]) -> Bool {
    switch kind {
    case .ed25519:
      guard let value = Signature(signature.bytes) else { return false }
      return Ed25519.verify(value, of: text, by: key)
    case .cosignature:
      guard let cosignature = Cosignature(signature.bytes) else { return false }
      return Ed25519.verify(cosignature.signature, of: cosignature.message(for: text), by: key)
    }
  }
}

/// The bytes of a cosignature/v1 line: a time in seconds since 1970, big-endian, and an Ed25519 signature.
/// Reserved: this version reads and checks them, and makes none.
public struct Cosignature: Hashable, Sendable {
  public let timeSeconds: UInt64
  public let signature: Signature

  /// Nil unless there are exactly 72 bytes and the time is at most 2^63 − 1.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == 72, let signature = Signature(bytes.dropFirst(8)) else { return nil }
    timeSeconds = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    guard timeSeconds <= UInt64(Int64.max) else { return nil }
    self.signature = signature
  }

  /// What is signed for a note's text.
  public func message(for text: [UInt8]) -> [UInt8] {
    Array("cosignature/v1\ntime \(timeSeconds)\n".utf8) + text
  }
}
