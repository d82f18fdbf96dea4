// The range rule: one signature and one root for a run of entries.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import Testing

struct RangeCheckTests {
  @Test func ranges_up_to_signed_heads_are_accepted_one_after_the_other() throws {
    let author = try Author()
    let entries = author.entries(300)
    let hashes = LeafHasher.hashAll(entries)
    var frontier = MerkleFrontier()
    for (from, to) in [(0, 1), (1, 40), (40, 296), (296, 300)] {
      let check = RangeCheck(
        row: author.row, mesh: author.mesh, frontier: frontier, entries: Array(entries[from..<to]),
        head: author.head(Array(hashes[..<to])))
      guard case .ok(let after, let leaves) = check.run() else {
        Issue.record("\(from)..<\(to) refused: \(check.run())")
        return
      }
      #expect(leaves == Array(hashes[from..<to]))
      #expect(after.size == UInt64(to) && after.root == check.head.root)
      frontier = after
    }
  }

  @Test func a_head_of_another_key_or_mesh_is_a_bad_signature() throws {
    let author = try Author()
    let entries = author.entries(3)
    let head = author.head(LeafHasher.hashAll(entries))
    let other = FeedRow(feed: author.feed, author: try Author(2).key, incarnation: 7, reason: .member)
    let checks = [
      RangeCheck(row: other, mesh: author.mesh, frontier: MerkleFrontier(), entries: entries, head: head),
      RangeCheck(row: author.row, mesh: "away", frontier: MerkleFrontier(), entries: entries, head: head),
      RangeCheck(
        row: author.row, mesh: author.mesh, frontier: MerkleFrontier(), entries: entries,
        head: Head(feed: head.feed, size: head.size, root: .zero, signature: head.signature)),
    ]
    for check in checks { #expect(check.run() == .badSignature) }
  }

  @Test func another_entry_or_another_past_gives_another_root() throws {
    let author = try Author()
    let entries = author.entries(9)
    let hashes = LeafHasher.hashAll(entries)
    let head = author.head(hashes)
    var changed = entries
    changed[8] = Entry(kind: .record, timeMs: 0, links: [], body: [])
    let computed = MerkleTree.root(LeafHasher.hashAll(changed))
    let whole = RangeCheck(
      row: author.row, mesh: author.mesh, frontier: MerkleFrontier(), entries: changed, head: head)
    #expect(whole.run() == .rootMismatch(computed: computed))
    let past = MerkleFrontier(leaves: LeafHasher.hashAll(author.entries(5, tag: 9)))
    let tail = RangeCheck(
      row: author.row, mesh: author.mesh, frontier: past, entries: Array(entries[5...]), head: head)
    guard case .rootMismatch = tail.run() else {
      Issue.record("a splice of two branches: \(tail.run())")
      return
    }
  }

  @Test func a_feed_begins_with_its_own_begin() throws {
    let author = try Author()
    let strange = BeginBody(author: author.key, incarnation: 8, recovery: .zero, continues: nil)
    let firsts = [
      Entry(kind: .record, timeMs: 0, links: [], body: author.begin.body),
      Entry(kind: .begin, timeMs: 0, links: [], body: strange.encoded),
      Entry(kind: .begin, timeMs: 0, links: [], body: [1, 2, 3]),
    ]
    for first in firsts {
      let check = RangeCheck(
        row: author.row, mesh: author.mesh, frontier: MerkleFrontier(), entries: [first],
        head: author.head([first.leafHash]))
      #expect(check.run() == .badEntry(index: 0))
    }
  }

  @Test func an_entry_above_its_limit_is_named() throws {
    let author = try Author()
    let large = Entry(kind: .record, timeMs: 0, links: [], body: [UInt8](repeating: 0, count: 4083))
    let check = RangeCheck(
      row: author.row, mesh: author.mesh, frontier: MerkleFrontier(), entries: [author.begin, large],
      head: author.head(size: 2, root: .zero))
    #expect(check.run() == .badEntry(index: 1))
  }

  @Test func a_record_commits_to_its_words() {
    let words = Array("words".utf8)
    #expect(RecordBody.plain(words).digest == SHA256Hash.hash(words))
    #expect(RecordBody.salted(words, salt: .zero).digest != RecordBody.plain(words).digest)
    #expect(
      RecordBody.salted(words, salt: .zero).digest
        == SHA256Hash.hash(Array("tally/words/1".utf8) + [UInt8](repeating: 0, count: 32) + words))
  }
}
