// Owns: the layouts of unlogged dealings between a requester and a worker (messages 0x40 to 0x47): who can take a task,
// what it is, how it goes, what came out. Every one of them travels on a TCP link, sealed by its session.
// Refuses to know: leases, timers, sandboxes. DESIGN section 10.
import TallyBase

/// Limits of the exchange's layouts.
public enum ExchangeWireLimits {
  /// Bytes of canonical work JSON.
  public static let workSizeMax = 16 * 1024
  /// Bytes of output carried by one OUTPUT message.
  public static let outputSizeMax = 32 * 1024
  /// Bytes of a manifest or of a tree text carried by one RESULT message; both together fit one frame with room left.
  public static let manifestSizeMax = 24 * 1024
  public static let treeSizeMax = 32 * 1024
}

/// One task of one job: the entry that posted it, and its index in the job.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 32 | entry ID of `job.post` |
/// | 32 | 4 | index u32 |
@frozen
public struct TaskID: Hashable, Comparable, Sendable {
  public let post: EntryID
  public let index: UInt32

  public init(post: EntryID, index: UInt32) {
    self.post = post
    self.index = index
  }

  public static func < (left: TaskID, right: TaskID) -> Bool { (left.post, left.index) < (right.post, right.index) }

  public init(from reader: inout ByteReader) throws(DecodeError) {
    post = try reader.named()
    index = try reader.u32()
  }

  public func write(to writer: inout ByteWriter) {
    writer.named(post)
    writer.u32(index)
  }

  /// 36 bytes: the key of this task in the store's small tables.
  public var bytes: [UInt8] {
    var writer = ByteWriter(capacity: 36)
    write(to: &writer)
    return writer.bytes
  }
}

/// Why a host does not take a task. Numbers are for ever.
public enum BidRefusal: UInt8, Sendable, CaseIterable {
  case notLending = 1
  case notTrusted = 2
  case busy = 3
  case architecture = 4
  case cores = 5
  case memory = 6
  case disk = 7
  case sandbox = 8
  case noWorker = 9
  case blocked = 10

  /// In a person's words, for `tally why`.
  public var text: String {
    switch self {
    case .notLending: "lends nothing (tally lend on that host)"
    case .notTrusted: "does not trust this requester with native jobs (tally trust NAME on that host)"
    case .busy: "is busy"
    case .architecture: "has another processor architecture"
    case .cores: "has fewer cores than the task asks for"
    case .memory: "has less memory than the task asks for"
    case .disk: "has less disk than the task asks for"
    case .sandbox: "has no working sandbox for this kind of job"
    case .noWorker: "has no worker process running"
    case .blocked: "has blocked this requester"
    }
  }
}

/// What a task needs of a host, without what it is.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 8 | ask number u64, the asker's own |
/// | 8 | 36 | task |
/// | 44 | 1 | architecture: 1 x86-64, 2 aarch64 |
/// | 45 | 1 | sandbox: 1 native, 2 WASM |
/// | 46 | 2 | cores u16 |
/// | 48 | 4 | memory MiB u32 |
/// | 52 | 4 | disk MiB u32 |
/// | 56 | 4 | wall seconds u32 |
public struct AskMessage: Hashable, Sendable {
  public var ask: UInt64
  public var task: TaskID
  public var architecture: UInt8
  public var sandbox: UInt8
  public var cores: UInt16
  public var memoryMiB: UInt32
  public var diskMiB: UInt32
  public var wallSeconds: UInt32

  public init(
    ask: UInt64, task: TaskID, architecture: UInt8, sandbox: UInt8, cores: UInt16, memoryMiB: UInt32, diskMiB: UInt32,
    wallSeconds: UInt32
  ) {
    self.ask = ask
    self.task = task
    self.architecture = architecture
    self.sandbox = sandbox
    self.cores = cores
    self.memoryMiB = memoryMiB
    self.diskMiB = diskMiB
    self.wallSeconds = wallSeconds
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    ask = try reader.u64()
    task = try TaskID(from: &reader)
    architecture = try reader.u8()
    sandbox = try reader.u8()
    guard (1...2).contains(sandbox) else { throw .unknown(field: "ask.sandbox", value: Int(sandbox)) }
    cores = try reader.u16()
    memoryMiB = try reader.u32()
    diskMiB = try reader.u32()
    wallSeconds = try reader.u32()
    try reader.finish()
  }

  /// The whole message, type byte included.
  public var message: [UInt8] {
    var writer = ByteWriter(capacity: 64)
    writer.u8(MessageType.ask.rawValue)
    writer.u64(ask)
    task.write(to: &writer)
    writer.u8(architecture)
    writer.u8(sandbox)
    writer.u16(cores)
    writer.u32(memoryMiB)
    writer.u32(diskMiB)
    writer.u32(wallSeconds)
    return writer.bytes
  }
}

/// The answer to an ask: a promise that holds for ten seconds, or a reason.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 8 | ask number u64 |
/// | 8 | 1 | 0 = yes, else the refusal |
/// | 9 | 4 | milliseconds until it could start u32; 0 in a refusal |
public struct BidMessage: Hashable, Sendable {
  public var ask: UInt64
  public var refusal: BidRefusal?
  public var startMs: UInt32

  public init(ask: UInt64, refusal: BidRefusal?, startMs: UInt32) {
    self.ask = ask
    self.refusal = refusal
    self.startMs = refusal == nil ? startMs : 0
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    ask = try reader.u64()
    let code = try reader.u8()
    if code == 0 {
      refusal = nil
    } else {
      guard let known = BidRefusal(rawValue: code) else { throw .unknown(field: "bid.refusal", value: Int(code)) }
      refusal = known
    }
    startMs = try reader.u32()
    if refusal != nil && startMs != 0 { throw .notCanonical(field: "bid.start") }
    try reader.finish()
  }

  public var message: [UInt8] {
    var writer = ByteWriter(capacity: 14)
    writer.u8(MessageType.bid.rawValue)
    writer.u64(ask)
    writer.u8(refusal?.rawValue ?? 0)
    writer.u32(startMs)
    return writer.bytes
  }
}

/// The words beside a `lease.grant`: what the work is, and the salts that open its commitments. Repeating it is
/// harmless: a worker that runs the task answers with BEAT, one that has finished it with RESULT.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 36 | task |
/// | 36 | 4 | attempt u32 |
/// | 40 | 32 | feed of the requester |
/// | 72 | 8 | index of `job.post` u64 |
/// | 80 | 8 | index of `lease.grant` u64 |
/// | 88 | 32 | post salt |
/// | 120 | 32 | task salt |
/// | 152 | 2+n | canonical work JSON, counted by u16, ≤ 16 KiB |
public struct LeaseMessage: Hashable, Sendable {
  public var task: TaskID
  public var attempt: UInt32
  public var feed: FeedID
  public var postIndex: UInt64
  public var grantIndex: UInt64
  public var postSalt: Bytes32
  public var taskSalt: Bytes32
  public var work: [UInt8]

  public init(
    task: TaskID, attempt: UInt32, feed: FeedID, postIndex: UInt64, grantIndex: UInt64, postSalt: Bytes32,
    taskSalt: Bytes32, work: [UInt8]
  ) {
    self.task = task
    self.attempt = attempt
    self.feed = feed
    self.postIndex = postIndex
    self.grantIndex = grantIndex
    self.postSalt = postSalt
    self.taskSalt = taskSalt
    self.work = work
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    task = try TaskID(from: &reader)
    attempt = try reader.u32()
    feed = try reader.named()
    postIndex = try reader.u64()
    grantIndex = try reader.u64()
    postSalt = try reader.bytes32()
    taskSalt = try reader.bytes32()
    let count = Int(try reader.u16())
    guard count <= ExchangeWireLimits.workSizeMax else {
      throw .aboveLimit(field: "lease.work", value: count, limit: ExchangeWireLimits.workSizeMax)
    }
    work = try reader.take(count)
    try reader.finish()
  }

  public var message: [UInt8] {
    var writer = ByteWriter(capacity: 160 + work.count)
    writer.u8(MessageType.lease.rawValue)
    task.write(to: &writer)
    writer.u32(attempt)
    writer.named(feed)
    writer.u64(postIndex)
    writer.u64(grantIndex)
    writer.bytes32(postSalt)
    writer.bytes32(taskSalt)
    writer.counted16(work)
    return writer.bytes
  }
}

/// How far a worker is with a leased task. Sent every 5 s and at each change.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 36 | task |
/// | 36 | 4 | attempt u32 |
/// | 40 | 1 | stage |
/// | 41 | 8 | CPU milliseconds used u64 |
public struct BeatMessage: Hashable, Sendable {
  public enum Stage: UInt8, Sendable {
    /// Waits for the entries of the lease, or for the worker process.
    case waiting = 1
    case fetching = 2
    case running = 3
    case collecting = 4
    /// A claim or a failure is in the worker's feed.
    case done = 5
    /// The worker knows nothing of this task: it was lost in a crash.
    case unknown = 6
  }
  public var task: TaskID
  public var attempt: UInt32
  public var stage: Stage
  public var cpuMs: UInt64

  public init(task: TaskID, attempt: UInt32, stage: Stage, cpuMs: UInt64) {
    self.task = task
    self.attempt = attempt
    self.stage = stage
    self.cpuMs = cpuMs
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    task = try TaskID(from: &reader)
    attempt = try reader.u32()
    let code = try reader.u8()
    guard let stage = Stage(rawValue: code) else { throw .unknown(field: "beat.stage", value: Int(code)) }
    self.stage = stage
    cpuMs = try reader.u64()
    try reader.finish()
  }

  public var message: [UInt8] {
    var writer = ByteWriter(capacity: 50)
    writer.u8(MessageType.beat.rawValue)
    task.write(to: &writer)
    writer.u32(attempt)
    writer.u8(stage.rawValue)
    writer.u64(cpuMs)
    return writer.bytes
  }
}

/// A piece of what a running job prints. Unlogged; the whole is kept by the worker as a blob.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 36 | task |
/// | 36 | 4 | attempt u32 |
/// | 40 | 1 | stream: 1 stdout, 2 stderr |
/// | 41 | 8 | offset of the first byte in that stream u64 |
/// | 49 | n | 1 to 32,768 bytes |
public struct OutputMessage: Hashable, Sendable {
  public var task: TaskID
  public var attempt: UInt32
  public var stream: UInt8
  public var offset: UInt64
  public var bytes: [UInt8]

  public init(task: TaskID, attempt: UInt32, stream: UInt8, offset: UInt64, bytes: [UInt8]) {
    self.task = task
    self.attempt = attempt
    self.stream = stream
    self.offset = offset
    self.bytes = bytes
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    task = try TaskID(from: &reader)
    attempt = try reader.u32()
    stream = try reader.u8()
    guard (1...2).contains(stream) else { throw .unknown(field: "output.stream", value: Int(stream)) }
    offset = try reader.u64()
    let count = reader.remaining
    guard count > 0 else { throw .truncated(needed: 1, available: 0) }
    guard count <= ExchangeWireLimits.outputSizeMax else {
      throw .aboveLimit(field: "output.bytes", value: count, limit: ExchangeWireLimits.outputSizeMax)
    }
    bytes = reader.rest()
  }

  public var message: [UInt8] {
    var writer = ByteWriter(capacity: 50 + bytes.count)
    writer.u8(MessageType.output.rawValue)
    task.write(to: &writer)
    writer.u32(attempt)
    writer.u8(stream)
    writer.u64(offset)
    writer.raw(bytes)
    return writer.bytes
  }
}

/// The words beside a `work.claim`: the manifest that its digest hides, and where the files are.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 36 | task |
/// | 36 | 4 | attempt u32 |
/// | 40 | 8 | index of `work.claim` in the worker's feed u64 |
/// | 48 | 32 + 8 | content ID and size of stdout |
/// | 88 | 32 + 8 | content ID and size of stderr |
/// | 128 | 2+n | manifest text, counted by u16, ≤ 24 KiB |
/// | … | 2+n | tree text of /out, counted by u16, ≤ 32 KiB |
public struct ResultMessage: Hashable, Sendable {
  public var task: TaskID
  public var attempt: UInt32
  public var claimIndex: UInt64
  public var stdout: BlobReference
  public var stderr: BlobReference
  public var manifest: [UInt8]
  public var tree: [UInt8]

  public init(
    task: TaskID, attempt: UInt32, claimIndex: UInt64, stdout: BlobReference, stderr: BlobReference,
    manifest: [UInt8], tree: [UInt8]
  ) {
    self.task = task
    self.attempt = attempt
    self.claimIndex = claimIndex
    self.stdout = stdout
    self.stderr = stderr
    self.manifest = manifest
    self.tree = tree
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    task = try TaskID(from: &reader)
    attempt = try reader.u32()
    claimIndex = try reader.u64()
    stdout = try BlobReference(from: &reader)
    stderr = try BlobReference(from: &reader)
    manifest = try Self.counted(&reader, "result.manifest", limit: ExchangeWireLimits.manifestSizeMax)
    tree = try Self.counted(&reader, "result.tree", limit: ExchangeWireLimits.treeSizeMax)
    try reader.finish()
  }

  private static func counted(
    _ reader: inout ByteReader, _ field: StaticStringName, limit: Int
  ) throws(DecodeError) -> [UInt8] {
    let count = Int(try reader.u16())
    guard count <= limit else { throw .aboveLimit(field: field, value: count, limit: limit) }
    return try reader.take(count)
  }

  public var message: [UInt8] {
    var writer = ByteWriter(capacity: 140 + manifest.count + tree.count)
    writer.u8(MessageType.result.rawValue)
    task.write(to: &writer)
    writer.u32(attempt)
    writer.u64(claimIndex)
    stdout.write(to: &writer)
    stderr.write(to: &writer)
    writer.counted16(manifest)
    writer.counted16(tree)
    return writer.bytes
  }
}

/// CANCEL (requester to worker: stop) and SETTLED (requester to worker: accepted or refused, the outputs may go).
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 36 | task |
/// | 36 | 4 | attempt u32 |
public struct TaskNotice: Hashable, Sendable {
  public var task: TaskID
  public var attempt: UInt32

  public init(task: TaskID, attempt: UInt32) {
    self.task = task
    self.attempt = attempt
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    task = try TaskID(from: &reader)
    attempt = try reader.u32()
    try reader.finish()
  }

  public func message(_ type: MessageType) -> [UInt8] {
    precondition(type == .cancel || type == .settled, "not a task notice: \(type.rawValue)")
    var writer = ByteWriter(capacity: 41)
    writer.u8(type.rawValue)
    task.write(to: &writer)
    writer.u32(attempt)
    return writer.bytes
  }
}
