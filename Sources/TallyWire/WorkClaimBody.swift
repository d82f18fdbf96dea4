// Owns: the body of `work.claim` (kind 5). Its one link names the grant, which names task, attempt and worker.

import TallyBase

/// Under what the work ran.
public enum SandboxKind: UInt8, Hashable, Sendable, CaseIterable {
  case bubblewrap = 1
  case wasm = 2
  /// A bridge to another system that says it isolates.
  case other = 3
  case none = 4

  public var word: String {
    switch self {
    case .bubblewrap: "bubblewrap"
    case .wasm: "wasm"
    case .other: "another system's"
    case .none: "none"
    }
  }
}

/// Where the worker had the root from.
public enum RootOrigin: UInt8, Hashable, Sendable, CaseIterable {
  /// The worker's own system.
  case host = 0
  /// Built by the worker from the recipe.
  case made = 1
  /// Fetched from the requester or another holder.
  case fetched = 2

  public var word: String {
    switch self {
    case .host: "the host's own"
    case .made: "made by the worker"
    case .fetched: "fetched"
    }
  }
}

/// | offset | size | field |
/// |---|---|---|
/// | 0 | 32 | digest = SHA-256(task salt ‖ manifest) |
/// | 32 | 4 | exit i32 |
/// | 36 | 5 | units |
/// | 41 | 1 | sandbox |
/// | 42 | 1 | root |
/// | 43 | 5 | cpu ms |
/// | 48 | 5 | wall ms |
/// | 53 | 5 | bytes fetched |
/// | 58 | 5 | bytes delivered |
public struct WorkClaimBody: Hashable, Sendable {
  public let digest: Digest
  /// 0 … 255, or minus the signal's number.
  public let exit: Int32
  /// In the post's unit, below 2^40.
  public let units: UInt64
  public let sandbox: SandboxKind
  public let root: RootOrigin
  /// Milliseconds, below 2^40, as measured by the worker.
  public let cpuMs: UInt64
  public let wallMs: UInt64
  /// Bytes moved for this task, below 2^40.
  public let bytesFetched: UInt64
  public let bytesDelivered: UInt64

  /// Numbers beyond their range are our own mistake and trap: clamp what was measured first.
  public init(
    digest: Digest, exit: Int32, units: UInt64, sandbox: SandboxKind, root: RootOrigin, cpuMs: UInt64,
    wallMs: UInt64, bytesFetched: UInt64 = 0, bytesDelivered: UInt64 = 0
  ) {
    precondition(WorkLimits.exitCodes.contains(exit), "exit code \(exit)")
    self.digest = digest
    self.exit = exit
    self.units = units
    self.sandbox = sandbox
    self.root = root
    self.cpuMs = cpuMs
    self.wallMs = wallMs
    self.bytesFetched = bytesFetched
    self.bytesDelivered = bytesDelivered
  }

  public func encode() -> [UInt8] {
    var writer = ByteWriter(capacity: 63)
    writer.named(digest)
    writer.i32(exit)
    writer.u40(units)
    writer.u8(sandbox.rawValue)
    writer.u8(root.rawValue)
    writer.u40(cpuMs)
    writer.u40(wallMs)
    writer.u40(bytesFetched)
    writer.u40(bytesDelivered)
    return writer.bytes
  }

  public static func decode(_ bytes: [UInt8]) throws(DecodeError) -> WorkClaimBody {
    var reader = ByteReader(bytes)
    let digest = try reader.named(Digest.self)
    let exit = try reader.exitCode()
    let units = try reader.u40()
    let sandboxCode = try reader.u8()
    guard let sandbox = SandboxKind(rawValue: sandboxCode) else {
      throw .unknown(field: "sandbox", value: Int(sandboxCode))
    }
    let rootCode = try reader.u8()
    guard let root = RootOrigin(rawValue: rootCode) else { throw .unknown(field: "root", value: Int(rootCode)) }
    let body = WorkClaimBody(
      digest: digest, exit: exit, units: units, sandbox: sandbox, root: root, cpuMs: try reader.u40(),
      wallMs: try reader.u40(), bytesFetched: try reader.u40(), bytesDelivered: try reader.u40())
    try reader.finish()
    return body
  }
}
