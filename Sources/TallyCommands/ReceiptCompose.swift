// Owns: putting a receipt together from what a daemon gives, checking everything on the way. A daemon's yes does not
// count: whatever does not prove itself is refused here.
import TallyAdmin
import TallyBase
import TallyCrypto
import TallyGossip
import TallyLog
import TallyWire
import TallyWork

enum ReceiptCompose {
  /// The mesh in which a daemon's feeds have their names.
  static func mesh(_ client: AdminClient) throws(ClientError) -> MeshName {
    let id = try client.call("id", as: IDResult.self)
    var nonce = id.meshNonce.flatMap { Hex.decode($0) }
    if nonce == nil {
      let url = try client.call("invite", InviteParams(), as: InviteResult.self).url
      do throws(InviteError) { nonce = try Invite(parsing: url).nonce } catch { nonce = nil }
    }
    guard let nonce, let mesh = MeshName(name: id.mesh, nonce: nonce), mesh.id.hex == id.meshId else {
      throw ClientError(.badData, "the daemon's mesh is not what its name and nonce make")
    }
    return mesh
  }

  /// An entry with its proof, as the daemon gives it. Nothing is verified.
  static func entry(_ client: AdminClient, feed: String, index: UInt64) throws(ClientError) -> ProvenEntry {
    let proof = try client.call("ledger.proof", ProofParams(feed: feed, index: index), as: ProofResult.self)
    return try read(proof)
  }

  static func read(_ proof: ProofResult) throws(ClientError) -> ProvenEntry {
    let bad = { (what: String) in ClientError(.badData, "the daemon's proof cannot be read: \(what)") }
    guard let incarnation = UInt64(proof.incarnation, radix: 16) else { throw bad("incarnation") }
    guard let feed = FeedID(hex: proof.feed), let root = Digest(hex: proof.root) else { throw bad("feed or root") }
    guard let signature = Signature(proof.signature.bytes) else { throw bad("signature") }
    var path: [Digest] = []
    for text in proof.path {
      guard let digest = Digest(hex: text) else { throw bad("path") }
      path.append(digest)
    }
    let author: PublicKey
    do { author = try KeyText.decode(proof.author) } catch { throw bad("author") }
    let entry: Entry
    do throws(DecodeError) { entry = try Entry(preimage: proof.preimage.bytes) } catch { throw bad("entry: \(error)") }
    return ProvenEntry(
      author: author, incarnation: incarnation, index: proof.index, entry: entry, path: path,
      head: Head(feed: feed, size: proof.size, root: root, signature: signature))
  }

  /// nil when the author's key signed a head that holds the entry; else why not. Computes leaf and root here.
  static func fault(_ entry: ProvenEntry, mesh: MeshName) -> String? {
    let feed = Names.feedID(mesh: mesh.id, author: entry.author, incarnation: entry.incarnation)
    if feed != entry.head.feed { return "the feed is not its author's" }
    if !Ed25519.isAcceptable(entry.author) { return "no host can have that key" }
    let folded = MerkleTree.fold(
      leaf: entry.entry.leafHash, index: entry.index, size: entry.head.size, path: entry.path)
    guard let folded, folded.root == entry.head.root else { return "leaf and path do not make the head's root" }
    return entry.head.isSigned(by: entry.author, mesh: mesh.name) ? nil : "the head's signature does not hold"
  }

  /// The receipt of a finished task of this requester.
  static func work(_ client: AdminClient, id: String, index: UInt32?) throws(ClientError) -> WorkReceipt {
    let mesh = try mesh(client)
    let job = try client.call("job.show", JobParams(id: id), as: JobResult.self)
    let words = try client.call("job.words", JobParams(id: id, index: index), as: WordsResult.self)
    let claims = job.claims.filter { $0.index == index ?? 0 && $0.workerKey == words.workerKey }
    guard let claim = claims.last(where: { $0.evidence == "accepted" }) ?? claims.last else {
      throw ClientError(
        .refused, "job \(Output.short(job.job.id)) has no claim by the worker whose result is here",
        fix: "tally show \(Output.short(job.job.id))")
    }
    let accept = job.acceptances.last { $0.claim == claim.id }
    guard let postSalt = Hex.decode(words.postSalt).flatMap({ Bytes32($0) }),
      let taskSalt = Hex.decode(words.taskSalt).flatMap({ Bytes32($0) })
    else { throw ClientError(.badData, "the daemon's salts cannot be read") }
    let post = try entry(client, feed: job.feed, index: job.feedIndex)
    let proven = try entry(client, feed: claim.feed, index: claim.feedIndex)
    return WorkReceipt(
      mesh: mesh, requester: post.author, worker: proven.author, postSalt: postSalt, taskSalt: taskSalt,
      work: Array(words.work.utf8), manifest: words.manifest.bytes, post: post,
      grant: try entry(client, feed: job.feed, index: claim.grantIndex), claim: proven,
      accept: try accept.map { (row) throws(ClientError) in try entry(client, feed: row.feed, index: row.feedIndex) })
  }

  /// The receipt of a record, without its words.
  static func record(_ client: AdminClient, _ row: RecordRow) throws(ClientError) -> RecordReceipt {
    let proven = try entry(client, feed: row.feed, index: row.index)
    return RecordReceipt(mesh: try mesh(client), author: proven.author, salt: nil, words: nil, record: proven)
  }

  /// The text of a receipt that holds.
  static func text(_ receipt: Receipt) throws(ClientError) -> [UInt8] {
    do throws(ReceiptError) { return try Receipt.make(receipt) } catch {
      throw ClientError(
        .checkFailed, "what the daemon gave does not make a receipt", why: "\(error)",
        fix: "when the result was just accepted, its head may be on its way: try again")
    }
  }
}
