// Owns: when this host may believe that its own feed is the newest there is. DESIGN section 9, "Restore guard".
// Refuses to know: what follows from a contradiction; the ledger decides that.

import TallyBase

/// Asks, after a start with an older feed, the hosts that acknowledged it. Until it is settled no own head leaves.
struct RestoreGuard: Sendable {
  private(set) var isSettled: Bool
  let since: Instant
  /// Who acknowledged the own feed, and up to which size.
  private(set) var known: [PublicKey: UInt64]
  private var answeredKnown: Set<PublicKey> = []
  private var answeredOther = false

  /// A feed that this process began, or one that no host is known to hold: no question.
  static func settled(now: Instant) -> RestoreGuard { RestoreGuard(isSettled: true, since: now, known: [:]) }

  /// `known` empty means there is nobody to ask.
  static func asking(_ known: [PublicKey: UInt64], now: Instant) -> RestoreGuard {
    RestoreGuard(isSettled: known.isEmpty, since: now, known: known)
  }

  /// `peer` told what it holds of the own feed: `size` entries, all as we have them. Less than it once acknowledged is
  /// no answer to the question: that host lost its memory too.
  mutating func onAnswer(_ peer: PublicKey, size: UInt64) {
    if let acknowledged = known[peer], size >= acknowledged {
      answeredKnown.insert(peer)
    } else {
      answeredOther = true
    }
  }

  /// A host acknowledged `size` entries. False when it is not news or the table is full.
  mutating func onAcknowledged(_ peer: PublicKey, size: UInt64) -> Bool {
    if let old = known[peer] {
      guard size > old else { return false }
    } else if known.count >= LedgerLimits.acknowledgers {
      return false
    }
    known[peer] = size
    return true
  }

  enum Step: Equatable {
    case ask
    /// `unconfirmed` when no host that acknowledged the feed was there to answer.
    case settle(unconfirmed: Bool)
  }

  /// `inSession` are the peers with a link now.
  func step(inSession: [PublicKey], now: Instant) -> Step {
    if !answeredKnown.isEmpty {
      let waits = inSession.contains { known[$0] != nil && !answeredKnown.contains($0) }
      if !waits || now >= since + LedgerLimits.guardQuick { return .settle(unconfirmed: false) }
    }
    let isSlow = now >= since + LedgerLimits.guardSlow
    if isSlow && (answeredOther || !answeredKnown.isEmpty) { return .settle(unconfirmed: true) }
    return .ask
  }

  mutating func settle() { isSettled = true }
}
