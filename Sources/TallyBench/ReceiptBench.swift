// Owns: making and checking one receipt over feeds of a realistic size. DESIGN section 13: ≤ 4 KiB, ≤ 5 ms.
// Refuses to know: stores.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import TallyWork

enum ReceiptBench {
  /// Entries of each feed before the job.
  private static let history = 2000

  /// A feed whose leaves are kept, for inclusion paths.
  private final class Feed {
    let identity: Identity
    let incarnation: UInt64 = 7
    let mesh: MeshName
    var entries: [Entry] = []
    var leaves: [Digest] = []

    init(_ number: UInt8, mesh: MeshName) throws {
      identity = try Identity(seed: [UInt8](repeating: number, count: 32))
      self.mesh = mesh
      for index in 0..<history {
        let digest = SHA256Hash.hash([number, UInt8(index & 255)])
        _ = append(.record, [], RecordBody(form: .salted, digest: digest).encoded)
      }
    }

    var id: FeedID { Names.feedID(mesh: mesh.id, author: identity.publicKey, incarnation: incarnation) }

    func append(_ kind: EntryKind, _ links: [EntryLink], _ body: [UInt8]) -> EntryLink {
      let entry = Entry(kind: kind, timeMs: 1_700_000_000_000 + Int64(entries.count), links: links, body: body)
      entries.append(entry)
      leaves.append(entry.leafHash)
      return EntryLink(feed: id, index: UInt64(entries.count - 1), leaf: entry.leafHash)
    }

    func proven(_ link: EntryLink) -> ProvenEntry {
      let head = Head.signed(
        by: identity, mesh: mesh.name, feed: id, size: UInt64(leaves.count), root: MerkleTree.root(leaves))
      return ProvenEntry(
        author: identity.publicKey, incarnation: incarnation, index: link.index, entry: entries[Int(link.index)],
        path: MerkleTree.inclusionPath(leaves, index: link.index), head: head)
    }
  }

  static func run() throws -> [Figure] {
    let (receipt, workCount) = try sample()
    let text = try Receipt.make(.work(receipt))
    let make = try 1000 / Meter.rate(rounds: 3) { keep(try Receipt.make(.work(receipt))) }
    let check = try 1000 / Meter.rate(rounds: 3) {
      let verdict = try Receipt.parse(text).verify(requester: receipt.requester, worker: receipt.worker)
      precondition(verdict.holds, "\(verdict.faults)")
    }
    return [
      Figure("receipt.bytes", Double(text.count), "bytes", "of them \(workCount) the work and its manifest"),
      Figure("receipt.make", make, "ms", "checked and read back before it is given out"),
      Figure("receipt.verify", check, "ms", "read and checked: four heads, four paths"),
    ]
  }

  private static func sample() throws -> (WorkReceipt, Int) {
    guard let mesh = MeshName(name: BenchFeed.mesh, nonce: [UInt8](repeating: 9, count: 16)) else {
      preconditionFailure("a mesh without a name")
    }
    let (requester, worker) = (try Feed(21, mesh: mesh), try Feed(22, mesh: mesh))
    let content = ContentID(raw: Blake2b.hash256([1]))
    let work = try WorkSpec(
      run: ["sh", "-c", "tr -cs A-Za-z '\\n' < /in/text | sort | uniq -c | sort -rn > /out/words"],
      root: .tree(content, arch: "x86_64", recipe: nil),
      inputs: [WorkInput(at: "text", content: .file(content, sha256: SHA256Hash.hash([2])))]
    ).canonicalBytes()
    let hash = WorkHash.work(work)
    let (postSalt, taskSalt) = (Blake2b.hash256([3]), Blake2b.hash256([4]))
    let manifest = try Manifest(
      workHash: hash, index: 0, exit: 0, stdout: nil,
      files: [Manifest.File(path: Array("words".utf8), sha256: hash, isExecutable: false)]
    ).text()
    let reference = WorkReference.hidden(commitment: WorkHash.postCommitment(salt: postSalt, workHash: hash))
    let post = requester.append(.jobPost, [], JobPostBody.known(Terms(mostUnits: 10), reference).encode())
    let grant = requester.append(
      .leaseGrant, [post],
      LeaseGrantBody(
        taskIndex: 0, attempt: 1, worker: worker.identity.publicKey, ttlSeconds: 60,
        saltCommitment: WorkHash.saltCommitment(taskSalt)
      ).encode())
    let claim = worker.append(
      .workClaim, [grant],
      WorkClaimBody(
        digest: Manifest.digest(salt: taskSalt, text: manifest), exit: 0, units: 3, sandbox: .bubblewrap,
        root: .fetched, cpuMs: 2500, wallMs: 2600
      ).encode())
    let accept = requester.append(.accept, [claim], AcceptBody(amounts: [3]).encode())
    let receipt = WorkReceipt(
      mesh: mesh, requester: requester.identity.publicKey, worker: worker.identity.publicKey, postSalt: postSalt,
      taskSalt: taskSalt, work: work, manifest: manifest, post: requester.proven(post),
      grant: requester.proven(grant), claim: worker.proven(claim), accept: requester.proven(accept))
    return (receipt, work.count + manifest.count)
  }
}
