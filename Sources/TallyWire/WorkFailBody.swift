// Owns: the body of `work.fail` (kind 6). Its one link names the grant.

import TallyBase

/// Why a task was not done. A number is for ever.
public enum FailReason: UInt8, Hashable, Sendable, CaseIterable {
  case timeout = 1
  case memory = 2
  case disk = 3
  case processes = 4
  case output = 5
  case refused = 6
  case sandbox = 7
  case lost = 8
  case cancelled = 9
  case rootUnavailable = 10
  case blobUnavailable = 11
  case `internal` = 12

  /// A sentence's half, for people.
  public var words: String {
    switch self {
    case .timeout: "ran longer than its limit"
    case .memory: "used more memory than its limit"
    case .disk: "wrote more to disk than its limit"
    case .processes: "started more processes than its limit"
    case .output: "wrote more output than its limit"
    case .refused: "was refused by the worker"
    case .sandbox: "found no working sandbox"
    case .lost: "was lost when the worker stopped"
    case .cancelled: "was cancelled"
    case .rootUnavailable: "could not get its root"
    case .blobUnavailable: "could not get its inputs"
    case .internal: "failed inside the worker"
    }
  }

  /// The unit of `limit` and `measured`; empty when they mean nothing.
  public var unit: String {
    switch self {
    case .timeout: "s"
    case .memory, .disk, .output: "MiB"
    case .processes: "processes"
    default: ""
    }
  }
}

/// | offset | size | field |
/// |---|---|---|
/// | 0 | 1 | reason |
/// | 1 | 4 | exit i32 |
/// | 5 | 5 | limit |
/// | 10 | 5 | measured |
/// | 15 | 5 | cpu ms |
/// | 20 | 5 | wall ms |
public struct WorkFailBody: Hashable, Sendable {
  public let reason: FailReason
  /// 0 … 255, or minus the signal's number; 0 when nothing ran.
  public let exit: Int32
  /// The limit that was hit and what was measured against it, in `reason.unit`; below 2^40.
  public let limit: UInt64
  public let measured: UInt64
  public let cpuMs: UInt64
  public let wallMs: UInt64

  public init(
    reason: FailReason, exit: Int32 = 0, limit: UInt64 = 0, measured: UInt64 = 0, cpuMs: UInt64 = 0,
    wallMs: UInt64 = 0
  ) {
    precondition(WorkLimits.exitCodes.contains(exit), "exit code \(exit)")
    self.reason = reason
    self.exit = exit
    self.limit = limit
    self.measured = measured
    self.cpuMs = cpuMs
    self.wallMs = wallMs
  }

  public func encode() -> [UInt8] {
    var writer = ByteWriter(capacity: 25)
    writer.u8(reason.rawValue)
    writer.i32(exit)
    writer.u40(limit)
    writer.u40(measured)
    writer.u40(cpuMs)
    writer.u40(wallMs)
    return writer.bytes
  }

  public static func decode(_ bytes: [UInt8]) throws(DecodeError) -> WorkFailBody {
    var reader = ByteReader(bytes)
    let code = try reader.u8()
    guard let reason = FailReason(rawValue: code) else { throw .unknown(field: "fail reason", value: Int(code)) }
    let body = WorkFailBody(
      reason: reason, exit: try reader.exitCode(), limit: try reader.u40(), measured: try reader.u40(),
      cpuMs: try reader.u40(), wallMs: try reader.u40())
    try reader.finish()
    return body
  }
}
