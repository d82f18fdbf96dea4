// Owns: one deterministic run over one target: draw, check, keep what went a new way. The same seed and pool give the
// same inputs, whatever the machine. Refuses to know: clocks, files, processes.
import TallyBase

public struct FuzzRun {
  /// Inputs kept at once; more would only be mutated less.
  public static let poolMax = 4096

  public let target: FuzzTarget
  public private(set) var iterations = 0
  public private(set) var accepted = 0
  /// Signatures met, and the inputs that met them first.
  public private(set) var signatures: Set<String> = []
  public private(set) var found: [[UInt8]] = []
  private var pool: [[UInt8]]
  private var mutator: Mutator

  /// `corpus` joins the target's own seeds; what is above the size is left out.
  public init(_ target: FuzzTarget, corpus: [[UInt8]], seed: UInt64) {
    self.target = target
    pool = (target.seeds() + corpus).filter { $0.count <= target.sizeMax }
    mutator = Mutator(seed: seed, stream: UInt64(target.sizeMax))
    for input in pool { signatures.insert(target.check(input).signature) }
  }

  /// The next input, which `try` then checks: a parent that sees this process trap can have it written down first.
  public mutating func next() -> [UInt8] { mutator.draw(from: pool, sizeMax: target.sizeMax) }

  /// Checks an input; the violation's text, or nil when every property holds.
  public mutating func attempt(_ input: [UInt8]) -> String? {
    iterations += 1
    let outcome = target.check(input)
    switch outcome {
    case .accepted: accepted += 1
    case .refused: break
    case .violated(let what): return what
    }
    if pool.count < Self.poolMax, signatures.insert(outcome.signature).inserted {
      pool.append(input)
      found.append(input)
    }
    return nil
  }

  /// A shorter input with the same outcome: pieces are taken out as long as that does not change it.
  public static func shorten(_ input: [UInt8], _ target: FuzzTarget) -> [UInt8] {
    let wanted = target.check(input)
    var best = input
    var piece = best.count / 2
    while piece > 0 {
      var place = 0
      while place < best.count {
        var attempt = best
        attempt.removeSubrange(place..<min(place + piece, best.count))
        if target.check(attempt) == wanted { best = attempt } else { place += piece }
      }
      piece /= 2
    }
    return best
  }
}
