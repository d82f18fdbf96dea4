// Owns: what the methods about jobs, words and balances answer. Fields are only ever added within one major
// version.

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
