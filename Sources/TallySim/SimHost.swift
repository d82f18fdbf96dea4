// Owns: one simulated host: its disk, and while its process runs the production node with its queues.
// Refuses to know: the network and the other hosts.
import TallyBase
import TallyCrypto
import TallyExchange
import TallyLog
import TallyNode
import TallySession

/// A process: everything that a crash takes away.
final class SimProcess {
  var node: Node
  var outbox = Outbox()
  let generation: Int
  var inbox: [Input] = []
  /// When the next turn is due, and which of the scheduled ones counts.
  var turnAt: Int64?
  var turnToken: UInt64 = 0
  /// Turns in a row that had nothing but a deadline that does not move.
  var idleWakes = 0

  // The store's writer: commits that wait, and those in the transaction under way.
  var waitingCommits: [Commit] = []
  var writingCommits: [Commit] = []
  var isRefusing = false
  var checksUnderWay = 0
  var readsUnderWay = 0

  var links: [LinkID: LinkEnd] = [:]
  var nextAccepted: UInt64 = 1
  var requests: [UInt64: Purpose] = [:]
  var nextRequest: UInt64 = 1
  var worker: ModelWorker?

  init(node: consuming Node, generation: Int) {
    self.node = node
    self.generation = generation
  }
}

/// Which connection a link is, and which of its two ends.
struct LinkEnd {
  let connection: Int
  let side: Int
}

/// Why a command was given; its reply comes back to whoever gave it.
enum Purpose: Sendable {
  case record(Int)
  case post(Int)
  case workerNext
  case workerBeat
  case workerFetch(leaf: UInt32)
  case ignored
}

final class SimHost {
  let number: Int
  let identitySeed: [UInt8]
  let key: PublicKey
  let endpoint: Endpoint
  var generator: Generator
  var disk: ModelDisk
  var snapshot: ModelDisk?
  var process: SimProcess?
  var generation = 0
  var isPaused = false
  var isDiskFull = false
  /// False for a host that is run twice on purpose: its feed may fork.
  var isHonest = true
  var lends = false
  var trusts: [PublicKey] = []
  let monotonicOffset: Int64
  let wallOffsetMs: Int64

  init(
    number: Int, identitySeed: [UInt8], key: PublicKey, endpoint: Endpoint, mesh: MeshID, generator: Generator,
    wallOffsetMs: Int64
  ) {
    self.number = number
    self.identitySeed = identitySeed
    self.key = key
    self.endpoint = endpoint
    self.generator = generator
    self.wallOffsetMs = wallOffsetMs
    monotonicOffset = self.generator.within(1_000_000...3_600_000_000)
    disk = ModelDisk(me: key, meshID: mesh)
  }

  /// 2026-01-01 on the wall, plus this host's own mistake.
  static let wallStartMs: Int64 = 1_767_225_600_000

  func instant(_ time: Int64) -> Instant {
    Instant(micros: monotonicOffset + time, wallMs: Self.wallStartMs + time / 1000 + wallOffsetMs)
  }

  /// A moment of this host's monotonic clock in the run's time.
  func time(of instant: Instant) -> Int64 {
    let (time, overflow) = instant.micros.subtractingReportingOverflow(monotonicOffset)
    return overflow ? .max : time
  }

  var policy: LendPolicy {
    var relations: [PublicKey: LendPolicy.Relation] = [:]
    for key in trusts { relations[key] = .trusted }
    return LendPolicy(
      lends: lends, cores: 4, memoryMiB: 4096, diskMiB: 8192, slots: 2, relations: relations)
  }
}
