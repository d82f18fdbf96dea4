// Owns: what a completion costs (job, lease, claim, acceptance): bytes on disk and on the wire, the fold, a receipt.
// Refuses to know: how the job ran.
import TallyBase
import TallyCrypto
import TallyLog
import TallyStore
import TallyWire
import TallyWork

/// Completions between one requester and one worker, each feed sealed every `size` entries.
struct Completions {
  struct Placed {
    let feed: FeedID
    let author: PublicKey
    let index: UInt64
    let leaf: Digest
    let entry: Entry
    var link: EntryLink { EntryLink(feed: feed, index: index, leaf: leaf) }
  }

  let requester: BenchFeed
  let worker: BenchFeed
  private(set) var entries: [Placed] = []
  /// PUSH messages and the operations that store them, in order.
  private(set) var pushes: [Push] = []
  private var open: (requester: [Entry], worker: [Entry])
  private var next: (requester: UInt64, worker: UInt64) = (1, 1)
  private let size: Int
  private var generator = Generator(seed: Blake2b.hash256([7]), stream: 7)

  init(_ count: Int, perCommit size: Int) throws {
    requester = try BenchFeed(11)
    worker = try BenchFeed(12)
    self.size = size
    open = ([requester.begin], [worker.begin])
    seal(true)
    for number in 0..<count { complete(number) }
    seal(true)
  }

  private mutating func add(_ feed: BenchFeed, _ kind: EntryKind, _ links: [EntryLink], _ body: [UInt8]) -> EntryLink {
    let isWorker = feed === worker
    let time = 1_700_000_000_000 + Int64(entries.count) * 250 + Int64(generator.below(200))
    let entry = Entry(kind: kind, timeMs: time, links: links, body: body)
    let index = isWorker ? next.worker : next.requester
    let placed = Placed(feed: feed.row.feed, author: feed.key, index: index, leaf: entry.leafHash, entry: entry)
    entries.append(placed)
    if isWorker {
      open.worker.append(entry)
      next.worker += 1
    } else {
      open.requester.append(entry)
      next.requester += 1
    }
    seal(false)
    return placed.link
  }

  private mutating func seal(_ all: Bool) {
    if !open.requester.isEmpty && (all || open.requester.count >= size) {
      push(requester, open.requester)
      open.requester = []
    }
    if !open.worker.isEmpty && (all || open.worker.count >= size) {
      push(worker, open.worker)
      open.worker = []
    }
  }

  private mutating func push(_ feed: BenchFeed, _ sealed: [Entry]) {
    let from = feed.frontier.size
    let introduction =
      from == 0 ? FeedIntroduction(author: feed.key, incarnation: feed.row.incarnation, reason: .member) : nil
    pushes.append(Push(head: feed.seal(sealed), from: from, introduction: introduction, entries: sealed))
  }

  private mutating func digest() -> Digest { Digest(raw: generator.bytes32()) }

  private mutating func complete(_ number: Int) {
    let terms = Terms(mostUnits: 3600)
    let post = add(requester, .jobPost, [], JobPostBody.known(terms, .hidden(commitment: digest())).encode())
    let grant = add(
      requester, .leaseGrant, [post],
      LeaseGrantBody(
        taskIndex: 0, attempt: 1, worker: worker.key, ttlSeconds: 3660, saltCommitment: digest()
      ).encode())
    let claim = add(
      worker, .workClaim, [grant],
      WorkClaimBody(
        digest: digest(), exit: 0, units: 3, sandbox: .bubblewrap, root: .fetched, cpuMs: 2500 + UInt64(number),
        wallMs: 2600, bytesFetched: 35_149, bytesDelivered: 4096
      ).encode())
    _ = add(requester, .accept, [claim], AcceptBody(amounts: [3]).encode())
  }
}

enum WorkBench {
  static func run() throws -> [Figure] { try [1, 64].flatMap(completion) + fold() + ReceiptBench.run() }

  private static func completion(_ size: Int) throws -> [Figure] {
    let count = 2048
    let made = try Completions(count, perCommit: size)
    let scratch = try Scratch()
    var store = try BenchStore(scratch.path + "/data")
    store.commit([[.feed(made.requester.row)], [.feed(made.worker.row)]])
    try store.close()
    let empty = try scratch.bytes(in: "data", prefix: "ledger.db")
    store = try BenchStore(scratch.path + "/data")
    let pair = try SessionPair()
    pair.dial()
    var (wire, plain) = (0, 0)
    for push in made.pushes {
      store.commit([[.entries(feed: push.feed, from: push.from, entries: push.entries, head: push.head)]])
      let message = LogMessage.push(push).encoded
      plain += message.count
      wire += pair.linkSend(message)
    }
    try store.close()
    let disk = try scratch.bytes(in: "data", prefix: "ledger.db") - empty
    let each = { (bytes: Int) in Double(bytes) / Double(count) }
    let note = "post, grant, claim, accept; \(count) completions, \(size) entries a commit"
    return [
      Figure("completion.\(size).disk", each(disk), "bytes", note),
      Figure(
        "completion.\(size).wire", each(wire), "bytes",
        "one copy, framed and sealed; \(Int(each(plain))) before that"),
    ]
  }

  private static func fold() throws -> [Figure] {
    let made = try Completions(8192, perCommit: 64)
    let rate = Meter.median(rounds: 3) {
      var fold = Fold()
      let spent = Meter.spent {
        for placed in made.entries {
          fold.apply(
            feed: placed.feed, author: placed.author, index: placed.index, leaf: placed.leaf, entry: placed.entry)
        }
      }
      precondition(fold.counts.accepts == 8192, "the fold lost an acceptance")
      return Double(made.entries.count) / spent.cpu
    }
    return [Figure("fold", rate, "entries/CPU s", "8,192 jobs, each accepted")]
  }
}
