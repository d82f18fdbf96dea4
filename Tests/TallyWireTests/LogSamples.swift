// Owns: values of every log layout, drawn from a seeded generator. Hashes and signatures in them are made up.
import TallyBase
import TallyWire

/// Draws well-formed values; the same seed gives the same ones.
struct LogSamples {
  var generator: Generator
  let feeds: [FeedID]

  init(seed: UInt64) {
    generator = Generator(seed: Bytes32(word0: seed, word1: 0, word2: 0, word3: 0), stream: 0)
    var feeds: [FeedID] = []
    for _ in 0..<5 { feeds.append(FeedID(raw: generator.bytes32())) }
    self.feeds = feeds
  }

  mutating func named<Value: Named32>(_: Value.Type = Value.self) -> Value { Value(raw: generator.bytes32()) }

  /// Small numbers often, large ones sometimes, never above `limit`.
  mutating func number(upTo limit: UInt64) -> UInt64 {
    let bits = generator.below(64)
    let value = generator.next64() >> UInt64(63 - bits)
    return min(value, limit)
  }

  mutating func link() -> EntryLink {
    let feed = generator.chance(3, outOf: 4) ? feeds[generator.below(feeds.count)] : FeedID(raw: generator.bytes32())
    return EntryLink(feed: feed, index: number(upTo: .max), leaf: named())
  }

  mutating func entry() -> Entry {
    let times: [Int64] = [.min, -1, 0, 1, 1_700_000_000_000, .max]
    let time = generator.chance(1, outOf: 8) ? times[generator.below(times.count)] : Int64(generator.below(1 << 41))
    var links: [EntryLink] = []
    for _ in 0..<generator.below(4) { links.append(link()) }
    let kind = generator.chance(1, outOf: 8) ? UInt16(generator.below(65536)) : UInt16(1 + generator.below(23))
    return Entry(
      kind: EntryKind(rawValue: kind), timeMs: time, links: links, body: generator.bytes(generator.below(120)))
  }

  mutating func entries(_ count: Int) -> [Entry] { (0..<count).map { _ in entry() } }

  mutating func signature() -> Signature { Signature(first: generator.bytes32(), second: generator.bytes32()) }

  mutating func head(feed: FeedID? = nil, size: UInt64? = nil) -> Head {
    Head(
      feed: feed ?? FeedID(raw: generator.bytes32()), size: size ?? max(1, number(upTo: WireLimits.feedEntries)),
      root: named(), signature: signature())
  }

  mutating func digests(_ count: Int) -> [Digest] { (0..<count).map { _ in named() } }

  mutating func introduction() -> FeedIntroduction {
    FeedIntroduction(author: named(), incarnation: generator.next64(), reason: generator.chance(1, outOf: 2) ? .member : .named)
  }

  mutating func push(from: UInt64, count: Int) -> Push {
    Push(
      head: head(size: from + UInt64(count)), from: from, introduction: from == 0 ? introduction() : nil,
      entries: entries(count))
  }

  mutating func clock(_ count: Int) -> [ClockEntry] {
    let sorted = (0..<count).map { _ in FeedID(raw: generator.bytes32()) }.sorted()
    var entries: [ClockEntry] = []
    for feed in sorted {
      let size = number(upTo: WireLimits.feedEntries)
      let fork = size == 0 || generator.chance(1, outOf: 5) ? size : nil
      entries.append(
        ClockEntry(feed: feed, size: size, root: named(), forkIndex: fork.map { min($0, WireLimits.feedEntries - 1) }))
    }
    return entries
  }

  mutating func getPath() -> GetPath {
    let size = max(1, number(upTo: WireLimits.feedEntries))
    return GetPath(feed: named(), index: generator.below(size), size: size)
  }

  mutating func pathAnswer() -> PathAnswer {
    let question = getPath()
    return PathAnswer(
      question, leaf: named(), path: digests(MerkleShape.pathCount(index: question.index, size: question.size)))
  }

  mutating func forkProof(sizes: (UInt64, UInt64)? = nil) -> ForkProof {
    let feed: FeedID = named()
    let (one, other) =
      sizes ?? (max(1, number(upTo: WireLimits.feedEntries)), max(1, number(upTo: WireLimits.feedEntries)))
    let index = generator.below(min(one, other))
    func side(_ samples: inout LogSamples, _ size: UInt64) -> ForkProof.Side {
      ForkProof.Side(
        head: samples.head(feed: feed, size: size), leaf: samples.named(),
        path: samples.digests(MerkleShape.pathCount(index: index, size: size)))
    }
    return ForkProof(side(&self, one), side(&self, other), index: index)!
  }

  mutating func aboutYou(_ count: Int) -> AboutYou {
    let heads = (0..<count).map { _ in head() }.sorted { $0.feed < $1.feed }
    return AboutYou(
      recordEpoch: generator.next64(), recordCounter: generator.next64(),
      feeds: heads.map { AboutYou.HeldFeed(incarnation: $0.size &* 3, head: $0) })
  }

  mutating func beginBody(continues: Bool) -> BeginBody {
    BeginBody(
      author: named(), incarnation: generator.next64(), recovery: generator.bytes32(),
      continues: continues ? BeginBody.Predecessor(feed: named(), size: 7, root: named()) : nil)
  }

  mutating func evidenceBody() -> EvidenceBody {
    let size = max(1, number(upTo: 1 << 24))
    let index = generator.below(size)
    return EvidenceBody(
      head: head(size: size), index: index, entry: entry(),
      path: digests(MerkleShape.pathCount(index: index, size: size)))
  }

  mutating func ihave(_ count: Int) -> IHave {
    IHave((0..<count).map { _ in
      IHave.Item(feed: named(), size: max(1, number(upTo: WireLimits.feedEntries)), root: named())
    })
  }

  mutating func stored(_ count: Int) -> Stored {
    Stored((0..<count).map { _ in Stored.Item(feed: named(), size: max(1, number(upTo: WireLimits.feedEntries))) })
  }

  /// One of each message of the log.
  mutating func messages() -> [(name: String, message: LogMessage)] {
    let feed: FeedID = named()
    let some = clock(3)
    return [
      ("about_you", .aboutYou(aboutYou(2))),
      ("clock_question", .clock(ClockMessage(question: named()))),
      ("clock_answer_first_page", .clock(
        ClockMessage(.answer, digest: named(), page: ClockPage(cursor: .zero, isLast: false, entries: some)))),
      ("clock_return_last_page_empty", .clock(
        ClockMessage(.return, digest: named(), page: ClockPage(cursor: some[2].feed, isLast: true, entries: [])))),
      ("push_new_feed", .push(push(from: 0, count: 3))),
      ("push", .push(push(from: 300, count: 2))),
      ("get_range", .getRange(GetRange(feed: feed, from: 127, to: 128))),
      ("range", .range(push(from: 1, count: 1))),
      ("get_path", .getPath(getPath())),
      ("path", .path(pathAnswer())),
      ("fork_proof", .forkProof(
        ForkNotice(author: named(), incarnation: generator.next64(), proof: forkProof(sizes: (5, 9))))),
      ("ihave", .ihave(ihave(2))),
      ("stored", .stored(stored(2))),
      ("get_head", .getHead(GetHead(feed: feed))),
      ("head_none", .head(HeadAnswer(feed: feed, head: nil))),
      ("head", .head(HeadAnswer(feed: feed, head: head(feed: feed)))),
    ]
  }
}
