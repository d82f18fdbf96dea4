// Owns: the own feed's life: first start, appending, sealing, new incarnations. DESIGN section 9, "Feed", "One commit".
// The law: nothing here leaves the host; `onPersisted` releases it.

import TallyBase
import TallyCrypto
import TallyWire

extension Ledger {
  /// After the last `replay`: begins the first feed or a new incarnation, or asks the restore guard's question.
  public mutating func start(now: Instant, into effects: inout [LedgerEffect]) {
    precondition(!isStarted, "started twice")
    isStarted = true
    armClock(now)
    switch guardState {
    case .firstStart where liveOwnFeed() == nil:
      beginFeed(continues: nil, now, &effects)
    case .settled(let mark):
      let id = Names.feedID(mesh: config.meshID, author: config.me, incarnation: mark.incarnation)
      // A crash between a new incarnation's first commit and the guard file leaves the file at the old one.
      let live = feeds.isContinued(id, by: config.me) ? liveOwnFeed() ?? id : id
      resume(live, file: mark, now, &effects)
    case .rollback(let file): recoverFromRollback(file, now, &effects)
    case .firstStart: recoverFromRollback(nil, now, &effects)
    }
    foundHeld = []
    foundAcknowledgements = [:]
  }

  /// The newest own feed in the store: one with entries that no other own feed continues.
  private func liveOwnFeed() -> FeedID? {
    feeds.of(config.me).last { (feeds[$0]?.stored.size ?? 0) > 0 && !feeds.isContinued($0, by: config.me) }
  }

  private mutating func resume(
    _ id: FeedID, file: GuardMark, _ now: Instant, _ effects: inout [LedgerEffect]
  ) {
    guard let feed = feeds[id], feed.stored.size > 0 else { return recoverFromRollback(file, now, &effects) }
    own = OwnFeed(row: feed.row, stored: feed.stored)
    takeFoundHeld()
    if let fork = feed.fork {
      // A copy of this host was found before the stop.
      _ = standing.onClone(.otherRoot(size: fork.index))
      effects.append(.event(.signingOff(.clone(.otherRoot(size: fork.index)))))
    }
    var known: [PublicKey: UInt64] = [:]
    for host in foundAcknowledgements[id] ?? [] where host.by != config.me { known[host.by] = host.size }
    guardian = .asking(known, now: now)
    guard !guardian.isSettled else { return }
    timers.arm(.guardQuick, at: now + LedgerLimits.guardQuick)
    timers.arm(.guardSlow, at: now + LedgerLimits.guardSlow)
  }

  /// The guard file contradicts the store: the old feed is never extended.
  private mutating func recoverFromRollback(
    _ file: GuardMark?, _ now: Instant, _ effects: inout [LedgerEffect]
  ) {
    var predecessor: BeginBody.Predecessor?
    if let id = liveOwnFeed(), let feed = feeds[id] {
      own = OwnFeed(row: feed.row, stored: feed.stored)
      predecessor = .init(feed: id, size: feed.stored.size, root: feed.storedRoot)
    }
    takeFoundHeld()
    if let file, file.size > 0 {
      let id = Names.feedID(mesh: config.meshID, author: config.me, incarnation: file.incarnation)
      // The file may know a newer feed, or more of this one, than the store.
      if feeds[id] == nil || (predecessor?.feed == id && file.size > (predecessor?.size ?? 0)) {
        predecessor = .init(feed: id, size: file.size, root: file.root)
      }
    }
    standing.rollbackAt = now
    if let predecessor { effects.append(.event(.rollbackFound(feed: predecessor.feed, .guardFile))) }
    beginFeed(continues: predecessor, now, &effects)
  }

  private mutating func takeFoundHeld() {
    for found in foundHeld {
      own.push(
        OpenEntry(
          entry: found.entry, leaf: found.entry.leafHash, heldKey: found.key, isPut: true, isDurable: true))
    }
  }

  /// Takes a place in the open turn. The reference holds as long as neither `.rolledBack` nor `.reissued` says
  /// otherwise; while `signing` is `.held` the entry is made durable unsigned.
  public mutating func append(_ draft: EntryDraft, now: Instant) -> Result<OwnRef, AppendRefusal> {
    precondition(isStarted, "append before start")
    precondition(draft.kind != .begin, "a feed's begin is the ledger's to write")
    if let off = standing.off { return .failure(.signingOff(off)) }
    let entry = Entry(kind: draft.kind, timeMs: now.wallMs, links: draft.links, body: draft.body)
    guard entry.isWithinLimits else { return .failure(.tooLarge(bytes: entry.preimageCount)) }
    guard own.hasRoom(for: entry.preimageCount, flying: store.ownEntries) else { return .failure(.tooManyWaiting) }
    own.push(OpenEntry(entry: entry, leaf: entry.leafHash))
    return .success(own.reference(at: own.open.count - 1))
  }

  /// Seals what was appended, signs one head over it, and hands out everything that is to be stored in `commit`.
  /// What does not fit (256 entries, 48 KiB) waits for the next turn; `nextDeadline` then asks for one at once.
  public mutating func endTurn(
    commit: UInt64, identity: borrowing Identity, now: Instant, into effects: inout [LedgerEffect]
  ) {
    precondition(isStarted, "endTurn before start")
    precondition(identity.publicKey == config.me, "another host's key")
    var mark: GuardMark?
    if signing == .on {
      mark = sealOpen(identity: identity)
      hold(onlyHeld: true)
    } else if standing.off == nil {
      hold(onlyHeld: false)
    }
    for operation in store.close(commit: commit) { effects.append(.store(operation)) }
    if let mark { effects.append(.guardMark(mark)) }
    if signing == .on && !own.open.isEmpty { timers.arm(.seal, at: now) }
  }

  private mutating func hold(onlyHeld: Bool) {
    for (key, entry) in own.takeUnput(nextKey: &nextHeldKey, onlyHeld: onlyHeld) {
      store.add(.held(key: key, entry: entry))
    }
  }

  private mutating func sealOpen(identity: borrowing Identity) -> GuardMark? {
    guard let (from, taken) = own.seal() else { return nil }
    let frontier = own.sealed
    let root = frontier.root
    if feeds[own.feed]?.isRowStored != true {
      store.add(.row(own.row))
      feeds[own.feed]?.isRowStored = true
    }
    // Signed now, shown to nobody before `onPersisted`.
    let head = Head.signed(by: identity, mesh: config.meshName, feed: own.feed, size: frontier.size, root: root)
    store.add(
      .own(
        CheckedRange(
          row: own.row, from: from, entries: taken.map(\.entry), leaves: taken.map(\.leaf), head: head,
          frontier: frontier, held: taken.filter { $0.heldKey != nil })))
    for entry in taken {
      if let key = entry.heldKey { store.add(.unheld(key: key)) }
    }
    for peer in unstoredAcknowledgements.sorted() {
      if let size = guardian.known[peer] { store.add(.acknowledged(own.feed, by: peer, size: size)) }
    }
    unstoredAcknowledgements.removeAll()
    return GuardMark(incarnation: own.row.incarnation, size: frontier.size, root: root)
  }

  /// Opens a feed of a new incarnation; entries of the old one that were never sealed are issued again in it.
  mutating func beginFeed(
    continues: BeginBody.Predecessor?, _ now: Instant, _ effects: inout [LedgerEffect]
  ) {
    let old = own
    let incarnation = generator.next64()
    let feed = Names.feedID(mesh: config.meshID, author: config.me, incarnation: incarnation)
    let body = BeginBody(author: config.me, incarnation: incarnation, recovery: config.recovery, continues: continues)
    let begin = Entry(kind: .begin, timeMs: now.wallMs, links: [], body: body.encoded)
    own = OwnFeed(row: FeedRow(feed: feed, author: config.me, incarnation: incarnation, reason: .own), begin: begin)
    feeds[old.feed]?.checked = old.sealed
    if feeds[old.feed]?.isEmpty == true { feeds.remove(old.feed) }
    feeds.insert(CarriedFeed(row: own.row))
    guardian = .settled(now: now)
    unstoredAcknowledgements.removeAll()
    timers.cancel(.guardQuick)
    timers.cancel(.guardSlow)
    standing.onNewIncarnation()
    clockCache.invalidate()
    effects.append(.event(.feedBegun(feed, incarnation: incarnation, continues: continues?.feed)))
    reissue(old, &effects)
    timers.arm(.seal, at: now)
  }

  /// Links among the waiting entries themselves move with them.
  private mutating func reissue(_ old: OwnFeed, _ effects: inout [LedgerEffect]) {
    var moved: [UInt64: EntryLink] = [:]
    var pairs: [LedgerEffect.Reissue] = []
    for (offset, waiting) in old.open.enumerated() where waiting.entry.kind != .begin {
      let links = waiting.entry.links.map { $0.feed == old.feed ? moved[$0.index] ?? $0 : $0 }
      let entry = Entry(
        kind: waiting.entry.kind, timeMs: waiting.entry.timeMs, links: links, body: waiting.entry.body)
      let isSame = links == waiting.entry.links
      own.push(
        OpenEntry(
          entry: entry, leaf: isSame ? waiting.leaf : entry.leafHash, heldKey: waiting.heldKey, isPut: isSame,
          isDurable: waiting.isDurable))
      let before = old.reference(at: offset)
      let after = own.reference(at: own.open.count - 1)
      moved[before.index] = after.link
      pairs.append(LedgerEffect.Reissue(old: before, new: after))
    }
    if !pairs.isEmpty { effects.append(.reissued(pairs)) }
  }

  /// The operator's order after a clone was found, or at any time: the old feed is never extended again.
  /// False when the store is broken (then nothing may be signed), or full (then it could not be kept).
  public mutating func beginNewIncarnation(now: Instant, into effects: inout [LedgerEffect]) -> Bool {
    guard standing.canStore else { return false }
    let feed = feeds[own.feed]
    let predecessor = feed.flatMap { feed in
      feed.stored.size > 0
        ? BeginBody.Predecessor(feed: own.feed, size: feed.stored.size, root: feed.storedRoot) : nil
    }
    let wasOff = standing.off != nil
    beginFeed(continues: predecessor, now, &effects)
    if wasOff { effects.append(.event(.signingOn)) }
    return true
  }
}
