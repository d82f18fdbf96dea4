// Owns: what UDP sessions and TCP links of one host share: its keyring, its chance, its counters.

import TallyBase
import TallyCrypto

struct SessionContext: Sendable {
  var keyring: Keyring
  var generator: Generator
  var counters = SessionCounters()
  /// When each fault was last told to the log: once a second is enough, the counter has them all.
  private var told: [SessionFault: Instant] = [:]
  private var bucket = SessionLimits.handshakeBurst
  private var filledAt: Instant?

  init(mesh: MeshKeys, me: PublicKey, generator: Generator) {
    keyring = Keyring(mesh: mesh, me: me)
    self.generator = generator
  }

  /// Counts a fault and tells the log, at most once a second for each kind.
  mutating func refuse(
    _ fault: SessionFault, from source: Endpoint, now: Instant, into effects: inout [SessionEffect]
  ) {
    counters.count(fault)
    if let last = told[fault], now - last < .seconds(1) { return }
    told[fault] = now
    effects.append(.refused(from: source, fault))
  }

  /// Takes one first handshake message out of this second's budget.
  mutating func takeHandshake(now: Instant) -> Bool {
    let last = filledAt ?? now
    let perToken = 1_000_000 / Int64(SessionLimits.handshakesPerSecond)
    let earned = (now - last).micros / perToken
    if bucket + Int(min(earned, Int64(SessionLimits.handshakeBurst))) >= SessionLimits.handshakeBurst {
      bucket = SessionLimits.handshakeBurst
      filledAt = now
    } else if earned > 0 {
      bucket += Int(earned)
      filledAt = last + Interval(micros: earned * perToken)
    } else if filledAt == nil {
      filledAt = now
    }
    guard bucket > 0 else { return false }
    bucket -= 1
    return true
  }
}
