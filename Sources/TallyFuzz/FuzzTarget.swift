// Owns: what a fuzz target is: a name, a size, inputs to begin with, and one check whose outcome has a signature.
// Refuses to know: where inputs come from and what is done with a violation.
import TallyBase

/// What became of one input. The text is a signature: equal for inputs that went the same way, so that a new one marks
/// an input worth keeping.
public enum FuzzOutcome: Hashable, Sendable {
  case accepted(String)
  case refused(String)
  /// A property does not hold. (A trap is the other way to fail; the runner's parent sees it.)
  case violated(String)

  public var signature: String {
    switch self {
    case .accepted(let text): "+" + text
    case .refused(let text): "-" + text
    case .violated(let text): "!" + text
    }
  }
}

public struct FuzzTarget: Sendable {
  public let name: String
  /// Bytes of the largest input.
  public let sizeMax: Int
  /// Inputs that are worth mutating, besides the corpus.
  public let seeds: @Sendable () -> [[UInt8]]
  public let check: @Sendable ([UInt8]) -> FuzzOutcome

  init(
    _ name: String, sizeMax: Int, seeds: @escaping @Sendable () -> [[UInt8]] = { [] },
    check: @escaping @Sendable ([UInt8]) -> FuzzOutcome
  ) {
    self.name = name
    self.sizeMax = sizeMax
    self.seeds = seeds
    self.check = check
  }
}

/// Every target, in the order of the report.
public enum FuzzTargets {
  public static let all: [FuzzTarget] =
    WireTargets.all + TextTargets.all + AdminTargets.all + [LinkTargets.frames, LinkTargets.compression]
    + [SessionWorld.target, NodeWorld.target]

  public static func find(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }

  /// A decoder that takes a number in two forms: what finds bugs is tested by one.
  public static let canary: FuzzTarget = WireTargets.codec("canary") { bytes throws(DecodeError) in
    guard bytes.count == 2 else { throw .truncated(needed: 2, available: bytes.count) }
    return bytes[0] == 0x80 ? [0, bytes[1]] : bytes
  }
}
