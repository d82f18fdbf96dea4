// Owns: what is asked of a sandbox: one command in one root with inputs and limits. DESIGN 10 "Layout in the sandbox".
// Refuses to know: who asked, tasks, blobs.

/// The limits of one job. Every value is at least 1 and at most `WorkerLimits.limitValueMax`.
public struct SandboxLimits: Hashable, Sendable {
  /// Processor seconds of all the job's processes together.
  public var cpuSeconds: UInt64
  /// Seconds from the job's first instruction.
  public var wallSeconds: UInt64
  /// MiB resident in all the job's processes together, what they share with files left out.
  public var memoryMiB: UInt64
  /// MiB in /build, /tmp and /dev/shm together.
  public var diskMiB: UInt64
  /// MiB in /out; and again for standard output and standard error together.
  public var outputMiB: UInt64
  /// Processes and threads that exist at one time.
  public var processCount: UInt64

  public init(
    cpuSeconds: UInt64, wallSeconds: UInt64, memoryMiB: UInt64, diskMiB: UInt64, outputMiB: UInt64,
    processCount: UInt64
  ) {
    self.cpuSeconds = cpuSeconds
    self.wallSeconds = wallSeconds
    self.memoryMiB = memoryMiB
    self.diskMiB = diskMiB
    self.outputMiB = outputMiB
    self.processCount = processCount
  }
}

/// One file or directory of this machine that the job sees read-only as `/in/<at>`.
public struct SandboxInput: Hashable, Sendable {
  /// A relative path without `.` and `..`.
  public var at: String
  public var path: String

  public init(at: String, path: String) {
    self.at = at
    self.path = path
  }
}

/// One job as the sandbox sees it.
public struct SandboxSpec: Hashable, Sendable {
  /// The command and its words; the command is looked up in PATH inside the root.
  public var arguments: [String]
  /// Added to the fixed environment, and overriding it.
  public var environment: [(name: String, value: String)] {
    get { zip(environmentNames, environmentValues).map { (name: $0, value: $1) } }
    set {
      environmentNames = newValue.map(\.name)
      environmentValues = newValue.map(\.value)
    }
  }
  /// An unpacked root: a directory with `in out build tmp dev proc` in it. Only read.
  public var root: String
  public var inputs: [SandboxInput] = []
  /// A regular file; nil = /dev/null.
  public var standardInput: String?
  public var limits: SandboxLimits
  /// The processors that the job may run on; empty = all that the worker may.
  public var processors: [Int] = []
  /// SOURCE_DATE_EPOCH, seconds since 1970.
  public var epoch: Int64 = 315_532_800
  /// TALLY_INDEX: which task of a map this is.
  public var index: UInt32 = 0
  /// SCHED_IDLE: runs only when nobody else wants the processor.
  public var isIdle = false

  private var environmentNames: [String] = []
  private var environmentValues: [String] = []

  public init(arguments: [String], root: String, limits: SandboxLimits) {
    self.arguments = arguments
    self.root = root
    self.limits = limits
  }
}

/// Why a caller stops a job.
public enum StopReason: String, Hashable, Sendable {
  case cancelled, leaseLost, ownerNeedsMachine, shuttingDown
}
