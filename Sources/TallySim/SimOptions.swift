// Owns: everything that one run varies, drawn from its seed (swarm testing: many faults have probability zero, since
// a mix of few faults finds other bugs than all at once). Refuses to know: how faults are carried out.
import TallyBase
import TallyCrypto

public struct SimOptions: Sendable {
  public var seed: UInt64
  public var scenario: Scenario
  public var hosts: Int
  /// Virtual time after which a run that has not converged has failed, in microseconds.
  public var deadline: Int64
  public var recordsPerHost: Int

  // The network. Percentages of datagrams; TCP shows loss as delay.
  public var lossPercent = 0
  public var duplicatePercent = 0
  /// Flipped bits that a checksum of 16 bits did not see.
  public var corruptPercent = 0
  /// Captured datagrams sent again later from an address that is not their sender's.
  public var spoofPercent = 0
  public var baseDelay: Int64 = 200
  public var meanDelay: Int64 = 300
  /// Bytes per second of one link direction.
  public var bandwidth: Int64 = 12_500_000
  /// A link is reset after about this long; 0 never.
  public var resetMean: Int64 = 0
  public var maxChunk = 65_536
  /// All hosts in one /24, or each in its own.
  public var isOneNetwork = true

  // The hosts.
  public var turnDelay: Int64 = 100
  public var commitMean: Int64 = 1_500
  public var readMean: Int64 = 300
  public var checkMean: Int64 = 200
  public var slowDiskPercent = 0
  public var wallOffsetMs: Int64 = 0
  public var crashes = 0
  public var pauses = 0
  public var hasMeshKey = true

  /// A known-bad change of the model, to show that the checkers see.
  public var mutation = Mutation.none

  public enum Mutation: String, Sendable, CaseIterable {
    case none
    /// The store says `persisted` at once and writes later: a crash loses what was acknowledged.
    case acknowledgesEarly
    /// The network flips a byte of every chunk on links.
    case corruptsLinks
    /// A second process runs on a copy of the first host's directory and nobody was told.
    case runsTwice
    /// A backup is put back, guard file and all, and whom to ask is forgotten: nothing can be noticed.
    case restoresSilently
  }

  public init(seed: UInt64, scenario: Scenario, hosts: Int? = nil) {
    self.seed = seed
    self.scenario = scenario
    self.hosts = hosts ?? scenario.defaultHosts
    deadline = scenario.deadlineSeconds * 1_000_000
    recordsPerHost = scenario.recordsPerHost
    var generator = Generator(seed: Blake2b.hash256(tag: "tally-sim/options", [Self.bytes(seed)]), stream: 0)
    draw(&generator)
    scenario.adjust(&self)
  }

  static func bytes(_ seed: UInt64) -> [UInt8] {
    var writer = ByteWriter(capacity: 8)
    writer.u64(seed)
    return writer.bytes
  }

  private mutating func draw(_ generator: inout Generator) {
    let choose = { (generator: inout Generator, values: [Int64]) in values[generator.below(values.count)] }
    lossPercent = Int(choose(&generator, [0, 0, 0, 1, 5, 10, 20]))
    duplicatePercent = Int(choose(&generator, [0, 0, 0, 2, 10, 30]))
    corruptPercent = Int(choose(&generator, [0, 0, 0, 1, 3]))
    spoofPercent = Int(choose(&generator, [0, 0, 0, 5]))
    baseDelay = choose(&generator, [30, 200, 1_000, 20_000])
    meanDelay = choose(&generator, [10, 300, 3_000, 15_000])
    bandwidth = choose(&generator, [125_000, 1_250_000, 12_500_000, 125_000_000])
    resetMean = choose(&generator, [0, 0, 0, 20_000_000, 60_000_000])
    maxChunk = Int(choose(&generator, [65_536, 65_536, 1_448, 97]))
    isOneNetwork = generator.percent(50)
    turnDelay = choose(&generator, [0, 20, 200, 2_000])
    commitMean = choose(&generator, [300, 1_500, 8_000, 40_000])
    readMean = choose(&generator, [100, 300, 4_000])
    checkMean = choose(&generator, [100, 200, 5_000])
    slowDiskPercent = Int(choose(&generator, [0, 0, 0, 1]))
    wallOffsetMs = choose(&generator, [0, 0, 1_000, 3_600_000, 86_400_000])
    pauses = Int(choose(&generator, [0, 0, 0, 1]))
  }
}
