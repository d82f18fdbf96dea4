// Owns: whether this host may sign, and when a full store is tried again. Refuses to know: the store.

import TallyBase

struct SigningStanding: Sendable {
  private(set) var storeFault: StoreFault?
  private(set) var clone: CloneEvidence?
  private(set) var backOff = LedgerLimits.probeFirst
  /// A rollback was found at this time: other traces of the lost past are history, not clones, for a while.
  var rollbackAt: Instant?
  /// Feeds by this host's key that it did not begin, as far as it was shown them: each is news once.
  var seenIncarnations: Set<FeedID> = []

  /// Why not; nil when nothing forbids it.
  var off: SigningOff? {
    switch storeFault {
    case .broken(let detail): return .storeBroken(detail: detail)
    case .full(let detail): return clone.map { .clone($0) } ?? .storeFull(detail: detail)
    case nil: return clone.map { .clone($0) }
    }
  }

  var canStore: Bool { storeFault == nil }
  var isBroken: Bool { if case .broken = storeFault { true } else { false } }

  /// A broken store stays broken.
  mutating func onFault(_ fault: StoreFault) { if !isBroken { storeFault = fault } }

  mutating func onProbeFailed() { backOff = min(backOff * 2, LedgerLimits.probeLongest) }

  mutating func onProbeStored() {
    guard !isBroken else { return }
    storeFault = nil
    backOff = LedgerLimits.probeFirst
  }

  /// False when it was known.
  mutating func onClone(_ evidence: CloneEvidence) -> Bool {
    guard clone == nil else { return false }
    clone = evidence
    return true
  }

  mutating func onNewIncarnation() { clone = nil }
}
