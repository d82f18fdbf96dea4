// Owns: what each method of the admin socket is given. Names on the wire are snake_case. Keys of hosts are `tal1…`
// text, a petname or a unique prefix of either; IDs are hexadecimal, or any unique prefix.

public struct HelloParams: Codable, Sendable {
  public var client: String?
  public var role: Role?
  public init(client: String? = nil, role: Role? = nil) {
    self.client = client
    self.role = role
  }
}

public struct NoParams: Codable, Sendable {
  public init() {}
}

public struct HostParams: Codable, Sendable {
  public var host: String
  public init(host: String) { self.host = host }
}

public struct LookupParams: Codable, Sendable {
  /// A host, or the 64 hexadecimal digits of a node ID.
  public var target: String
  public init(target: String) { self.target = target }
}

public struct LastParams: Codable, Sendable {
  public var last: Int?
  public init(last: Int? = nil) { self.last = last }
}

public struct FeedParams: Codable, Sendable {
  /// A feed's ID or prefix, or a host: its newest feed. Absent: the own feed.
  public var feed: String?
  public init(feed: String? = nil) { self.feed = feed }
}

public struct EntriesParams: Codable, Sendable {
  public var feed: String?
  public var from: UInt64?
  public var to: UInt64?
  public init(feed: String? = nil, from: UInt64? = nil, to: UInt64? = nil) {
    self.feed = feed
    self.from = from
    self.to = to
  }
}

public struct ProofParams: Codable, Sendable {
  public var feed: String
  public var index: UInt64
  public init(feed: String, index: UInt64) {
    self.feed = feed
    self.index = index
  }
}

public struct JobParams: Codable, Sendable {
  public var id: String
  /// The task of a job that has several.
  public var index: UInt32?
  public init(id: String, index: UInt32? = nil) {
    self.id = id
    self.index = index
  }
}

public struct DecideParams: Codable, Sendable {
  public var id: String
  public var index: UInt32?
  public var accept: Bool
  public init(id: String, index: UInt32? = nil, accept: Bool) {
    self.id = id
    self.index = index
    self.accept = accept
  }
}

public struct PostParams: Codable, Sendable {
  /// Canonical JSON of the work, as text.
  public var work: String
  public var tasks: UInt32?
  public var unit: String?
  public var mostUnits: UInt64?
  public var cpuS: UInt32?
  public var wallS: UInt32?
  public var memMb: UInt32?
  public var diskMb: UInt32?
  public var outMb: UInt32?
  public var procs: UInt16?
  public var isPublic: Bool?
  public var hold: Bool?
  public var local: Bool?
  public init(work: String) { self.work = work }
}

public struct RecordParams: Codable, Sendable {
  public var words: Base64Bytes
  public var isPublic: Bool?
  /// `durable` (default) or `released`.
  public var wait: String?
  public init(words: [UInt8], isPublic: Bool = false, wait: String? = nil) {
    self.words = Base64Bytes(words)
    self.isPublic = isPublic
    self.wait = wait
  }
}

public struct LendParams: Codable, Sendable {
  public var on: Bool?
  public var cores: UInt16?
  public var memMb: UInt32?
  public var diskMb: UInt32?
  public var slots: UInt16?
  public init(on: Bool? = nil) { self.on = on }
}

public struct TrustParams: Codable, Sendable {
  public var host: String
  /// `trusted`, `member` or `blocked`; absent: only shows.
  public var relation: String?
  /// The trust root that the key belongs to, in the reader's own words.
  public var owner: String?
  /// The reader's own name for the host.
  public var name: String?
  public init(host: String, relation: String? = nil, owner: String? = nil, name: String? = nil) {
    self.host = host
    self.relation = relation
    self.owner = owner
    self.name = name
  }
}

public struct InviteParams: Codable, Sendable {
  /// The address that the invited host dials; absent: the first advertised one.
  public var host: String?
  public init(host: String? = nil) { self.host = host }
}

public struct JoinParams: Codable, Sendable {
  public var url: String
  public init(url: String) { self.url = url }
}

public struct StagingParams: Codable, Sendable {
  public var staging: UInt64
  public init(staging: UInt64) { self.staging = staging }
}

public struct BlobPutParams: Codable, Sendable {
  public var staging: UInt64
  /// One leaf: 64 KiB, only the last of a blob is shorter.
  public var data: Base64Bytes
  public init(staging: UInt64, data: [UInt8]) {
    self.staging = staging
    self.data = Base64Bytes(data)
  }
}

public struct BlobGetParams: Codable, Sendable {
  public var cid: String
  public var leaf: UInt32
  /// For a worker: the task in whose name a missing leaf is fetched from its requester.
  public var task: TaskName?
  public init(cid: String, leaf: UInt32, task: TaskName? = nil) {
    self.cid = cid
    self.leaf = leaf
    self.task = task
  }
}

public struct BlobParams: Codable, Sendable {
  public var cid: String
  public init(cid: String) { self.cid = cid }
}

public struct SubscribeParams: Codable, Sendable {
  /// `job`, `member`, `entry`, `ledger`, `refused`; absent: all.
  public var types: [String]?
  public init(types: [String]? = nil) { self.types = types }
}

public struct TaskName: Codable, Hashable, Sendable {
  public var post: String
  public var index: UInt32
  public var attempt: UInt16
  public init(post: String, index: UInt32, attempt: UInt16) {
    self.post = post
    self.index = index
    self.attempt = attempt
  }
}

// The worker process.

public struct WorkerHelloParams: Codable, Sendable {
  /// `x86_64` or `aarch64`.
  public var arch: String
  public var native: Bool
  public var wasm: Bool
  public var limitsBy: String
  public var cause: String
  public init(arch: String, native: Bool, wasm: Bool, limitsBy: String, cause: String) {
    self.arch = arch
    self.native = native
    self.wasm = wasm
    self.limitsBy = limitsBy
    self.cause = cause
  }
}

public struct WorkerBeatParams: Codable, Sendable {
  public var task: TaskName
  /// `fetching`, `running` or `collecting`.
  public var stage: String
  public var cpuMs: UInt64
  public init(task: TaskName, stage: String, cpuMs: UInt64) {
    self.task = task
    self.stage = stage
    self.cpuMs = cpuMs
  }
}

public struct WorkerOutputParams: Codable, Sendable {
  public var task: TaskName
  /// 1 stdout, 2 stderr.
  public var stream: UInt8
  public var offset: UInt64
  public var data: Base64Bytes
  public init(task: TaskName, stream: UInt8, offset: UInt64, data: [UInt8]) {
    self.task = task
    self.stream = stream
    self.offset = offset
    self.data = Base64Bytes(data)
  }
}

public struct WorkerDoneParams: Codable, Sendable {
  public var task: TaskName
  /// The reason's name when the task was not finished: `timeout`, `memory`, …
  public var failed: String?
  public var exit: Int32?
  public var units: UInt64?
  public var rootMade: Bool?
  public var stdout: BlobRow?
  public var stderr: BlobRow?
  public var manifest: Base64Bytes?
  public var tree: Base64Bytes?
  public var cpuMs: UInt64
  public var wallMs: UInt64
  public init(task: TaskName, cpuMs: UInt64, wallMs: UInt64) {
    self.task = task
    self.cpuMs = cpuMs
    self.wallMs = wallMs
  }
}
