// Owns: how a job ended and what it used. Refuses to know: what that is worth.

/// Why a job is over. Exactly one, the first that was seen.
public enum SandboxReason: Hashable, Sendable {
  /// By itself, with this code.
  case exited(Int32)
  /// By a signal that nobody here sent.
  case signal(Int32)
  case wallTime
  case cpuTime
  case memory
  /// /build, /tmp, /dev/shm or /out full, a file larger than any limit, or too many files.
  case disk
  case processes
  /// Standard output and standard error together passed their limit.
  case output
  case cancelled(StopReason)
  /// Nothing ran, and why.
  case sandboxUnavailable(String)

  /// The code that a shell would show: the job's own, or 128 + signal; nil when the job was stopped from outside.
  public var exitCode: Int32? {
    switch self {
    case .exited(let code): code
    case .signal(let number): 128 + number
    default: nil
    }
  }

  /// One word for records and tables.
  public var word: String {
    switch self {
    case .exited: "exited"
    case .signal: "signal"
    case .wallTime: "wall-time"
    case .cpuTime: "cpu-time"
    case .memory: "memory"
    case .disk: "disk"
    case .processes: "processes"
    case .output: "output"
    case .cancelled: "cancelled"
    case .sandboxUnavailable: "sandbox-unavailable"
    }
  }
}

/// What the whole tree of a job's processes used.
public struct SandboxUsage: Hashable, Sendable {
  /// User and system time, ended processes included.
  public var cpuMs: UInt64 = 0
  public var wallMs: UInt64 = 0
  /// The largest of: one process' resident size as the kernel kept it, the tree's private pages as sampled.
  public var residentMaxKiB: UInt64 = 0
  /// Most processes and threads seen at one time.
  public var processCountMax: UInt64 = 0
  /// Bytes of standard output and standard error.
  public var outputBytes: UInt64 = 0
}

/// Which mechanism holds a limit.
public struct LimitsBy: Hashable, Sendable, CustomStringConvertible {
  /// 2, 1, or nil when no control group is used.
  public var groupVersion: Int?
  /// `memory`, `pids`: what the groups hold; the rest is held by rlimits and by measuring.
  public var controllers: [String] = []

  public var description: String {
    guard let groupVersion, !controllers.isEmpty else { return "rlimits" }
    return "cgroup v\(groupVersion) (\(controllers.joined(separator: ", "))) and rlimits"
  }
}

public struct SandboxOutcome: Sendable {
  public let reason: SandboxReason
  public let usage: SandboxUsage
  public let limitsBy: LimitsBy
  /// The job's /out, a tmpfs that nobody else can reach and that is gone when this value is.
  public let out: Descriptor
}

/// Which of the job's two streams bytes came from.
public enum OutputStream: UInt8, Hashable, Sendable {
  case output = 1
  case error = 2
}
