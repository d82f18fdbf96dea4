// Owns: one entry with the proof that it stands in its author's feed, as a C2SP tlog-proof text whose `extra` line is
// the entry's leaf preimage. Refuses to know: what the entry says.

import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

/// The mesh in which feeds have their names.
public struct MeshName: Hashable, Sendable {
  /// `[a-z0-9][a-z0-9.-]{0,62}`.
  public let name: String
  /// 16 bytes, made by the mesh's first host.
  public let nonce: [UInt8]
  public let id: MeshID

  /// nil for what no mesh can be named.
  public init?(name: String, nonce: [UInt8]) {
    guard Names.isMeshName(name), nonce.count == 16 else { return nil }
    self.name = name
    self.nonce = nonce
    id = Names.meshID(name: name, nonce: nonce)
  }
}

public struct ProvenEntry: Hashable, Sendable {
  public let author: PublicKey
  /// With mesh and author it names the feed.
  public let incarnation: UInt64
  public let index: UInt64
  public let entry: Entry
  /// Inclusion path of the entry under `head`.
  public let path: [Digest]
  public let head: Head

  public init(author: PublicKey, incarnation: UInt64, index: UInt64, entry: Entry, path: [Digest], head: Head) {
    self.author = author
    self.incarnation = incarnation
    self.index = index
    self.entry = entry
    self.path = path
    self.head = head
  }

  /// How other entries name this one.
  public var link: EntryLink { EntryLink(feed: head.feed, index: index, leaf: entry.leafHash) }

  public var id: EntryID { Names.entryID(feed: head.feed, index: index, leaf: entry.leafHash) }

  /// The tlog-proof text. C2SP tlog-proof@v1.
  func text(mesh: MeshName) -> [UInt8] {
    TlogProof(
      extra: entry.preimage, index: index, path: path, checkpoint: head.note(mesh: mesh.name, author: author).bytes
    ).bytes
  }

  /// Reads a tlog-proof text; the checkpoint must be this feed's and carry one signature line. Nothing is verified.
  static func parse(
    _ text: [UInt8], mesh: MeshName, author: PublicKey, incarnation: UInt64, section: String
  ) throws(ReceiptError) -> ProvenEntry {
    let feed = Names.feedID(mesh: mesh.id, author: author, incarnation: incarnation)
    do throws(NoteFault) {
      let proof = try TlogProof(parsing: text)
      let note = try SignedNote(parsing: proof.checkpoint)
      let checkpoint = try Checkpoint(parsing: note.text)
      guard checkpoint.origin == Checkpoint.origin(mesh: mesh.name, feed: feed), checkpoint.extensions.isEmpty else {
        throw .otherOrigin
      }
      guard note.signatures.count == 1, let signature = Signature(note.signatures[0].bytes) else {
        throw .malformed("signature lines")
      }
      guard let extra = proof.extra else { throw .malformed("extra line") }
      let entry: Entry
      do throws(DecodeError) {
        entry = try Entry(preimage: extra)
      } catch {
        throw .malformed("entry in the extra line")
      }
      return ProvenEntry(
        author: author, incarnation: incarnation, index: proof.index, entry: entry, path: proof.path,
        head: Head(feed: feed, size: checkpoint.size, root: checkpoint.root, signature: signature))
    } catch {
      throw ReceiptError(section: section, problem: words(error))
    }
  }

  /// nil when the author's key signed a head of its feed that holds the entry; else why not.
  func fault(mesh: MeshName) -> String? {
    guard head.feed == Names.feedID(mesh: mesh.id, author: author, incarnation: incarnation) else {
      return "stands in another feed than its author's"
    }
    guard entry.isWithinLimits else { return "is above the limits of an entry" }
    guard Ed25519.isAcceptable(author) else { return "is by a key that no host can have" }
    guard head.isSigned(by: author, mesh: mesh.name) else { return "has a checkpoint whose signature does not hold" }
    guard
      MerkleTree.verifyInclusion(
        leaf: entry.leafHash, index: index, size: head.size, path: path, root: head.root)
    else { return "does not stand under its checkpoint" }
    return nil
  }

  private static func words(_ fault: NoteFault) -> String {
    switch fault {
    case .malformed(let what): "malformed \(what)"
    case .aboveLimit(let what): "too many \(what)"
    case .unknownType(let type): "unknown signature type \(type)"
    case .badSignature: "a signature that does not hold"
    case .unsigned: "no signature"
    case .otherOrigin: "the checkpoint is not of the author's feed in this mesh"
    case .notIncluded: "the entry does not stand under the checkpoint"
    }
  }
}
