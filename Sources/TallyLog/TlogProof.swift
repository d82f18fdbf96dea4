// Owns: a proof that an entry stands in a log, as one text that is checked without the log. C2SP tlog-proof.
import TallyBase
import TallyCrypto
import TallyWire

/// ```
/// c2sp.org/tlog-proof@v1
/// extra <base64>             optional, proves nothing
/// index <decimal>
/// <base64 hash>              the inclusion path, leaf's sibling first
/// (empty line)
/// the checkpoint, a signed note
/// ```
public struct TlogProof: Hashable, Sendable {
  public let extra: [UInt8]?
  public let index: UInt64
  public let path: [Digest]
  /// The signed note, verbatim.
  public let checkpoint: [UInt8]

  public init(extra: [UInt8]? = nil, index: UInt64, path: [Digest], checkpoint: [UInt8]) {
    self.extra = extra
    self.index = index
    self.path = path
    self.checkpoint = checkpoint
  }

  /// The proof that the entry at `index` stands under `head`.
  public init(index: UInt64, path: [Digest], head: Head, mesh: String, author: PublicKey) {
    self.init(index: index, path: path, checkpoint: head.note(mesh: mesh, author: author).bytes)
  }

  private static let header = Array("c2sp.org/tlog-proof@v1".utf8)
  private static let extraWord = Array("extra ".utf8)
  private static let indexWord = Array("index ".utf8)

  /// Reads the text form. What the checkpoint says is `verify`'s to read.
  public init(parsing bytes: [UInt8]) throws(NoteFault) {
    guard bytes.count <= 2 * LogLimits.noteBytes else { throw .aboveLimit("proof bytes") }
    var lines = LineCursor(bytes)
    guard try lines.next() == Self.header[...] else { throw .malformed("proof header") }
    var line = try lines.next()
    if line.starts(with: Self.extraWord) {
      guard let extra = Base64.decode(line.dropFirst(Self.extraWord.count)) else { throw .malformed("proof extra") }
      guard extra.count <= LogLimits.proofExtraBytes else { throw .aboveLimit("proof extra") }
      self.extra = extra
      line = try lines.next()
    } else {
      extra = nil
    }
    guard line.starts(with: Self.indexWord),
      let word = String(validating: line.dropFirst(Self.indexWord.count), as: UTF8.self),
      let index = Checkpoint.decimal(word)
    else { throw .malformed("proof index") }
    self.index = index
    var path: [Digest] = []
    line = try lines.next()
    while !line.isEmpty {
      guard path.count < LogLimits.pathHashes else { throw .aboveLimit("proof hashes") }
      guard let hash = Base64.decode(line), let digest = Digest(hash) else { throw .malformed("proof hash") }
      path.append(digest)
      line = try lines.next()
    }
    self.path = path
    checkpoint = lines.rest
    guard !checkpoint.isEmpty else { throw .malformed("proof checkpoint") }
  }

  /// The text form: what `init(parsing:)` reads back.
  public var bytes: [UInt8] {
    var bytes = Self.header + [SignedNote.newline]
    if let extra { bytes += Self.extraWord + Base64.encode(extra) + [SignedNote.newline] }
    bytes += Self.indexWord + Array(String(index).utf8) + [SignedNote.newline]
    for hash in path { bytes += Base64.encode(hash.bytes) + [SignedNote.newline] }
    return bytes + [SignedNote.newline] + checkpoint
  }

  public struct Verified: Hashable, Sendable {
    public let checkpoint: Checkpoint
    /// The log's key and those of the given cosigners whose lines verified.
    public let signers: [VerifierKey]
  }

  /// Holds when the log's own key signed the checkpoint, no line of a given key fails, the checkpoint's origin is the
  /// log's name, and the path leads from `leaf` to its root.
  public func verify(leaf: Digest, log: VerifierKey, cosigners: [VerifierKey] = []) throws(NoteFault) -> Verified {
    let note = try SignedNote(parsing: checkpoint)
    let signers = try note.verify([log] + cosigners)
    guard signers.contains(log) else { throw .unsigned }
    let checkpoint = try Checkpoint(parsing: note.text)
    guard checkpoint.origin == log.name else { throw .otherOrigin }
    guard
      MerkleTree.verifyInclusion(leaf: leaf, index: index, size: checkpoint.size, path: path, root: checkpoint.root)
    else { throw .notIncluded }
    return Verified(checkpoint: checkpoint, signers: signers)
  }
}

/// Lines that must each end in a newline.
private struct LineCursor {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func next() throws(NoteFault) -> ArraySlice<UInt8> {
    guard let end = bytes[position...].firstIndex(of: SignedNote.newline) else { throw .malformed("proof line") }
    defer { position = end + 1 }
    return bytes[position..<end]
  }

  var rest: [UInt8] { Array(bytes[position...]) }
}
