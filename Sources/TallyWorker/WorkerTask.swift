// Owns: one task as the worker gets it, and what it gives back. Refuses to know: how either travels.

import TallyBase
import TallyWire
import TallyWork

/// One lease's task.
public struct WorkerTask: Hashable, Sendable {
  public var work: WorkSpec
  public var workHash: Digest
  /// Of this task in its post.
  public var index: UInt32
  public var resources: JobResources
  public var agreeOn: AgreeOn

  public init(
    work: WorkSpec, workHash: Digest, index: UInt32, resources: JobResources, agreeOn: AgreeOn = .outputs
  ) {
    self.work = work
    self.workHash = workHash
    self.index = index
    self.resources = resources
    self.agreeOn = agreeOn
  }
}

/// Who wants to know while a task runs. Neither call may block.
public protocol TaskReport {
  func output(_ stream: OutputStream, _ bytes: [UInt8])
  func shouldStop() -> StopReason?
}

/// A report to nobody.
public struct NoReport: TaskReport {
  public init() {}
  public func output(_ stream: OutputStream, _ bytes: [UInt8]) {}
  public func shouldStop() -> StopReason? { nil }
}

/// What a finished job gave: everything that a claim and the words beside it need, but the salt.
public struct TaskOutput: Hashable, Sendable {
  /// 0 … 255, or minus the signal's number.
  public var exit: Int32
  /// The manifest's canonical text; its digest needs the task's salt.
  public var manifest: [UInt8]
  public var tree: [UInt8]
  public var treeReference: BlobReference
  public var standardOutput: BlobReference
  public var standardError: BlobReference
  /// `no files` for an empty /out, else how many.
  public var summary: String
  public var skipped: [[UInt8]]
}

/// How one task went.
public struct TaskResult: Hashable, Sendable {
  public enum Ending: Hashable, Sendable {
    case finished(TaskOutput)
    /// For `work.fail`, with a sentence for people.
    case failed(FailReason, String)
  }
  public var ending: Ending
  /// What the sandbox said; nil when none was started.
  public var reason: SandboxReason?
  public var usage = SandboxUsage()
  public var limitsBy = LimitsBy()
  /// min(measured processor seconds rounded up, the limit).
  public var units: UInt64 = 0
  public var bytesFetched: UInt64 = 0
  public var bytesDelivered: UInt64 = 0
  public var resources: JobResources

  /// The body of the claim; nil for a failure.
  public func claim(salt: Bytes32) -> WorkClaimBody? {
    guard case .finished(let output) = ending else { return nil }
    return WorkClaimBody(
      digest: Manifest.digest(salt: salt, text: output.manifest), exit: output.exit, units: units,
      sandbox: .bubblewrap, root: .fetched, cpuMs: Self.clamped(usage.cpuMs), wallMs: Self.clamped(usage.wallMs),
      bytesFetched: Self.clamped(bytesFetched), bytesDelivered: Self.clamped(bytesDelivered))
  }

  /// The body of the failure; nil for a finished task.
  public func failure() -> WorkFailBody? {
    guard case .failed(let why, _) = ending else { return nil }
    let (limit, measured) = numbers(why)
    return WorkFailBody(
      reason: why, exit: 0, limit: limit, measured: Self.clamped(measured), cpuMs: Self.clamped(usage.cpuMs),
      wallMs: Self.clamped(usage.wallMs))
  }

  private func numbers(_ why: FailReason) -> (limit: UInt64, measured: UInt64) {
    switch why {
    case .timeout where reason == .cpuTime: (UInt64(resources.cpuSeconds), usage.cpuMs / 1000)
    case .timeout: (UInt64(resources.wallSeconds), usage.wallMs / 1000)
    case .memory: (UInt64(resources.memoryMebibytes), usage.residentMaxKiB >> 10)
    case .disk: (UInt64(resources.diskMebibytes), UInt64(resources.diskMebibytes))
    case .processes: (UInt64(resources.processes), usage.processCountMax)
    case .output: (UInt64(resources.outputMebibytes), usage.outputBytes >> 20)
    default: (0, 0)
    }
  }

  private static func clamped(_ value: UInt64) -> UInt64 { min(value, WorkLimits.amountEnd - 1) }
}

extension SandboxReason {
  /// The reason of `work.fail`; nil when the job ended by itself, which is a result whatever its code.
  public var failReason: FailReason? {
    switch self {
    case .exited, .signal: nil
    case .wallTime, .cpuTime: .timeout
    case .memory: .memory
    case .disk: .disk
    case .processes: .processes
    case .output: .output
    case .cancelled(.cancelled), .cancelled(.leaseLost): .cancelled
    case .cancelled(.ownerNeedsMachine), .cancelled(.shuttingDown): .lost
    case .sandboxUnavailable: .sandbox
    }
  }

  /// The manifest's exit: 0 … 255, or minus the signal's number; nil when stopped from outside.
  public var manifestExit: Int32? {
    switch self {
    case .exited(let code): code
    case .signal(let number): -number
    default: nil
    }
  }
}
