// Owns: what the log costs: commits of this host, catch-up with others. DESIGN section 13, first row.
// Refuses to know: networks.
import TallyBase
import TallyCrypto
import TallyLog
import TallyStore
import TallyWire

enum LogBench {
  static func run() throws -> [Figure] { try [1, 64, 256].flatMap(commits) }

  // MARK: this host's own entries

  /// Ledger and writer in one thread: append, seal, sign, store with guard file and sync, release.
  private static func commits(of size: Int) throws -> [Figure] {
    var (walls, processors): ([Double], [Double]) = ([], [])
    for _ in 0..<3 {
      let scratch = try Scratch()
      let (spent, count) = try ownCommits(size, count: size == 1 ? 400 : 100, scratch)
      walls.append(Double(count) / spent.wall)
      processors.append(Double(count) / spent.cpu)
    }
    let wall = Meter.middle(walls)
    return [
      Figure(
        "commit.\(size).wall", wall, "entries/s",
        "\(SessionBench.ratio(wall, Double(size))) commits/s, each synced"),
      Figure("commit.\(size).cpu", Meter.middle(processors), "entries/CPU s", "ledger, signature, SQLite, guard file"),
    ]
  }

  private static func ownCommits(_ size: Int, count: Int, _ scratch: Scratch) throws -> (Spent, Int) {
    var host = try LocalHost(scratch.path + "/data")
    let spent = Meter.spent {
      for _ in 0..<count {
        for _ in 0..<size { host.record() }
        host.turn()
      }
    }
    precondition(host.ledger.ownSize == UInt64(1 + count * size), "entries are missing: \(host.ledger.ownSize)")
    try host.store.close()
    return (spent, count * size)
  }

  // MARK: others' entries

  /// RANGE messages as they come from a link: decoded, checked (one signature a message), stored 64 a transaction.
  static func catchUp() throws -> [Figure] {
    let (chunks, perChunk) = (1024, 256)
    let feed = try BenchFeed(8)
    let messages = (0..<chunks).map { _ in feed.rangeMessage(perChunk) }
    let count = Double(chunks * perChunk)
    var (decode, check, whole, wall): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
    var (verifies, ratios): ([Double], [Double]) = ([], [])
    // The denominator is measured before and after each round: a busy machine slows both alike.
    verifies.append(try CryptoBench.verifies(rounds: 1))
    for round in 0..<5 {
      decode.append(try Meter.spent { for message in messages { keep(try LogMessage(decoding: message)) } }.cpu)
      check.append(try Meter.spent { try receive(messages, row: feed.row) { _ in } }.cpu)
      let scratch = try Scratch()
      var store = try BenchStore(scratch.path + "/data")
      let spent = try Meter.spent {
        store.commit([[.feed(feed.row)]])
        try receive(messages, row: feed.row) { store.commit($0) }
      }
      try store.close()
      whole.append(spent.cpu)
      wall.append(spent.wall)
      verifies.append(try CryptoBench.verifies(rounds: 1))
      ratios.append(count / spent.cpu / ((verifies[round] + verifies[round + 1]) / 2))
    }
    let verify = Meter.middle(verifies)
    let rate = count / Meter.middle(whole)
    let step = { (values: [Double]) in Meter.middle(values) / count * 1e9 }
    return [
      Figure(
        "catchup.cpu", rate, "entries/CPU s",
        "\(SessionBench.ratio(Meter.middle(ratios), 1)) × libsodium single verifies (\(Int(verify))/CPU s)"),
      Figure("catchup.wall", count / Meter.middle(wall), "entries/s", "one thread, durable, 256 entries a message"),
      Figure("catchup.decode", step(decode), "ns/entry", "CPU"),
      Figure("catchup.check", step(check) - step(decode), "ns/entry", "CPU: signature, leaves, root"),
      Figure("catchup.store", step(whole) - step(check), "ns/entry", "CPU: StoreWriter, SQLite, kernel"),
    ]
  }

  private static func receive(
    _ messages: [[UInt8]], row: FeedRow, store: ([[StoreOperation]]) -> Void
  ) throws {
    var frontier = MerkleFrontier()
    var waiting: [[StoreOperation]] = []
    for message in messages {
      guard case .range(let push) = try LogMessage(decoding: message) else { preconditionFailure("not a range") }
      let check = RangeCheck(
        row: row, mesh: BenchFeed.mesh, frontier: frontier, entries: push.entries, head: push.head)
      guard case .ok(let next, _) = check.run() else { preconditionFailure("a range that does not hold") }
      frontier = next
      waiting.append([.entries(feed: row.feed, from: push.from, entries: push.entries, head: push.head)])
      if waiting.count == 64 {
        store(waiting)
        waiting.removeAll(keepingCapacity: true)
      }
    }
    if !waiting.isEmpty { store(waiting) }
  }
}

/// A ledger over a store, turned by call: what the daemon's loop and its writer do, in one thread.
struct LocalHost: ~Copyable {
  private let identity: Identity
  var store: BenchStore
  private(set) var ledger: Ledger
  private var now = Instant(micros: 1_000_000, wallMs: 1_700_000_000_000)
  private var number: UInt64 = 0
  private var effects: [LedgerEffect] = []
  private var body = RecordBody(form: .salted, digest: .zero)

  init(_ path: String) throws {
    let identity = try Identity(seed: [UInt8](repeating: 3, count: 32))
    let store = try BenchStore(path)
    ledger = Ledger(
      config: LedgerConfig(meshName: BenchFeed.mesh, meshID: BenchFeed.meshID, me: identity.publicKey),
      recovered: store.recovered, generator: Generator(seed: Blake2b.hash256([3]), stream: 0), now: now)
    self.store = store
    self.identity = identity
    ledger.start(now: now, into: &effects)
    turn()
  }

  mutating func record() {
    body = RecordBody(form: .salted, digest: SHA256Hash.hash(body.encoded))
    guard case .success = ledger.append(EntryDraft(kind: .record, links: [], body: body.encoded), now: now) else {
      preconditionFailure("the ledger refused an entry")
    }
  }

  /// Seals, stores, releases.
  mutating func turn() {
    number += 1
    now = now + .milliseconds(1)
    effects.removeAll(keepingCapacity: true)
    ledger.endTurn(commit: number, identity: identity, now: now, into: &effects)
    var operations: [StoreOperation] = []
    var mark: GuardMark?
    for effect in effects {
      switch effect {
      case .store(let operation): operations.append(operation)
      case .guardMark(let found): mark = found
      default: break
      }
    }
    store.commit([operations], mark: mark)
    ledger.onPersisted(through: number, now: now, into: &effects)
  }
}
