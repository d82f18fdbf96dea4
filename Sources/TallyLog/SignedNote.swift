// Owns: the text form of a signed note, read strictly and written exactly. Refuses to know: what the text says.
// C2SP signed-note.
import TallyBase
import TallyCrypto

/// Why a note, key, checkpoint or proof is not accepted. Always the fault of whoever gave it.
public enum NoteFault: Error, Hashable, Sendable {
  /// Not the form that the format demands; `what` names the part.
  case malformed(StaticStringName)
  /// More bytes, lines or hashes than the named limit.
  case aboveLimit(StaticStringName)
  /// A signature type that is not known here.
  case unknownType(UInt8)
  /// A key that we hold is named in a line whose signature does not verify: the whole note is refused.
  case badSignature(name: String)
  /// No line is by a key that we hold, or by the log's own.
  case unsigned
  /// The checkpoint is another log's.
  case otherOrigin
  /// The path does not lead from the leaf to the checkpoint's root.
  case notIncluded
}

/// A text and the signatures under it, nothing verified yet.
///
/// ```
/// text, ending in a newline
/// (empty line)
/// — <key name> <base64(key ID u32 big-endian ‖ signature)>     one or more
/// ```
public struct SignedNote: Hashable, Sendable {
  /// What is signed, with its final newline, without the empty line behind it.
  public let text: [UInt8]
  public let signatures: [NoteSignature]

  /// What the parser would refuse is our own mistake here.
  public init(text: [UInt8], signatures: [NoteSignature]) {
    precondition(text.last == Self.newline && !Self.hasControlCharacter(text), "a text that no note can have")
    precondition((1...LogLimits.noteSignatures).contains(signatures.count), "\(signatures.count) signatures")
    self.text = text
    self.signatures = signatures
  }

  /// Reads a whole note: UTF-8, no control characters but newline, the last empty line before the signatures, only
  /// signature lines behind it, a final newline.
  public init(parsing bytes: [UInt8]) throws(NoteFault) {
    guard bytes.count <= LogLimits.noteBytes else { throw .aboveLimit("note bytes") }
    guard !Self.hasControlCharacter(bytes) else { throw .malformed("control character") }
    guard String(validating: bytes, as: UTF8.self) != nil else { throw .malformed("UTF-8") }
    guard bytes.last == Self.newline else { throw .malformed("final newline") }
    guard let cut = Self.lastEmptyLine(bytes) else { throw .malformed("empty line") }
    text = Array(bytes[..<cut])
    var signatures: [NoteSignature] = []
    // `cut` is the empty line itself; what follows ends with a newline, so the last piece is empty.
    for line in bytes[(cut + 1)...].split(separator: Self.newline, omittingEmptySubsequences: false).dropLast() {
      guard signatures.count < LogLimits.noteSignatures else { throw .aboveLimit("note signatures") }
      signatures.append(try NoteSignature(parsing: line))
    }
    guard !signatures.isEmpty else { throw .malformed("signature lines") }
    self.signatures = signatures
  }

  /// The note's bytes: what `init(parsing:)` reads back.
  public var bytes: [UInt8] {
    var bytes = text
    bytes.append(Self.newline)
    for signature in signatures { bytes += signature.line }
    return bytes
  }

  /// Checks every line that names one of `keys` by name and ID, and ignores the others. One that fails refuses the
  /// whole note. Gives the keys that signed, in the order of the lines; none is a refusal too.
  public func verify(_ keys: [VerifierKey]) throws(NoteFault) -> [VerifierKey] {
    var signers: [VerifierKey] = []
    for signature in signatures {
      guard let key = keys.first(where: { $0.name == signature.name && $0.id == signature.keyID }) else { continue }
      guard key.accepts(signature, of: text) else { throw .badSignature(name: key.name) }
      if !signers.contains(key) { signers.append(key) }
    }
    guard !signers.isEmpty else { throw .unsigned }
    return signers
  }

  static let newline: UInt8 = 0x0a

  private static func hasControlCharacter(_ bytes: [UInt8]) -> Bool {
    bytes.contains { $0 < 0x20 && $0 != newline }
  }

  /// Index of the second of the last two newlines in a row.
  private static func lastEmptyLine(_ bytes: [UInt8]) -> Int? {
    var index = bytes.count - 1
    while index > 0 {
      if bytes[index] == newline && bytes[index - 1] == newline { return index }
      index -= 1
    }
    return nil
  }
}

/// One signature line.
public struct NoteSignature: Hashable, Sendable {
  public let name: String
  public let keyID: UInt32
  /// Behind the key ID: 64 bytes for Ed25519, 72 for a cosignature.
  public let bytes: [UInt8]

  /// A name that no key can have is our own mistake.
  public init(name: String, keyID: UInt32, bytes: [UInt8]) {
    precondition(VerifierKey.isName(name) && !bytes.isEmpty, "a signature line that no note can have")
    self.name = name
    self.keyID = keyID
    self.bytes = bytes
  }

  private static let dash: [UInt8] = [0xe2, 0x80, 0x94, 0x20]

  /// One line without its newline.
  init(parsing line: ArraySlice<UInt8>) throws(NoteFault) {
    guard line.starts(with: Self.dash) else { throw .malformed("signature line") }
    let parts = line.dropFirst(Self.dash.count).split(separator: 0x20, omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw .malformed("signature line") }
    guard let name = String(validating: parts[0], as: UTF8.self), VerifierKey.isName(name) else {
      throw .malformed("key name")
    }
    guard let blob = Base64.decode(parts[1]), blob.count > 4 else { throw .malformed("signature") }
    self.name = name
    keyID = blob.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    bytes = Array(blob.dropFirst(4))
  }

  /// The line with its newline.
  var line: [UInt8] {
    let blob = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: keyID >> UInt32($0)) } + bytes
    return Self.dash + Array(name.utf8) + [0x20] + Base64.encode(blob) + [SignedNote.newline]
  }
}
