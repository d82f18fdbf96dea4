// Receipts: what they say, that every byte of them matters, and that strangers' keys are told apart.

import Foundation
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import Testing

@testable import TallyWork

/// One feed with real signatures.
struct SignedFeed {
  let seed: [UInt8]
  let incarnation: UInt64
  let mesh: MeshName
  private(set) var entries: [Entry] = []

  init(seed: UInt8, incarnation: UInt64, mesh: MeshName) {
    self.seed = [UInt8](repeating: seed, count: 32)
    self.incarnation = incarnation
    self.mesh = mesh
  }

  func key() throws -> PublicKey { try Identity(seed: seed).publicKey }
  func id() throws -> FeedID { Names.feedID(mesh: mesh.id, author: try key(), incarnation: incarnation) }

  mutating func append(_ kind: EntryKind, _ links: [EntryLink], _ body: [UInt8]) throws -> EntryLink {
    let entry = Entry(kind: kind, timeMs: 1_700_000_000_000 + Int64(entries.count), links: links, body: body)
    entries.append(entry)
    return EntryLink(feed: try id(), index: UInt64(entries.count - 1), leaf: entry.leafHash)
  }

  mutating func fill(_ count: Int) throws {
    for number in 0..<count { _ = try append(.record, [], [0] + [UInt8](repeating: UInt8(number & 255), count: 32)) }
  }

  func proven(_ index: UInt64) throws -> ProvenEntry {
    let identity = try Identity(seed: seed)
    let leaves = entries.map(\.leafHash)
    let head = Head.signed(
      by: identity, mesh: mesh.name, feed: try id(), size: UInt64(leaves.count), root: MerkleTree.root(leaves))
    return ProvenEntry(
      author: identity.publicKey, incarnation: incarnation, index: index, entry: entries[Int(index)],
      path: MerkleTree.inclusionPath(leaves, index: index), head: head)
  }
}

struct ReceiptTests {
  struct Case {
    var receipt: WorkReceipt
    var requester: PublicKey
    var worker: PublicKey
  }

  static func mesh() throws -> MeshName {
    try #require(MeshName(name: "home.lab", nonce: [UInt8](repeating: 0xa5, count: 16)))
  }

  /// What a test may bend before everything is signed.
  struct Bend {
    var amount: UInt64 = 3
    var mostUnits: UInt64 = 10
    var grantWorker: PublicKey?
    var manifestIndex: UInt32 = 1
    var manifestExit: Int32 = 0
    var claimExit: Int32 = 0
    var isPublic = false
    var stdout: Digest?
    var agreeOn = AgreeOn.outputs
    var padding = 40
  }

  static func make(seeds: (UInt8, UInt8) = (1, 2), _ bend: Bend = Bend()) throws -> Case {
    let mesh = try mesh()
    var requester = SignedFeed(seed: seeds.0, incarnation: 0x0102_0304_0506_0708, mesh: mesh)
    var worker = SignedFeed(seed: seeds.1, incarnation: 9, mesh: mesh)
    let work = try WorkSpec(
      run: ["sh", "-c", "wc -w < /in/text > /out/count"],
      root: .tree(WorkSpecTests.content, arch: "x86_64", recipe: nil),
      inputs: [WorkInput(at: "text", content: .file(WorkSpecTests.content, sha256: WorkSpecTests.hash))]
    ).canonicalBytes()
    let workHash = WorkHash.work(work)
    let postSalt = Bytes32([UInt8](repeating: 3, count: 32))!
    let taskSalt = Bytes32([UInt8](repeating: 4, count: 32))!
    let manifest = try Manifest(
      workHash: workHash, index: bend.manifestIndex, exit: bend.manifestExit, stdout: bend.stdout,
      files: [Manifest.File(path: Array("count".utf8), sha256: workHash, isExecutable: false)]
    ).text()
    let terms = Terms(agreeOn: bend.agreeOn, mostUnits: bend.mostUnits, tasks: 2)
    let reference: WorkReference =
      bend.isPublic
      ? .open(salt: postSalt, workHash: workHash)
      : .hidden(commitment: WorkHash.postCommitment(salt: postSalt, workHash: workHash))
    try requester.fill(bend.padding)
    try worker.fill(bend.padding)
    let post = try requester.append(.jobPost, [], JobPostBody.known(terms, reference).encode())
    let grant = try requester.append(
      .leaseGrant, [post],
      LeaseGrantBody(
        taskIndex: 1, attempt: 1, worker: try bend.grantWorker ?? worker.key(), ttlSeconds: 60,
        saltCommitment: WorkHash.saltCommitment(taskSalt)
      ).encode())
    let claim = try worker.append(
      .workClaim, [grant],
      WorkClaimBody(
        digest: Manifest.digest(salt: taskSalt, text: manifest), exit: bend.claimExit, units: 3,
        sandbox: .bubblewrap, root: .fetched, cpuMs: 2500, wallMs: 2600
      ).encode())
    let accept = try requester.append(.accept, [claim], AcceptBody(amounts: [bend.amount]).encode())
    let receipt = WorkReceipt(
      mesh: mesh, requester: try requester.key(), worker: try worker.key(), postSalt: postSalt, taskSalt: taskSalt,
      work: work, manifest: manifest, post: try requester.proven(post.index),
      grant: try requester.proven(grant.index), claim: try worker.proven(claim.index),
      accept: try requester.proven(accept.index))
    return Case(receipt: receipt, requester: try requester.key(), worker: try worker.key())
  }

  @Test func an_honest_receipt_holds_and_says_what_is_shown_and_what_is_not() throws {
    let made = try Self.make()
    let text = try Receipt.make(.work(made.receipt))
    let verdict = try Receipt.parse(text).verify(requester: made.requester, worker: made.worker)
    #expect(verdict.holds, "\(verdict.faults)")
    #expect(verdict.evidence == .accepted)
    #expect(verdict.signed.count == 4)
    #expect(verdict.signed[0].hasPrefix(KeyText.encode(made.requester)))
    #expect(verdict.signed[2].hasPrefix(KeyText.encode(made.worker)))
    #expect(verdict.shown.contains { $0.contains("owes the worker 3 cpu-s") })
    #expect(verdict.notShown.contains { $0.contains("result is right") })
    #expect(!verdict.notShown.contains { $0.contains("who holds these keys") })
    #expect(!verdict.text.lowercased().contains("verified"))
    #expect(Receipt.work(made.receipt).verify().notShown.contains { $0.contains("who holds these keys") })
  }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Fixtures/receipts").standardizedFileURL

  /// Keys, salts and signatures are fixed, so the files are: a difference in version control is a change of the format.
  @Test func the_golden_receipts_are_written_alike_for_ever() throws {
    let words = Array("the bridge was closed at noon".utf8)
    let salt = Bytes32([UInt8](repeating: 8, count: 32))!
    let golden: [(String, Receipt)] = [
      ("work.tally-receipt", .work(try Self.make().receipt)),
      ("record.tally-receipt", .record(try Self.record(.salted(words, salt: salt), salt: salt, words: words))),
    ]
    for (name, receipt) in golden {
      let file = Self.folder.appendingPathComponent(name)
      if ProcessInfo.processInfo.environment["TALLY_WRITE_FRAMES"] == "1" {
        try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
        try Data(receipt.text).write(to: file)
      }
      let bytes = [UInt8](try Data(contentsOf: file))
      #expect(bytes == receipt.text, "\(name)")
      #expect(try Receipt.parse(bytes).verify().holds, "\(name)")
    }
  }

  @Test func it_takes_at_most_four_kibibytes_without_the_works_own_text() throws {
    let made = try Self.make()
    let text = try Receipt.make(.work(made.receipt))
    print("receipt: \(text.count) bytes, work \(made.receipt.work.count), in feeds of 44 and 41 entries")
    #expect(text.count - made.receipt.work.count <= 4096)
  }

  @Test func a_claim_alone_is_shown_as_claimed() throws {
    var made = try Self.make()
    made.receipt.accept = nil
    let verdict = try Receipt.parse(try Receipt.make(.work(made.receipt))).verify()
    #expect(verdict.holds && verdict.evidence == .claimed)
    #expect(verdict.notShown.contains { $0.contains("anybody accepted") })
  }

  @Test func no_flipped_byte_is_accepted() throws {
    let made = try Self.make(Bend(padding: 3))
    let text = try Receipt.make(.work(made.receipt))
    for position in text.indices {
      let mask = [0x01, 0x02, 0x20, 0x80, 0xff][position % 5] as UInt8
      var changed = text
      changed[position] ^= mask
      expectRefused(changed, "byte \(position) ^ \(mask)")
    }
  }

  @Test func no_cut_no_addition_and_no_moved_line_is_accepted() throws {
    let text = try Receipt.make(.work(try Self.make(Bend(padding: 3)).receipt))
    for count in stride(from: 0, to: text.count, by: 7) { expectRefused(Array(text.prefix(count)), "cut to \(count)") }
    expectRefused(text + [10], "a line more")
    expectRefused(text + Array("== end\n".utf8), "an end more")
    let lines = text.split(separator: 10, omittingEmptySubsequences: false)
    for index in 0..<(lines.count - 1) where lines[index] != lines[index + 1] {
      var moved = lines
      moved.swapAt(index, index + 1)
      expectRefused(Array(moved.joined(separator: [10])), "lines \(index) and \(index + 1) swapped")
      var doubled = lines
      doubled.insert(lines[index], at: index)
      expectRefused(Array(doubled.joined(separator: [10])), "line \(index) doubled")
      var without = lines
      without.remove(at: index)
      expectRefused(Array(without.joined(separator: [10])), "line \(index) left out")
    }
  }

  private func expectRefused(_ text: [UInt8], _ comment: Comment) {
    do {
      let verdict = try Receipt.parse(text).verify()
      #expect(!verdict.holds, comment)
    } catch {
      // Refused before any signature was looked at.
    }
  }

  @Test func one_signed_whole_with_fresh_keys_fails_on_the_expected_ones() throws {
    let honest = try Self.make()
    let fresh = try Self.make(seeds: (77, 78))
    let receipt = try Receipt.parse(try Receipt.make(.work(fresh.receipt)))
    #expect(receipt.verify().holds)
    let verdict = receipt.verify(requester: honest.requester)
    #expect(verdict.faults.count == 1 && verdict.faults[0].hasPrefix("requester: signed by tal1"))
    let other = receipt.verify(requester: fresh.requester, worker: honest.worker)
    #expect(other.faults.count == 1 && other.faults[0].hasPrefix("worker: signed by tal1"))
    #expect(verdict.evidence == nil && verdict.shown.isEmpty)
  }

  @Test func what_the_fold_would_not_count_is_not_shown() throws {
    let stranger = PublicKey(raw: Bytes32([UInt8](repeating: 0x44, count: 32))!)
    let cases: [(Bend, String)] = [
      (Bend(amount: 4), "accept: more than was claimed"),
      (Bend(mostUnits: 2), "accept: more than the post allows"),
      (Bend(grantWorker: stranger), "grant: is to another worker"),
      (Bend(manifestIndex: 0), "manifest: is about another task"),
      (Bend(claimExit: 1), "manifest: has another exit code"),
      (Bend(stdout: WorkSpecTests.hash), "manifest: holds stdout"),
      (Bend(agreeOn: .outputsAndStdout), "manifest: holds stdout, or lacks it"),
    ]
    for (bend, fault) in cases {
      let verdict = Receipt.work(try Self.make(bend).receipt).verify()
      #expect(verdict.faults.count == 1 && verdict.faults[0].hasPrefix(fault), "\(fault): \(verdict.faults)")
      #expect(throws: ReceiptError.self) { _ = try Receipt.make(.work(try Self.make(bend).receipt)) }
    }
    #expect(Receipt.work(try Self.make(Bend(isPublic: true)).receipt).verify().holds)
    #expect(
      Receipt.work(try Self.make(Bend(stdout: WorkSpecTests.hash, agreeOn: .outputsAndStdout)).receipt).verify().holds)
  }

  @Test func parts_of_another_receipt_do_not_fit() throws {
    let one = try Self.make().receipt
    let other = try Self.make(seeds: (1, 3), Bend(padding: 9)).receipt
    let swaps: [(String, (inout WorkReceipt) -> Void)] = [
      ("post", { $0.post = other.post }), ("grant", { $0.grant = other.grant }),
      ("claim", { $0.claim = other.claim }), ("accept", { $0.accept = other.accept }),
      ("accept", { $0.accept = $0.post }), ("work", { $0.work = Array(WorkSpecTests.plainText.utf8) }),
      ("task-salt", { $0.taskSalt = $0.postSalt }), ("work", { $0.postSalt = $0.taskSalt }),
      ("manifest", { $0.manifest = $0.manifest.dropLast() + [0x0a, 0x0a] }),
      ("claim", { $0.worker = other.worker }),
    ]
    for (part, swap) in swaps {
      var receipt = one
      swap(&receipt)
      #expect(!Receipt.work(receipt).verify().holds, "\(part)")
    }
  }

  @Test func the_limit_of_a_receipts_size_is_hit() {
    let large = [UInt8](repeating: 10, count: TextLimits.receiptBytes + 1)
    #expect(throws: ReceiptError.self) { _ = try Receipt.parse(large) }
    let many = Array(("tally-receipt/1 work\n" + String(repeating: "== x\n", count: 20)).utf8)
    #expect(throws: ReceiptError.self) { _ = try Receipt.parse(many) }
  }

  // MARK: Records

  static func record(_ body: RecordBody, salt: Bytes32?, words: [UInt8]?) throws -> RecordReceipt {
    let mesh = try mesh()
    var feed = SignedFeed(seed: 5, incarnation: 1, mesh: mesh)
    try feed.fill(2)
    let link = try feed.append(.record, [], body.encoded)
    try feed.fill(2)
    return RecordReceipt(
      mesh: mesh, author: try feed.key(), salt: salt, words: words, record: try feed.proven(link.index))
  }

  @Test func a_records_receipt_holds_with_and_without_its_words() throws {
    let words = Array("the bridge was closed at noon\n== end\n".utf8)
    let salt = Bytes32([UInt8](repeating: 8, count: 32))!
    let salted = try Self.record(.salted(words, salt: salt), salt: salt, words: words)
    let verdict = try Receipt.parse(try Receipt.make(.record(salted))).verify(author: salted.author)
    #expect(verdict.holds && verdict.signed.count == 1 && verdict.evidence == nil)
    let plain = try Self.record(.plain(words), salt: nil, words: words)
    #expect(try Receipt.parse(try Receipt.make(.record(plain))).verify().holds)
    let bare = try Self.record(.salted(words, salt: salt), salt: nil, words: nil)
    let shown = try Receipt.parse(try Receipt.make(.record(bare))).verify()
    #expect(shown.holds && shown.notShown.contains { $0.contains("not in this file") })
  }

  @Test func a_records_receipt_refuses_other_words_keys_and_flipped_bytes() throws {
    let words = Array("words".utf8)
    let salt = Bytes32([UInt8](repeating: 8, count: 32))!
    let good = try Self.record(.salted(words, salt: salt), salt: salt, words: words)
    var other = good
    other.words = Array("other".utf8)
    #expect(Receipt.record(other).verify().faults.contains { $0.hasPrefix("words:") })
    other = good
    other.salt = nil
    #expect(Receipt.record(other).verify().faults.contains { $0.hasPrefix("salt:") })
    let stranger = try Identity(seed: [UInt8](repeating: 6, count: 32)).publicKey
    #expect(Receipt.record(good).verify(author: stranger).faults.contains { $0.hasPrefix("author: signed by") })
    #expect(Receipt.record(good).verify(requester: good.author).faults.contains { $0.hasPrefix("requester:") })
    let text = try Receipt.make(.record(good))
    for position in text.indices {
      var changed = text
      changed[position] ^= 1
      expectRefused(changed, "byte \(position)")
    }
    other = good
    other.words = [UInt8](repeating: 0, count: TextLimits.receiptWordsBytes + 1)
    #expect(throws: ReceiptError.self) { _ = try Receipt.parse(Receipt.record(other).text) }
  }
}
