// Owns: checking an entry as a stranger would: leaf, path, root and signature are computed here, from bytes.
// Refuses to know: the daemon's opinion.
import Foundation
import TallyAdmin
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

public enum Stranger {
  /// Throws what does not hold; gives the entry's ID.
  public static func check(_ proof: ProofResult, mesh: MeshFile, author: PublicKey) throws -> EntryID {
    try demand(try KeyText.decode(proof.author) == author, "the proof names another author")
    let incarnation = try demand(UInt64(proof.incarnation, radix: 16), "incarnation \(proof.incarnation)")
    let feed = Names.feedID(mesh: mesh.meshID, author: author, incarnation: incarnation)
    try demand(feed.hex == proof.feed, "the feed's ID is not its author's and incarnation's")
    let root = try demand(Digest(hex: proof.root), "root \(proof.root)")
    let path = try proof.path.map { try demand(Digest(hex: $0), "path \($0)") }
    let leaf = SHA256Hash.leaf(proof.preimage.bytes)
    let leads = MerkleTree.verifyInclusion(leaf: leaf, index: proof.index, size: proof.size, path: path, root: root)
    try demand(leads, "the path does not lead to the root")
    let signature = try demand(Signature(proof.signature.bytes), "the signature's length")
    // The text of a C2SP checkpoint, spelled out: origin, size, root.
    let words = "tally/\(mesh.name)/\(proof.feed)\n\(proof.size)\n\(Data(root.bytes).base64EncodedString())\n"
    let text = Array(words.utf8)
    try demand(Ed25519.verify(signature, of: text, by: author), "the head's signature does not hold")
    let note = try SignedNote(parsing: Array(proof.note.utf8))
    _ = try note.verify([VerifierKey(mesh: mesh.name, feed: feed, author: author)])
    let checkpoint = try Checkpoint(parsing: note.text)
    try demand(checkpoint.size == proof.size && checkpoint.root == root, "the note is of another head")
    return Names.entryID(feed: feed, index: proof.index, leaf: leaf)
  }
}
