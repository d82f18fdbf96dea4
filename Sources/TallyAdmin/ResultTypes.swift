// Owns: what each method of the admin socket answers. Fields are only ever added within one major version.

public struct HelloResult: Codable, Sendable {
  public var api = "1.0"
  public var server: String
  public var role: Role
  public var mesh: String
  public init(server: String, role: Role, mesh: String) {
    self.server = server
    self.role = role
    self.mesh = mesh
  }
}

public struct Done: Codable, Sendable {
  public var done = true
  public init() {}
}

public struct StatusResult: Codable, Sendable {
  public var name: String
  public var key: String
  public var node: String
  public var mesh: String
  public var meshId: String
  public var version: String
  public var dataDirectory: String
  public var listening: [String]
  public var member: Bool
  public var members: Int
  public var alive: Int
  public var links: Int
  public var sessions: Int
  public var table: Int
  public var feed: String
  public var entriesReleased: UInt64
  /// `on`, `held: …` or `off: …`
  public var signing: String
  public var feeds: Int
  public var entries: UInt64
  public var forks: Int
  public var clockDigest: String
  public var stateDigest: String
  /// In one sentence: what is lent, to whom.
  public var lending: String
  /// `none` or what the worker process says of its sandbox.
  public var worker: String
  public var openTasks: Int
  public var leasedTasks: Int
  public var store: String
  public var uptimeS: UInt64
  public var warnings: [WarningRow]
  public var refusals: [CounterRow]
  public var faults: [CounterRow]
  public var network: [CounterRow]
  public init(
    name: String, key: String, node: String, mesh: String, meshId: String, version: String,
    dataDirectory: String, listening: [String], member: Bool, members: Int, alive: Int, links: Int,
    sessions: Int, table: Int, feed: String, entriesReleased: UInt64, signing: String, feeds: Int,
    entries: UInt64, forks: Int, clockDigest: String, stateDigest: String, lending: String, worker: String,
    openTasks: Int, leasedTasks: Int, store: String, uptimeS: UInt64, warnings: [WarningRow],
    refusals: [CounterRow], faults: [CounterRow], network: [CounterRow]
  ) {
    self.name = name
    self.key = key
    self.node = node
    self.mesh = mesh
    self.meshId = meshId
    self.version = version
    self.dataDirectory = dataDirectory
    self.listening = listening
    self.member = member
    self.members = members
    self.alive = alive
    self.links = links
    self.sessions = sessions
    self.table = table
    self.feed = feed
    self.entriesReleased = entriesReleased
    self.signing = signing
    self.feeds = feeds
    self.entries = entries
    self.forks = forks
    self.clockDigest = clockDigest
    self.stateDigest = stateDigest
    self.lending = lending
    self.worker = worker
    self.openTasks = openTasks
    self.leasedTasks = leasedTasks
    self.store = store
    self.uptimeS = uptimeS
    self.warnings = warnings
    self.refusals = refusals
    self.faults = faults
    self.network = network
  }
}

public struct WarningRow: Codable, Hashable, Sendable {
  public var code: String
  public var text: String
  public var fix: String
  public init(code: String, text: String, fix: String) {
    self.code = code
    self.text = text
    self.fix = fix
  }
}

public struct CounterRow: Codable, Hashable, Sendable {
  public var name: String
  public var count: UInt64
  public init(name: String, count: UInt64) {
    self.name = name
    self.count = count
  }
}

public struct IDResult: Codable, Sendable {
  public var key: String
  public var node: String
  public var name: String
  public var feed: String
  public var mesh: String
  public var meshId: String
  /// 32 hexadecimal digits; with the name it makes the mesh's ID. No secret.
  public var meshNonce: String?
  public init(
    key: String, node: String, name: String, feed: String, mesh: String, meshId: String, meshNonce: String? = nil
  ) {
    self.meshNonce = meshNonce
    self.key = key
    self.node = node
    self.name = name
    self.feed = feed
    self.mesh = mesh
    self.meshId = meshId
  }
}

public struct PeerRow: Codable, Sendable {
  /// What the reader calls it: an own name, else the petname it proposes, else a short key.
  public var name: String
  public var key: String
  public var node: String
  /// `alive`, `unreachable from here`, `candidate`, `unheard` or `left`.
  public var state: String
  public var why: String
  public var endpoint: String?
  public var rttUs: Int64?
  public var link: Bool
  public var relation: String
  public var lends: Bool
  public var cores: Int
  public var memMb: Int
  public var arch: String
  public var record: String
  public init(
    name: String, key: String, node: String, state: String, why: String, endpoint: String? = nil,
    rttUs: Int64? = nil, link: Bool, relation: String, lends: Bool, cores: Int, memMb: Int, arch: String,
    record: String
  ) {
    self.name = name
    self.key = key
    self.node = node
    self.state = state
    self.why = why
    self.endpoint = endpoint
    self.rttUs = rttUs
    self.link = link
    self.relation = relation
    self.lends = lends
    self.cores = cores
    self.memMb = memMb
    self.arch = arch
    self.record = record
  }
}

public struct PeersResult: Codable, Sendable {
  public var members: [PeerRow]
  public init(members: [PeerRow]) { self.members = members }
}

public struct PongResult: Codable, Sendable {
  public var host: String
  public var rttUs: Int64
  public var observed: String
  public init(host: String, rttUs: Int64, observed: String) {
    self.host = host
    self.rttUs = rttUs
    self.observed = observed
  }
}

public struct LookupResult: Codable, Sendable {
  public struct Found: Codable, Sendable {
    public var name: String
    public var key: String
    public var node: String
    public var endpoints: [String]
    public init(name: String, key: String, node: String, endpoints: [String]) {
      self.name = name
      self.key = key
      self.node = node
      self.endpoints = endpoints
    }
  }
  public var target: String
  public var asked: Int
  public var found: [Found]
  public init(target: String, asked: Int, found: [Found]) {
    self.target = target
    self.asked = asked
    self.found = found
  }
}

public struct FeedRowResult: Codable, Sendable {
  public var feed: String
  public var author: String
  public var name: String
  public var incarnation: String
  public var size: UInt64
  public var root: String
  public var forkIndex: UInt64?
  public var reason: String
  public var own: Bool
  public var continued: Bool
  public init(
    feed: String, author: String, name: String, incarnation: String, size: UInt64, root: String,
    forkIndex: UInt64? = nil, reason: String, own: Bool, continued: Bool
  ) {
    self.feed = feed
    self.author = author
    self.name = name
    self.incarnation = incarnation
    self.size = size
    self.root = root
    self.forkIndex = forkIndex
    self.reason = reason
    self.own = own
    self.continued = continued
  }
}

public struct LedgerResult: Codable, Sendable {
  public var clockDigest: String
  public var stateDigest: String
  public var entries: UInt64
  public var feeds: [FeedRowResult]
  public init(clockDigest: String, stateDigest: String, entries: UInt64, feeds: [FeedRowResult]) {
    self.clockDigest = clockDigest
    self.stateDigest = stateDigest
    self.entries = entries
    self.feeds = feeds
  }
}

public struct EntryRow: Codable, Sendable {
  public var id: String
  public var index: UInt64
  public var kind: String
  public var timeMs: Int64
  public var leaf: String
  public var links: [String]
  public var preimage: Base64Bytes
  public init(
    id: String, index: UInt64, kind: String, timeMs: Int64, leaf: String, links: [String], preimage: Base64Bytes
  ) {
    self.id = id
    self.index = index
    self.kind = kind
    self.timeMs = timeMs
    self.leaf = leaf
    self.links = links
    self.preimage = preimage
  }
}

public struct EntriesResult: Codable, Sendable {
  public var feed: String
  public var size: UInt64
  public var entries: [EntryRow]
  public init(feed: String, size: UInt64, entries: [EntryRow]) {
    self.feed = feed
    self.size = size
    self.entries = entries
  }
}

/// Everything a stranger needs to check one entry by himself: its bytes, its path, and a signed head.
public struct ProofResult: Codable, Sendable {
  public var feed: String
  public var author: String
  public var incarnation: String
  public var index: UInt64
  public var size: UInt64
  public var preimage: Base64Bytes
  public var path: [String]
  public var root: String
  public var signature: Base64Bytes
  /// The C2SP signed note of that head.
  public var note: String
  public init(
    feed: String, author: String, incarnation: String, index: UInt64, size: UInt64, preimage: Base64Bytes,
    path: [String], root: String, signature: Base64Bytes, note: String
  ) {
    self.feed = feed
    self.author = author
    self.incarnation = incarnation
    self.index = index
    self.size = size
    self.preimage = preimage
    self.path = path
    self.root = root
    self.signature = signature
    self.note = note
  }
}

public struct CheckpointResult: Codable, Sendable {
  public var feed: String
  public var size: UInt64
  public var note: String
  /// The C2SP verifier key for it.
  public var vkey: String
  public init(feed: String, size: UInt64, note: String, vkey: String) {
    self.feed = feed
    self.size = size
    self.note = note
    self.vkey = vkey
  }
}

public struct ClockResult: Codable, Sendable {
  public struct Line: Codable, Sendable {
    public var feed: String
    public var name: String
    public var size: UInt64
    public var root: String
    public var forkIndex: UInt64?
    public init(feed: String, name: String, size: UInt64, root: String, forkIndex: UInt64?) {
      self.feed = feed
      self.name = name
      self.size = size
      self.root = root
      self.forkIndex = forkIndex
    }
  }
  public var digest: String
  public var lines: [Line]
  public init(digest: String, lines: [Line]) {
    self.digest = digest
    self.lines = lines
  }
}

public struct JobRow: Codable, Sendable {
  public var id: String
  public var state: String
  /// The state in words, with names.
  public var words: String
  public var requester: String
  public var requesterKey: String
  public var timeMs: Int64
  public var tasks: UInt32
  /// Whose move it is, in words.
  public var move: String
  public init(
    id: String, state: String, words: String, requester: String, requesterKey: String, timeMs: Int64,
    tasks: UInt32, move: String
  ) {
    self.id = id
    self.state = state
    self.words = words
    self.requester = requester
    self.requesterKey = requesterKey
    self.timeMs = timeMs
    self.tasks = tasks
    self.move = move
  }
}

public struct JobsResult: Codable, Sendable {
  public var jobs: [JobRow]
  public init(jobs: [JobRow]) { self.jobs = jobs }
}

public struct ClaimRow: Codable, Sendable {
  public var id: String
  public var index: UInt32
  public var worker: String
  public var workerKey: String
  public var feed: String
  public var feedIndex: UInt64
  public var grantIndex: UInt64
  public var exit: Int32
  public var units: UInt64
  public var cpuMs: UInt64
  public var wallMs: UInt64
  /// `claimed` or `accepted`
  public var evidence: String
  public var amount: UInt64
  public var refused: Bool
  public init(
    id: String, index: UInt32, worker: String, workerKey: String, feed: String, feedIndex: UInt64,
    grantIndex: UInt64, exit: Int32, units: UInt64, cpuMs: UInt64, wallMs: UInt64, evidence: String,
    amount: UInt64, refused: Bool
  ) {
    self.id = id
    self.index = index
    self.worker = worker
    self.workerKey = workerKey
    self.feed = feed
    self.feedIndex = feedIndex
    self.grantIndex = grantIndex
    self.exit = exit
    self.units = units
    self.cpuMs = cpuMs
    self.wallMs = wallMs
    self.evidence = evidence
    self.amount = amount
    self.refused = refused
  }
}

public struct TimelineRow: Codable, Sendable {
  public var id: String
  public var author: String
  public var timeMs: Int64
  public var index: UInt32?
  public var text: String
  public init(id: String, author: String, timeMs: Int64, index: UInt32?, text: String) {
    self.id = id
    self.author = author
    self.timeMs = timeMs
    self.index = index
    self.text = text
  }
}

public struct RefusalRow: Codable, Sendable {
  public var host: String
  public var reason: String
  public init(host: String, reason: String) {
    self.host = host
    self.reason = reason
  }
}

public struct JobResult: Codable, Sendable {
  public var job: JobRow
  public var feed: String
  public var feedIndex: UInt64
  public var claims: [ClaimRow]
  public var acceptances: [AcceptanceRow]
  public var timeline: [TimelineRow]
  /// What this requester does about it now; absent for jobs of others and for settled ones.
  public var stage: String?
  public var refusals: [RefusalRow]
  public init(
    job: JobRow, feed: String, feedIndex: UInt64, claims: [ClaimRow], acceptances: [AcceptanceRow],
    timeline: [TimelineRow], stage: String? = nil, refusals: [RefusalRow]
  ) {
    self.job = job
    self.feed = feed
    self.feedIndex = feedIndex
    self.claims = claims
    self.acceptances = acceptances
    self.timeline = timeline
    self.stage = stage
    self.refusals = refusals
  }
}

/// Where the acceptance of a claim stands.
public struct AcceptanceRow: Codable, Sendable {
  public var id: String
  public var feed: String
  public var feedIndex: UInt64
  public var claim: String
  public var amount: UInt64
  public init(id: String, feed: String, feedIndex: UInt64, claim: String, amount: UInt64) {
    self.id = id
    self.feed = feed
    self.feedIndex = feedIndex
    self.claim = claim
    self.amount = amount
  }
}

public struct PostResult: Codable, Sendable {
  public var id: String
  public var feed: String
  public var index: UInt64
  public init(id: String, feed: String, index: UInt64) {
    self.id = id
    self.feed = feed
    self.index = index
  }
}

public struct RecordResult: Codable, Sendable {
  public var id: String
  public var feed: String
  public var index: UInt64
  public var durable: Bool
  public var released: Bool
  public init(id: String, feed: String, index: UInt64, durable: Bool, released: Bool) {
    self.id = id
    self.feed = feed
    self.index = index
    self.durable = durable
    self.released = released
  }
}

public struct RecordRow: Codable, Sendable {
  public var id: String
  public var author: String
  public var timeMs: Int64
  public var feed: String
  public var index: UInt64
  public init(id: String, author: String, timeMs: Int64, feed: String, index: UInt64) {
    self.id = id
    self.author = author
    self.timeMs = timeMs
    self.feed = feed
    self.index = index
  }
}

public struct RecordsResult: Codable, Sendable {
  public var records: [RecordRow]
  public init(records: [RecordRow]) { self.records = records }
}

public struct BlobRow: Codable, Hashable, Sendable {
  public var cid: String
  public var size: UInt64
  public init(cid: String, size: UInt64) {
    self.cid = cid
    self.size = size
  }
}

/// The words beside a finished task of this requester.
public struct WordsResult: Codable, Sendable {
  public var work: String
  public var postSalt: String
  public var taskSalt: String
  public var isPublic: Bool
  public var worker: String
  public var workerKey: String
  public var exit: Int32
  public var units: UInt64
  public var stdout: BlobRow
  public var stderr: BlobRow
  public var manifest: Base64Bytes
  public var tree: Base64Bytes
  public init(
    work: String, postSalt: String, taskSalt: String, isPublic: Bool, worker: String, workerKey: String,
    exit: Int32, units: UInt64, stdout: BlobRow, stderr: BlobRow, manifest: Base64Bytes, tree: Base64Bytes
  ) {
    self.work = work
    self.postSalt = postSalt
    self.taskSalt = taskSalt
    self.isPublic = isPublic
    self.worker = worker
    self.workerKey = workerKey
    self.exit = exit
    self.units = units
    self.stdout = stdout
    self.stderr = stderr
    self.manifest = manifest
    self.tree = tree
  }
}

public struct BalanceRow: Codable, Sendable {
  public var debtor: String
  public var creditor: String
  public var unit: String
  public var amount: UInt64
  public init(debtor: String, creditor: String, unit: String, amount: UInt64) {
    self.debtor = debtor
    self.creditor = creditor
    self.unit = unit
    self.amount = amount
  }
}

public struct BalanceResult: Codable, Sendable {
  /// The clock that these sums belong to: equal clocks, equal sums.
  public var clockDigest: String
  public var balances: [BalanceRow]
  public init(clockDigest: String, balances: [BalanceRow]) {
    self.clockDigest = clockDigest
    self.balances = balances
  }
}

public struct LendResult: Codable, Sendable {
  public var on: Bool
  public var cores: UInt16
  public var memMb: UInt32
  public var diskMb: UInt32
  public var slots: UInt16
  public var worker: String
  public init(on: Bool, cores: UInt16, memMb: UInt32, diskMb: UInt32, slots: UInt16, worker: String) {
    self.on = on
    self.cores = cores
    self.memMb = memMb
    self.diskMb = diskMb
    self.slots = slots
    self.worker = worker
  }
}

public struct TrustRow: Codable, Sendable {
  public var name: String
  public var key: String
  public var relation: String
  public var owner: String?
  public init(name: String, key: String, relation: String, owner: String?) {
    self.name = name
    self.key = key
    self.relation = relation
    self.owner = owner
  }
}

public struct InviteResult: Codable, Sendable {
  public var url: String
  public init(url: String) { self.url = url }
}

public struct StagingResult: Codable, Sendable {
  public var staging: UInt64
  public init(staging: UInt64) { self.staging = staging }
}

public struct LeafResult: Codable, Sendable {
  public var cid: String
  public var size: UInt64
  public var leaf: UInt32
  public var data: Base64Bytes
  public init(cid: String, size: UInt64, leaf: UInt32, data: [UInt8]) {
    self.cid = cid
    self.size = size
    self.leaf = leaf
    self.data = Base64Bytes(data)
  }
}

public struct BlobStatResult: Codable, Sendable {
  public var cid: String
  public var size: UInt64
  public var complete: Bool
  public init(cid: String, size: UInt64, complete: Bool) {
    self.cid = cid
    self.size = size
    self.complete = complete
  }
}

public struct SubscribeResult: Codable, Sendable {
  public var subscription: UInt64
  public init(subscription: UInt64) { self.subscription = subscription }
}

public struct GoOnResult: Codable, Sendable {
  public var goOn: Bool
  public init(goOn: Bool) { self.goOn = goOn }
}

/// A task for the worker process.
public struct WorkerTaskResult: Codable, Sendable {
  public var task: TaskName
  public var requester: String
  public var work: String
  public var cpuS: UInt32
  public var wallS: UInt32
  public var memMb: UInt32
  public var diskMb: UInt32
  public var outMb: UInt32
  public var procs: UInt16
  public var mostUnits: UInt64
  /// Whether the manifest names standard output too. Absent: no.
  public var agreeStdout: Bool?
  public init(
    task: TaskName, requester: String, work: String, cpuS: UInt32, wallS: UInt32, memMb: UInt32,
    diskMb: UInt32, outMb: UInt32, procs: UInt16, mostUnits: UInt64
  ) {
    self.task = task
    self.requester = requester
    self.work = work
    self.cpuS = cpuS
    self.wallS = wallS
    self.memMb = memMb
    self.diskMb = diskMb
    self.outMb = outMb
    self.procs = procs
    self.mostUnits = mostUnits
  }
}

/// Notification `event`: something happened.
public struct EventNotice: Codable, Sendable {
  public var subscription: UInt64
  public var type: String
  public var text: String
  public var id: String?
  public var index: UInt32?
  public var stage: String?
  public var host: String?
  public var stream: UInt8?
  public var offset: UInt64?
  public var data: Base64Bytes?
  public var exit: Int32?
  /// Events of this subscription that were dropped before this one, because the client read too slowly.
  public var dropped: UInt64?
  public init(subscription: UInt64, type: String, text: String) {
    self.subscription = subscription
    self.type = type
    self.text = text
  }
}
