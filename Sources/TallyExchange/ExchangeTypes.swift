// Owns: the values that the exchange trades with the rest of the house: what a client asks for, what a worker process
// is given and hands back, what the operator sees. Refuses to know: sockets, sandboxes, the store.
import TallyBase
import TallyLog
import TallyWire
import TallyWork

/// What a client posts. The daemon has checked `work` against `WorkSpec`; the terms are the client's.
public struct JobRequest: Sendable {
  public var work: [UInt8]
  public var terms: Terms
  /// Words, salts and outputs may be shown to everybody.
  public var isPublic: Bool
  /// A person decides about acceptance, not the daemon.
  public var hold: Bool
  /// The requester's own worker may run it.
  public var local: Bool

  public init(work: [UInt8], terms: Terms, isPublic: Bool, hold: Bool, local: Bool) {
    self.work = work
    self.terms = terms
    self.isPublic = isPublic
    self.hold = hold
    self.local = local
  }
}

/// What this host lends, and to whom. Decided by its owner alone, in the trust file and with `tally lend`.
public struct LendPolicy: Hashable, Sendable {
  public enum Relation: UInt8, Hashable, Sendable { case member, trusted, blocked, me }
  public var lends: Bool
  public var cores: UInt16
  public var memoryMiB: UInt32
  public var diskMiB: UInt32
  /// Tasks that may run at once.
  public var slots: UInt16
  /// Hosts whose relation is not plain membership. Sorted by key.
  public var relations: [PublicKey: Relation]

  public init(
    lends: Bool, cores: UInt16, memoryMiB: UInt32, diskMiB: UInt32, slots: UInt16, relations: [PublicKey: Relation]
  ) {
    self.lends = lends
    self.cores = cores
    self.memoryMiB = memoryMiB
    self.diskMiB = diskMiB
    self.slots = slots
    self.relations = relations
  }

  public static let nothing = LendPolicy(lends: false, cores: 0, memoryMiB: 0, diskMiB: 0, slots: 0, relations: [:])
}

/// What the worker process measured of itself at its start.
public struct WorkerFacts: Hashable, Sendable {
  public var architecture: UInt8
  public var nativeSandbox: Bool
  public var wasmSandbox: Bool
  /// Which mechanism holds the limits: "cgroup v2", "cgroup v1", "rlimits".
  public var limitsBy: String
  /// Why a sandbox is missing, in a person's words; empty when none is.
  public var cause: String

  public init(architecture: UInt8, nativeSandbox: Bool, wasmSandbox: Bool, limitsBy: String, cause: String) {
    self.architecture = architecture
    self.nativeSandbox = nativeSandbox
    self.wasmSandbox = wasmSandbox
    self.limitsBy = limitsBy
    self.cause = cause
  }
}

/// One task for the worker process.
public struct WorkerTask: Hashable, Sendable {
  public var task: TaskID
  public var attempt: UInt16
  public var requester: PublicKey
  public var work: [UInt8]
  public var terms: Terms

  public init(task: TaskID, attempt: UInt16, requester: PublicKey, work: [UInt8], terms: Terms) {
    self.task = task
    self.attempt = attempt
    self.requester = requester
    self.work = work
    self.terms = terms
  }
}

/// How a task ended, as the worker process saw it.
public struct WorkerResult: Hashable, Sendable {
  public var task: TaskID
  public var attempt: UInt16
  public var ending: Ending
  public var cpuMs: UInt64
  public var wallMs: UInt64

  public enum Ending: Hashable, Sendable {
    /// The program ended by itself: its exit code and what it left.
    case finished(
      exit: Int32, units: UInt64, rootMade: Bool, stdout: BlobReference, stderr: BlobReference, manifest: [UInt8],
      tree: [UInt8])
    /// It was stopped, or could not be started.
    case failed(FailReason)
  }

  public init(task: TaskID, attempt: UInt16, ending: Ending, cpuMs: UInt64, wallMs: UInt64) {
    self.task = task
    self.attempt = attempt
    self.ending = ending
    self.cpuMs = cpuMs
    self.wallMs = wallMs
  }
}

/// What can be asked of a requester's job and is not in the log.
public struct JobProgress: Hashable, Sendable {
  public var task: TaskID
  /// In a person's words: "asking 3 hosts", "running on NAME".
  public var stage: RequestStage
  public var worker: PublicKey?
  public var attempt: UInt16
  /// Who was asked last and why not, sorted by key. For `tally why`.
  public var refusals: [Refusal]

  public struct Refusal: Hashable, Sendable {
    public var host: PublicKey
    public var reason: BidRefusal
    public init(host: PublicKey, reason: BidRefusal) {
      self.host = host
      self.reason = reason
    }
  }
}

/// Where a request stands on the requester's side.
public enum RequestStage: Hashable, Sendable {
  case posting
  /// Nobody could take it at the last round; it is asked again with back-off.
  case waiting
  case asking
  case granting
  case leased
  case running
  /// The worker's claim is in the log; its words or files are still on their way.
  case fetching
  /// Everything has arrived and fits; a person decides (`--hold`).
  case held
  case accepting
  case accepted
  case refused
  case failed(FailReason)
  case cancelled

  public var isFinal: Bool {
    switch self {
    case .accepted, .refused, .failed, .cancelled: true
    default: false
    }
  }
}

/// News about a job for whoever watches it. Output bytes are not logged and not repeated.
public enum JobEvent: Sendable {
  case stage(TaskID, RequestStage, worker: PublicKey?)
  case output(TaskID, stream: UInt8, offset: UInt64, bytes: [UInt8])
  /// Accepted: the exit code, what was kept, and where the outputs are.
  case finished(TaskID, JobOutcome)
  /// For the worker's side: a task was given to the worker process, or taken back.
  case leaseTaken(TaskID, requester: PublicKey)
  case leaseCancelled(TaskID)
}

/// What a finished task left, as its requester holds it.
public struct JobOutcome: Hashable, Sendable {
  public var worker: PublicKey
  public var exit: Int32
  public var units: UInt64
  public var stdout: BlobReference
  public var stderr: BlobReference
  public var manifest: [UInt8]
  public var tree: [UInt8]

  public init(
    worker: PublicKey, exit: Int32, units: UInt64, stdout: BlobReference, stderr: BlobReference, manifest: [UInt8],
    tree: [UInt8]
  ) {
    self.worker = worker
    self.exit = exit
    self.units = units
    self.stdout = stdout
    self.stderr = stderr
    self.manifest = manifest
    self.tree = tree
  }
}
