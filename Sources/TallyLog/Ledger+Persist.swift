// Owns: what follows when a commit is durable, and when it is lost. DESIGN sections 2 ("The law") and 11.

import TallyBase
import TallyWire

extension Ledger {
  /// All commits up to `through` are durable, and the guard file with them. Only now do own heads and acknowledgements
  /// of durability leave.
  public mutating func onPersisted(through: UInt64, now: Instant, into effects: inout [LedgerEffect]) {
    var acknowledged: [PublicKey: [Stored.Item]] = [:]
    for item in store.onPersisted(through: through) {
      switch item {
      case .own(let range):
        become(range, &effects)
        release(range, &effects)
      case .range(let range):
        become(range, &effects)
        let stored = Stored.Item(feed: range.row.feed, size: range.frontier.size)
        if range.row.author != config.me { note(stored, in: &acknowledged[range.row.author, default: []]) }
      case .held(let key, _):
        if let through = own.onHeldStored(key) { effects.append(.held(feed: own.feed, through: through)) }
      case .probe: onProbeStored(now, &effects)
      case .row, .fork, .acknowledged, .unheld, .unprobe: break
      }
    }
    for author in acknowledged.keys.sorted() where links[author] != nil {
      let items = acknowledged[author] ?? []
      for start in stride(from: 0, to: items.count, by: WireLimits.listItems) {
        let part = Array(items[start..<min(items.count, start + WireLimits.listItems)])
        send(.stored(Stored(part)), to: author, &effects)
      }
    }
    pump(now, &effects)
  }

  /// Only the newest size of a feed is worth telling.
  private func note(_ item: Stored.Item, in items: inout [Stored.Item]) {
    if let place = items.firstIndex(where: { $0.feed == item.feed }) {
      items[place] = item
    } else {
      items.append(item)
    }
  }

  private mutating func become(_ range: CheckedRange, _ effects: inout [LedgerEffect]) {
    let id = range.row.feed
    feeds[id]?.onStored(range.frontier, head: range.head)
    clockCache.invalidate()
    tellFold(id, from: range.from, entries: range.entries, leaves: range.leaves, &effects)
  }

  /// An own commit leaves this host.
  private mutating func release(_ range: CheckedRange, _ effects: inout [LedgerEffect]) {
    let id = range.row.feed
    if id == own.feed && range.from == 0 { own.begin = nil }
    let push = Push(
      head: range.head, from: range.from, introduction: introduction(of: range.row, from: range.from),
      entries: range.entries)
    effects.append(
      .publish(push: LogMessage.push(push).encoded, feed: id, size: range.head.size, root: range.head.root))
    effects.append(.released(feed: id, through: range.head.size))
  }

  /// Goes with entry 0 and only there.
  func introduction(of row: FeedRow, from: UInt64) -> FeedIntroduction? {
    guard from == 0 else { return nil }
    return FeedIntroduction(author: row.author, incarnation: row.incarnation, reason: row.reason)
  }

  /// The commits numbered `from` and above are lost, and so is the open turn, which would follow a gap.
  public mutating func onPersistFailed(
    from: UInt64, fault: StoreFault, now: Instant, into effects: inout [LedgerEffect]
  ) {
    let before = standing.off
    standing.onFault(fault)
    var lostOwn: [OpenEntry] = []
    var isProbe = false
    for item in store.onFailed(from: from) {
      switch item {
      case .row(let row): feeds[row.feed]?.isRowStored = false
      case .range(let range): dropUnstored(range.row.feed)
      case .own(let range):
        if range.row.feed == own.feed {
          lostOwn += range.held
        } else {
          dropUnstored(range.row.feed)
          effects.append(.rolledBack(feed: range.row.feed, from: range.from))
        }
      case .acknowledged(_, let peer, _): unstoredAcknowledgements.insert(peer)
      case .probe: isProbe = true
      case .fork, .held, .unheld, .unprobe: break
      }
    }
    rollBackOwn(lostOwn, &effects)
    if let off = standing.off, off != before { effects.append(.event(.signingOff(off))) }
    guard !standing.isBroken else { return }
    if isProbe { standing.onProbeFailed() }
    if isProbe || !timers.isArmed(.probe) { timers.arm(.probe, at: now + standing.backOff) }
  }

  /// The unstored prefix of a feed leaves the memory too; ranges that wait for a check would follow a gap.
  private mutating func dropUnstored(_ id: FeedID) {
    guard let feed = feeds[id] else { return }
    feeds[id]?.checked = feed.stored
    queuedRanges -= feed.queue.count
    feeds[id]?.queue.removeAll()
    requests.wait(id)
  }

  private mutating func rollBackOwn(_ lost: [OpenEntry], _ effects: inout [LedgerEffect]) {
    guard let feed = feeds[own.feed] else { return }
    if let from = own.rollBack(to: feed.stored, lost: lost) {
      effects.append(.rolledBack(feed: own.feed, from: from))
    }
  }

  /// There is room again: signing goes on, and what was only in memory is stored again.
  private mutating func onProbeStored(_ now: Instant, _ effects: inout [LedgerEffect]) {
    guard !standing.canStore, !standing.isBroken else { return }
    standing.onProbeStored()
    store.add(.unprobe)
    for id in feeds.order {
      guard let feed = feeds[id], let fork = feed.fork else { continue }
      if !feed.isRowStored { store.add(.row(feed.row)) }
      feeds[id]?.isRowStored = true
      store.add(.fork(id, index: fork.index, proof: fork.proof.encoded))
    }
    if standing.off == nil { effects.append(.event(.signingOn)) }
    for peer in links.up { ask(peer, &effects) }
    timers.arm(.seal, at: now)
  }
}
