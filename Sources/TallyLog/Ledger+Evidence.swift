// Owns: what other hosts show of this host's own feeds, and what follows: settled, rolled back, or cloned.
// DESIGN section 9, "Restore guard". Only signed heads count.

import TallyBase
import TallyWire

extension Ledger {
  /// What one own head shows.
  enum OwnHead {
    /// The same as ours.
    case consistent
    /// Known when a read comes back.
    case pending
    /// Of an older incarnation, forged, or a contradiction that was acted upon.
    case other
  }

  mutating func onAboutYou(
    _ body: AboutYou, _ peer: PublicKey, _ now: Instant, _ effects: inout [LedgerEffect]
  ) {
    if body.recordEpoch > 0 || body.recordCounter > 0 {
      effects.append(.recordNumber(epoch: body.recordEpoch, counter: body.recordCounter, by: peer))
    }
    let asked = own.feed
    var size: UInt64?
    for held in body.feeds {
      guard isDerived(held.head.feed, from: config.me, held.incarnation) else {
        effects.append(.fault(peer, .wrongFeed, costsSession: true))
        return
      }
      let result = onOwnHead(held.head, peer, now, &effects)
      if held.head.feed == asked, case .consistent = result { size = held.head.size }
      if held.head.feed == asked, case .pending = result { return }  // Answered when the read is.
      if held.head.feed == asked, case .other = result { return }
    }
    if own.feed == asked { answered(peer, size: size, now, &effects) }
  }

  /// `peer` holds `size` entries of the own feed, as we have them; nil = none.
  private mutating func answered(
    _ peer: PublicKey, size: UInt64?, _ now: Instant, _ effects: inout [LedgerEffect]
  ) {
    if !guardian.isSettled { guardian.onAnswer(peer, size: size ?? 0) }
    if let size, guardian.isSettled || guardian.known[peer] != nil { onAcknowledged(peer, size, &effects) }
    stepGuard(now, &effects)
  }

  mutating func stepGuard(_ now: Instant, _ effects: inout [LedgerEffect]) {
    guard !guardian.isSettled, case .settle(let unconfirmed) = guardian.step(inSession: links.up, now: now) else {
      return
    }
    guardian.settle()
    timers.cancel(.guardQuick)
    timers.cancel(.guardSlow)
    clockCache.invalidate()
    effects.append(.event(.guardSettled(unconfirmed: unconfirmed)))
    for peer in links.up { ask(peer, &effects) }
    timers.arm(.seal, at: now)
  }

  /// A head of a feed by this host, from anybody.
  mutating func onOwnHead(
    _ head: Head, _ peer: PublicKey, _ now: Instant, _ effects: inout [LedgerEffect]
  ) -> OwnHead {
    guard let feed = feeds[head.feed] else {
      _ = onUnknownIncarnation(head, peer, now, &effects)
      return .other
    }
    guard head.feed == own.feed else {
      requests.note(head.feed, size: head.size, peer: peer)
      return .other
    }
    let released = feed.stored.size
    if head.size <= released, let root = feed.knownRoot(at: head.size), root == head.root { return .consistent }
    guard isSigned(head, by: config.me, peer, &effects) else { return .other }
    if head.size > released {
      contradicted(.larger(seen: head.size, released: released), head, peer, now, &effects)
      return .other
    }
    if feed.knownRoot(at: head.size) != nil {
      contradicted(.otherRoot(size: head.size), head, peer, now, &effects)
      return .other
    }
    return read(.root(feed: head.feed, size: head.size), for: .compareHead(peer, head), &effects) ? .pending : .other
  }

  /// Our own root at the size of a head that a peer showed.
  mutating func onOwnRoot(
    _ head: Head, _ root: Digest, _ peer: PublicKey, _ now: Instant, _ effects: inout [LedgerEffect]
  ) {
    if root == head.root {
      answered(peer, size: head.size, now, &effects)
    } else {
      contradicted(.otherRoot(size: head.size), head, peer, now, &effects)
    }
  }

  /// A feed by this host's key that it does not know. False when the head is forged.
  mutating func onUnknownIncarnation(
    _ head: Head, _ peer: PublicKey, _ now: Instant, _ effects: inout [LedgerEffect]
  ) -> Bool {
    guard isSigned(head, by: config.me, peer, &effects) else { return false }
    if standing.seenIncarnations.insert(head.feed).inserted {
      contradicted(.unknownIncarnation(head.feed), head, peer, now, &effects)
    } else {
      requests.note(head.feed, size: head.size, peer: peer)
    }
    return true
  }

  /// Somebody signed with this host's key what this host does not know. Before the guard is settled that is our own
  /// lost past; afterwards it is another instance.
  mutating func contradicted(
    _ evidence: CloneEvidence, _ head: Head?, _ peer: PublicKey?, _ now: Instant, _ effects: inout [LedgerEffect]
  ) {
    let old = own.feed
    if !guardian.isSettled {
      rolledBack(evidence, head, now, &effects)
    } else if case .unknownIncarnation = evidence, isSoonAfterRollback(now) {
      // Another trace of the past that was lost: history.
    } else if standing.onClone(evidence) {
      effects.append(.event(.cloneFound(feed: old, evidence)))
      if let off = standing.off { effects.append(.event(.signingOff(off))) }
      // What was written in this very turn is refused like what comes after it: waiting for the operator is no answer.
      if let from = own.takeBackFresh() { effects.append(.rolledBack(feed: own.feed, from: from)) }
    }
    guard let head, let peer else { return }
    if head.feed != own.feed { requests.note(head.feed, size: head.size, peer: peer) }
    if case .otherRoot = evidence {
      search(old, with: peer, theirs: head, isAboutRange: false, now, &effects)
    }
  }

  private func isSoonAfterRollback(_ now: Instant) -> Bool {
    standing.rollbackAt.map { now < $0 + LedgerLimits.guardSlow } ?? false
  }

  /// The old feed is never extended, whatever peers agree on: a new one opens and names it.
  private mutating func rolledBack(
    _ evidence: CloneEvidence, _ head: Head?, _ now: Instant, _ effects: inout [LedgerEffect]
  ) {
    standing.rollbackAt = now
    effects.append(.event(.rollbackFound(feed: own.feed, .seen(evidence))))
    var predecessor = BeginBody.Predecessor(
      feed: own.feed, size: feeds[own.feed]?.stored.size ?? 0, root: feeds[own.feed]?.storedRoot ?? .zero)
    switch evidence {
    case .larger, .unknownIncarnation:
      if let head { predecessor = BeginBody.Predecessor(feed: head.feed, size: head.size, root: head.root) }
    case .otherRoot: break
    }
    beginFeed(continues: predecessor, now, &effects)
  }
}
