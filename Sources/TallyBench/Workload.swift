// Owns: feeds of real entries with real heads: what the log's figures are measured on.
// Refuses to know: stores and clocks.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

/// One author and its growing feed.
final class BenchFeed {
  static let mesh = "bench"
  static let meshID = Names.meshID(name: mesh, nonce: [UInt8](repeating: 9, count: 16))
  let identity: Identity
  let row: FeedRow
  private(set) var frontier = MerkleFrontier()
  private var generator: Generator

  init(_ number: UInt8, incarnation: UInt64 = 1) throws {
    identity = try Identity(seed: [UInt8](repeating: number, count: 32))
    let key = identity.publicKey
    let feed = Names.feedID(mesh: Self.meshID, author: key, incarnation: incarnation)
    row = FeedRow(feed: feed, author: key, incarnation: incarnation, reason: .member)
    generator = Generator(seed: Blake2b.hash256([number]), stream: incarnation)
  }

  var key: PublicKey { row.author }

  var begin: Entry {
    let body = BeginBody(author: key, incarnation: row.incarnation, recovery: .zero, continues: nil)
    return Entry(kind: .begin, timeMs: 1_700_000_000_000, links: [], body: body.encoded)
  }

  /// A `record` with a salted hash: no links, a body of 33 bytes.
  func record(_ timeMs: Int64) -> Entry {
    Entry(
      kind: .record, timeMs: timeMs, links: [],
      body: RecordBody(form: .salted, digest: Digest(raw: generator.bytes32())).encoded)
  }

  /// The next `count` entries with the head over them.
  func grow(_ count: Int) -> (from: UInt64, entries: [Entry], head: Head) {
    let from = frontier.size
    var entries: [Entry] = []
    for offset in 0..<count {
      let index = from + UInt64(offset)
      entries.append(index == 0 ? begin : record(1_700_000_000_000 + Int64(index)))
    }
    return (from, entries, seal(entries))
  }

  /// Signs a head over everything before and `entries`.
  func seal(_ entries: [Entry]) -> Head {
    for leaf in LeafHasher.hashAll(entries) { frontier.append(leaf) }
    return Head.signed(
      by: identity, mesh: Self.mesh, feed: row.feed, size: frontier.size, root: frontier.root)
  }

  /// A RANGE message with the next `count` entries, as a peer sends it.
  func rangeMessage(_ count: Int) -> [UInt8] {
    let (from, entries, head) = grow(count)
    let introduction =
      from == 0 ? FeedIntroduction(author: key, incarnation: row.incarnation, reason: .member) : nil
    return LogMessage.range(Push(head: head, from: from, introduction: introduction, entries: entries)).encoded
  }
}
