// Owns: a few exchanges in virtual time with one shared ledger: entries are durable and known to all at once, messages
// arrive in order unless a test cuts a link. What travels is what the real messages hold.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import TallyWork

@testable import TallyExchange

struct ExchangeWorld {
  struct Host {
    let key: PublicKey
    let feed: FeedID
    var exchange: Exchange
    var entries: [Entry] = []
    var rows: [StoreTable: [[UInt8]: [UInt8]]] = [:]
    var events: [JobEvent] = []
    var given: [WorkerTask] = []
    var faults: [ExchangeFault] = []
    var stopped: [TaskID] = []
    /// Blobs that are here, by ID, with the SHA-256 of their bytes.
    var blobs: [ContentID: Digest] = [:]
    var served: [(ContentID, UInt32, PublicKey)] = []
    var ready: [(ContentID, UInt32, Bool)] = []
    var refusesAppends = false
  }

  var hosts: [PublicKey: Host] = [:]
  var fold = Fold()
  var now = Instant(micros: 1_000_000, wallMs: 1_700_000_000_000)
  /// Messages on their way: from, to, bytes.
  var wire: [(PublicKey, PublicKey, [UInt8])] = []
  var cut: Set<PublicKey> = []
  /// How often a message of each type was sent.
  var sent: [UInt8: Int] = [:]
  /// Changes the first lease on its way, as a lying requester would.
  var forgeLease: (@Sendable (inout LeaseMessage) -> Void)?
  let mesh = Names.meshID(name: "test", nonce: [UInt8](repeating: 7, count: 16))

  static let policy = LendPolicy(
    lends: true, cores: 4, memoryMiB: 8192, diskMiB: 8192, slots: 2, relations: [:])
  static let facts = WorkerFacts(
    architecture: 1, nativeSandbox: true, wasmSandbox: false, limitsBy: "rlimits", cause: "")

  static func key(_ number: UInt64) -> PublicKey {
    PublicKey(raw: Bytes32(word0: number, word1: 0, word2: 0, word3: 0))
  }

  /// Hosts 1…count, linked with each other; all but the first lend to it and have a worker process.
  init(_ count: UInt64) {
    for number in 1...count {
      let key = Self.key(number)
      var policy = Self.policy
      policy.lends = number > 1
      policy.relations = [Self.key(1): .trusted]
      hosts[key] = Host(
        key: key, feed: Names.feedID(mesh: mesh, author: key, incarnation: 1),
        exchange: Exchange(
          me: key, policy: policy,
          generator: Generator(seed: Bytes32(word0: number, word1: 9, word2: 9, word3: 9), stream: 0)))
    }
    for key in keys where key != Self.key(1) { call(key) { $0.onWorker(Self.facts) } }
    for key in keys { for other in keys where other != key { with(key) { $0.onLinkUp(other, now: $1, into: &$2) } } }
  }

  var keys: [PublicKey] { hosts.keys.sorted() }
  var first: PublicKey { Self.key(1) }

  mutating func call(_ key: PublicKey, _ body: (inout Exchange) -> Void) {
    guard var host = hosts[key] else { return }
    body(&host.exchange)
    hosts[key] = host
  }

  /// Runs one call on one host and everything that follows from it, here and elsewhere.
  mutating func with(_ key: PublicKey, _ body: (inout Exchange, Instant, inout [ExchangeEffect]) -> Void) {
    var effects: [ExchangeEffect] = []
    guard var exchange = hosts[key]?.exchange else { return }
    body(&exchange, now, &effects)
    hosts[key]?.exchange = exchange
    carryOut(effects, of: key)
    deliver()
  }

  private mutating func carryOut(_ effects: [ExchangeEffect], of key: PublicKey) {
    for effect in effects {
      switch effect {
      case .send(let peer, let message): send(message, from: key, to: peer)
      case .append(let tag, let kind, let links, let body): append(tag, kind, links, body, by: key)
      case .store(.put(let table, let rowKey, let value)): hosts[key]?.rows[table, default: [:]][rowKey] = value
      case .store(.delete(let table, let rowKey)): hosts[key]?.rows[table]?[rowKey] = nil
      case .store: break
      case .event(let event): hosts[key]?.events.append(event)
      case .give(let task): hosts[key]?.given.append(task)
      case .stopTask(let task, _): hosts[key]?.stopped.append(task)
      case .storeLeaf(let blob, let leaf, _, let bytes, _):
        hosts[key]?.blobs[blob.id] = SHA256Hash.hash(bytes)
        with(key) { $0.onBlobStored(blob, leaf: leaf, now: $1, into: &$2) }
      case .serveLeaf(let id, let leaf, let peer): hosts[key]?.served.append((id, leaf, peer))
      case .checkFile(let blob):
        let digest = blob.size == 0 ? SHA256Hash.hash([]) : hosts[key]?.blobs[blob.id]
        with(key) { $0.onFileChecked(blob.id, sha256: digest, now: $1, into: &$2) }
      case .leafReady(let id, let leaf, let blob): hosts[key]?.ready.append((id, leaf, blob != nil))
      case .fault(_, let fault): hosts[key]?.faults.append(fault)
      }
    }
  }

  private mutating func send(_ message: [UInt8], from key: PublicKey, to peer: PublicKey) {
    sent[message[0], default: 0] += 1
    guard message[0] == MessageType.lease.rawValue, let forge = forgeLease else {
      wire.append((key, peer, message))
      return
    }
    forgeLease = nil
    var body = ByteReader(message, from: 1, to: message.count)
    guard var lease = try? LeaseMessage(body: &body) else { return }
    forge(&lease)
    wire.append((key, peer, lease.message))
  }

  private mutating func append(
    _ tag: AppendTag, _ kind: EntryKind, _ links: [EntryLink], _ body: [UInt8], by key: PublicKey
  ) {
    guard let host = hosts[key] else { return }
    if host.refusesAppends {
      with(key) { $0.onAppended(tag, .failure(.tooManyWaiting), now: $1, into: &$2) }
      return
    }
    let entry = Entry(kind: kind, timeMs: now.wallMs, links: links, body: body)
    let index = UInt64(host.entries.count)
    hosts[key]?.entries.append(entry)
    let leaf = entry.leafHash
    let ref = OwnRef(
      feed: host.feed, index: index, leaf: leaf, id: Names.entryID(feed: host.feed, index: index, leaf: leaf))
    with(key) { $0.onAppended(tag, .success(ref), now: $1, into: &$2) }
    fold.apply(feed: host.feed, author: key, index: index, leaf: leaf, entry: entry)
    let jobs = fold
    for other in keys {
      with(other) { $0.onStored(entry, link: ref.link, author: key, jobs: jobs, now: $1, into: &$2) }
    }
    with(key) { $0.onReleased(host.feed, size: index + 1, now: $1, into: &$2) }
  }

  private mutating func deliver() {
    while !wire.isEmpty {
      let (from, to, message) = wire.removeFirst()
      if cut.contains(from) || cut.contains(to) { continue }
      let jobs = fold
      with(to) { $0.onMessage(message, from: from, jobs: jobs, now: $1, into: &$2) }
    }
  }

  /// Moves time on, step by step, through every deadline up to `interval` from now.
  mutating func pass(_ interval: Interval) {
    let end = now + interval
    while true {
      let next = keys.compactMap { hosts[$0]?.exchange.nextDeadline }.min()
      guard let next, next <= end else { break }
      now = max(next, now)
      for key in keys where (hosts[key]?.exchange.nextDeadline).map({ $0 <= now }) ?? false {
        with(key) { $0.wake(now: $1, into: &$2) }
      }
    }
    now = end
  }

  // What tests ask for.

  static func work(_ argument: String = "x") throws -> [UInt8] {
    let tree = ContentID(raw: Bytes32(word0: 5, word1: 5, word2: 5, word3: 5))
    return try WorkSpec(run: ["sh", "-c", argument], root: .tree(tree, arch: "x86_64", recipe: nil)).canonicalBytes()
  }

  mutating func post(_ work: [UInt8], hold: Bool = false) {
    let job = JobRequest(work: work, terms: Terms(mostUnits: 10), isPublic: false, hold: hold, local: false)
    with(first) { exchange, _, effects in _ = exchange.post(job, into: &effects) }
  }

  /// The result that an honest worker hands back: one file named `out` with these bytes.
  static func ending(_ task: WorkerTask, exit: Int32 = 0, bytes: [UInt8] = [1, 2, 3]) throws -> WorkerResult.Ending {
    let file = Manifest.File(path: Array("out".utf8), sha256: SHA256Hash.hash(bytes), isExecutable: false)
    let manifest = Manifest(workHash: WorkHash.work(task.work), index: task.task.index, exit: exit, files: [file])
    let blob = BlobReference(id: ContentID(raw: SHA256Hash.leaf(bytes).raw), size: UInt64(bytes.count))
    let tree = Tree(lines: [
      Tree.Line(path: Array("out".utf8), node: .file(blob.id, size: blob.size, isExecutable: false))
    ])
    let empty = BlobReference(id: ContentID(raw: SHA256Hash.hash([]).raw), size: 0)
    return .finished(
      exit: exit, units: 3, rootMade: false, stdout: empty, stderr: empty, manifest: try manifest.text(),
      tree: try tree.text())
  }

  mutating func finish(_ key: PublicKey, _ task: WorkerTask, _ ending: WorkerResult.Ending) {
    let result = WorkerResult(task: task.task, attempt: task.attempt, ending: ending, cpuMs: 20, wallMs: 30)
    with(key) { exchange, _, effects in exchange.onWorkerResult(result, into: &effects) }
  }

  /// Answers every leaf request that `key` was asked for with these bytes as a one-leaf blob.
  mutating func serve(_ key: PublicKey, _ bytes: [UInt8]) {
    let asked = hosts[key]?.served ?? []
    hosts[key]?.served = []
    for (id, leaf, peer) in asked {
      with(key) { exchange, _, effects in
        exchange.onLeafRead(
          id, leaf: leaf, for: peer, blob: BlobReference(id: id, size: UInt64(bytes.count)), path: [], bytes: bytes,
          into: &effects)
      }
    }
  }

  /// The worker that was given a task, with the task.
  var running: (PublicKey, WorkerTask)? {
    for key in keys { if let task = hosts[key]?.given.last { return (key, task) } }
    return nil
  }

  mutating func feedAll() {
    for key in keys where key != first { with(key) { exchange, _, effects in exchange.onWorkerHungry(into: &effects) } }
  }

  func outcomes(_ key: PublicKey) -> [JobOutcome] {
    (hosts[key]?.events ?? []).compactMap { if case .finished(_, let outcome) = $0 { outcome } else { nil } }
  }

  func count(_ kind: EntryKind, by key: PublicKey) -> Int { hosts[key]?.entries.count { $0.kind == kind } ?? 0 }
}
