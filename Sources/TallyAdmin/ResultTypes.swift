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

public struct BlobRow: Codable, Hashable, Sendable {
  public var cid: String
  public var size: UInt64
  public init(cid: String, size: UInt64) {
    self.cid = cid
    self.size = size
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
