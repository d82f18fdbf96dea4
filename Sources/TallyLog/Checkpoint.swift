// Owns: the text that an author signs for a feed's head, and its way back. C2SP tlog-checkpoint.
import TallyBase
import TallyCrypto
import TallyWire

/// ```
/// origin
/// size, decimal
/// root, base64
/// extension lines, opaque; ours have none
/// ```
public struct Checkpoint: Hashable, Sendable {
  public let origin: String
  public let size: UInt64
  public let root: Digest
  public let extensions: [String]

  public init(origin: String, size: UInt64, root: Digest) {
    self.origin = origin
    self.size = size
    self.root = root
    extensions = []
  }

  /// Reads a note's text.
  public init(parsing text: [UInt8]) throws(NoteFault) {
    guard text.last == SignedNote.newline else { throw .malformed("checkpoint newline") }
    let lines = text.split(separator: SignedNote.newline, omittingEmptySubsequences: false).dropLast()
    guard lines.count >= 3, lines.allSatisfy({ !$0.isEmpty }) else { throw .malformed("checkpoint lines") }
    var words: [String] = []
    for line in lines {
      guard let word = String(validating: line, as: UTF8.self) else { throw .malformed("checkpoint text") }
      words.append(word)
    }
    guard let size = Self.decimal(words[1]) else { throw .malformed("checkpoint size") }
    guard let bytes = Base64.decode(lines[2]), let root = Digest(bytes) else { throw .malformed("checkpoint root") }
    origin = words[0]
    self.size = size
    self.root = root
    extensions = Array(words[3...])
  }

  /// The note text.
  public var text: [UInt8] {
    let lines = [origin, String(size), String(decoding: Base64.encode(root.bytes), as: UTF8.self)] + extensions
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  /// `tally/<mesh>/<feed ID, hexadecimal>`.
  public static func origin(mesh: String, feed: FeedID) -> String { "tally/\(mesh)/\(feed.hex)" }

  /// An unsigned decimal number without leading zeros; nil for any other text.
  static func decimal(_ text: String) -> UInt64? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    guard text == "0" || text.utf8.first != 0x30 else { return nil }
    return UInt64(text)
  }
}

extension Head {
  /// The bytes that the author signs.
  public static func signedText(mesh: String, feed: FeedID, size: UInt64, root: Digest) -> [UInt8] {
    Checkpoint(origin: Checkpoint.origin(mesh: mesh, feed: feed), size: size, root: root).text
  }

  /// Signs a new head. An ordered statement: it leaves this host only after what it covers is durable.
  public static func signed(
    by identity: borrowing Identity, mesh: String, feed: FeedID, size: UInt64, root: Digest
  ) -> Head {
    let text = signedText(mesh: mesh, feed: feed, size: size, root: root)
    return Head(feed: feed, size: size, root: root, signature: identity.sign(text))
  }

  /// True when `author` signed this head for a feed of the mesh named `mesh`.
  public func isSigned(by author: PublicKey, mesh: String) -> Bool {
    Ed25519.verify(signature, of: Self.signedText(mesh: mesh, feed: feed, size: size, root: root), by: author)
  }

  /// The head as any transparency-log tool reads it.
  public func note(mesh: String, author: PublicKey) -> SignedNote {
    let key = VerifierKey(mesh: mesh, feed: feed, author: author)
    return SignedNote(
      text: Self.signedText(mesh: mesh, feed: feed, size: size, root: root),
      signatures: [NoteSignature(name: key.name, keyID: key.id, bytes: signature.bytes)])
  }
}
