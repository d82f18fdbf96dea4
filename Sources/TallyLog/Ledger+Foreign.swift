// Owns: other authors' feeds: what is taken, checked, relayed and stored, and what is asked for. DESIGN sections 8, 9.
// Head first: no entry is hashed before its head's signature verified, and that happens off the loop.

import TallyBase
import TallyCrypto
import TallyWire

extension Ledger {
  // MARK: Taking

  /// A PUSH, or an answered RANGE. Kept when it joins what is checked or under way; else pulled later.
  mutating func offer(_ range: QueuedRange, _ now: Instant, _ effects: inout [LedgerEffect]) {
    let push = range.push
    let id = push.feed
    if feeds[id] == nil && !admit(push, range.peer, now, &effects) { return }
    guard let feed = feeds[id] else { return }
    if id == own.feed {
      _ = onOwnHead(push.head, range.peer, now, &effects)
      return
    }
    if push.head.size <= feed.checked.size { return compare(push.head, range.peer, now, &effects) }
    if let fork = feed.fork, max(push.from, feed.checked.size) >= fork.index { return }
    let isPush = range.message != nil
    let isTooMuch = isPush && store.foreignBytes > LedgerLimits.unstoredBytes
    let isFull =
      feed.queue.count >= LedgerLimits.queuedPerFeed || queuedRanges >= LedgerLimits.queuedRanges
      || (feed.checking == nil && checks.count >= LedgerLimits.checks)
    guard standing.canStore, push.from <= feed.expectedEnd, !isTooMuch, !isFull else {
      // Neither relayed nor kept: asked for when there is room.
      requests.note(id, size: push.head.size, peer: range.peer)
      forgetIfEmpty(id)
      return
    }
    guard push.head.size > feed.expectedEnd else { return }  // The same run is under way.
    if feed.checking == nil {
      check(range, &effects)
    } else {
      feeds[id]?.queue.append(range)
      queuedRanges += 1
    }
  }

  /// Whether a feed that is new here is carried; if so it is in the table afterwards.
  private mutating func admit(
    _ push: Push, _ peer: PublicKey, _ now: Instant, _ effects: inout [LedgerEffect]
  ) -> Bool {
    let id = push.feed
    guard !admission.isRefused(id) else { return false }
    guard let introduction = push.introduction else {
      requests.note(id, size: push.head.size, peer: peer)
      return false
    }
    guard isDerived(id, from: introduction.author, introduction.incarnation) else {
      effects.append(.fault(peer, .wrongFeed, costsSession: true))
      return false
    }
    guard let reason = admission.reason(for: id, by: introduction, from: peer, me: config.me) else {
      admission.refuse(id)
      return false
    }
    if reason == .own && !onUnknownIncarnation(push.head, peer, now, &effects) { return false }
    guard hasRoom(for: push, by: introduction.author) else {
      admission.refuse(id)
      effects.append(.fault(peer, .tooManyFeeds, costsSession: false))
      return false
    }
    let row = FeedRow(
      feed: id, author: introduction.author, incarnation: introduction.incarnation, reason: reason)
    feeds.insert(CarriedFeed(row: row))
    return true
  }

  func isDerived(_ feed: FeedID, from author: PublicKey, _ incarnation: UInt64) -> Bool {
    Names.feedID(mesh: config.meshID, author: author, incarnation: incarnation) == feed
  }

  /// The limits on feeds: in all, per author, and per author not continued by another.
  private func hasRoom(for push: Push, by author: PublicKey) -> Bool {
    let mine = feeds.of(author)
    guard feeds.count < LedgerLimits.feeds, mine.count < LedgerLimits.feedsPerAuthor else { return false }
    let predecessor = push.entries.first.flatMap { Self.begin($0)?.continues?.feed }
    let live = mine.filter { $0 != predecessor && !feeds.isContinued($0, by: author) }
    return live.count < LedgerLimits.liveFeedsPerAuthor
  }

  /// A candidate of which nothing came is not kept: only signed entries cost memory.
  func mayForget(_ id: FeedID) -> Bool { id != own.feed && feeds[id]?.isEmpty == true }

  mutating func forgetIfEmpty(_ id: FeedID) { if mayForget(id) { feeds.remove(id) } }

  // MARK: Checking

  private mutating func check(_ range: QueuedRange, _ effects: inout [LedgerEffect]) {
    let id = range.push.feed
    guard let feed = feeds[id] else { return }
    let skip = Int(feed.checked.size - range.push.from)
    let entries = skip == 0 ? range.push.entries : Array(range.push.entries.dropFirst(skip))
    let number = checks.add(range)
    feeds[id]?.checking = number
    feeds[id]?.checkingEnd = range.push.head.size
    effects.append(
      .check(
        id: number,
        RangeCheck(
          row: feed.row, mesh: config.meshName, frontier: feed.checked, entries: entries, head: range.push.head)))
  }

  public mutating func onChecked(
    id number: UInt64, verdict: RangeVerdict, now: Instant, into effects: inout [LedgerEffect]
  ) {
    guard let range = checks.take(number) else { preconditionFailure("a verdict on check \(number), not under way") }
    let id = range.push.feed
    feeds[id]?.checking = nil
    switch verdict {
    case .ok(let frontier, let leaves): accept(range, frontier, leaves, now, &effects)
    case .badSignature: refuse(range, .badSignature, costsSession: true, &effects)
    case .badEntry: refuse(range, .wrongEntries, costsSession: true, &effects)
    case .rootMismatch: onMismatch(range, now, &effects)
    }
    let waiting = feeds[id]?.queue ?? []
    feeds[id]?.queue.removeAll()
    queuedRanges -= waiting.count
    for next in waiting { offer(next, now, &effects) }
    requests.wait(id)
    forgetIfEmpty(id)
    pump(now, &effects)
  }

  private mutating func accept(
    _ range: QueuedRange, _ frontier: MerkleFrontier, _ leaves: [Digest], _ now: Instant,
    _ effects: inout [LedgerEffect]
  ) {
    let id = range.push.feed
    guard let feed = feeds[id], standing.canStore else { return }
    let from = frontier.size - UInt64(leaves.count)
    // The store failed meanwhile and took the ground away, or a fork was found below the run, or it is ours now.
    guard from == feed.checked.size, from < feed.fork?.index ?? .max, id != own.feed else { return }
    if !feed.isRowStored {
      store.add(.row(feed.row))
      feeds[id]?.isRowStored = true
      effects.append(.event(.feedCarried(id, author: feed.row.author, feed.row.reason)))
    }
    feeds[id]?.checked = frontier
    let entries = range.push.entries.count == leaves.count
      ? range.push.entries : Array(range.push.entries.suffix(leaves.count))
    store.add(
      .range(
        CheckedRange(
          row: feed.row, from: from, entries: entries, leaves: leaves, head: range.push.head, frontier: frontier,
          held: [])))
    guard let message = range.message, feed.fork == nil else { return }
    effects.append(
      .relay(
        push: message, feed: id, size: range.push.head.size, root: range.push.head.root, from: range.peer))
  }

  private mutating func refuse(
    _ range: QueuedRange, _ fault: LedgerFault, costsSession: Bool, _ effects: inout [LedgerEffect]
  ) {
    requests.forget(range.push.feed, peer: range.peer)
    effects.append(.event(.rangeRefused(range.push.head, from: range.peer, fault)))
    effects.append(.fault(range.peer, fault, costsSession: costsSession))
  }

  /// A signed head that our tree and these entries do not make: first the server's fault, perhaps a fork.
  private mutating func onMismatch(_ range: QueuedRange, _ now: Instant, _ effects: inout [LedgerEffect]) {
    let id = range.push.feed
    requests.forget(id, peer: range.peer)
    guard let feed = feeds[id] else { return }
    if feed.checked.size == 0 { return refuse(range, .wrongEntries, costsSession: true, &effects) }
    effects.append(.event(.rangeRefused(range.push.head, from: range.peer, .wrongEntries)))
    // A run of another branch may be checked and not stored yet; against what is stored the peer may well be right.
    let isAllStored = feed.checked.size == feed.stored.size
    search(id, with: range.peer, theirs: range.push.head, isAboutRange: isAllStored, now, &effects)
  }

  // MARK: Asking

  /// Asks for what is missing, as far as limits allow. Called at the end of every input.
  mutating func pump(_ now: Instant, _ effects: inout [LedgerEffect]) {
    guard standing.canStore, store.foreignBytes <= LedgerLimits.unstoredBytes else { return }
    var busy: [FeedID] = []
    for id in requests.takeWaiting() {
      let feed = feeds[id]
      let from = feed?.expectedEnd ?? 0
      let limit = feed?.fork?.index ?? WireLimits.feedEntries
      guard id != own.feed, from < limit, searches[id] == nil, !admission.isRefused(id) else { continue }
      guard (feed?.queue.count ?? 0) < LedgerLimits.queuedPerFeed else { continue }
      let source = requests.source(of: id, beyond: from)
      guard let peer = source.peer else {
        if source.isBusy { busy.append(id) }
        continue
      }
      requests.ask(id, RangeRequests.Asked(peer: peer, from: from))
      timers.arm(.request(id), at: now + LedgerLimits.requestTimeout)
      send(.getRange(GetRange(feed: id, from: from, to: limit)), to: peer, &effects)
    }
    for id in busy { requests.wait(id) }
  }

  mutating func onRange(_ push: Push, _ peer: PublicKey, _ now: Instant, _ effects: inout [LedgerEffect]) {
    let id = push.feed
    guard let asked = requests.asked(of: id), asked.peer == peer, asked.from == push.from else {
      // Perhaps it was late: no more than counted, and not kept.
      effects.append(.fault(peer, .unasked(.range), costsSession: false))
      return
    }
    finishRequest(id)
    offer(QueuedRange(push: push, message: nil, peer: peer), now, &effects)
    requests.wait(id)
  }

  mutating func finishRequest(_ id: FeedID) {
    timers.cancel(.request(id))
    _ = requests.finish(id)
  }

  mutating func requestTimedOut(_ id: FeedID, _ now: Instant, _ effects: inout [LedgerEffect]) {
    guard let asked = requests.finish(id) else { return }
    requests.forget(id, peer: asked.peer)
    effects.append(.fault(asked.peer, .silent, costsSession: false))
    requests.wait(id)
  }

  mutating func onIHave(_ body: IHave, _ peer: PublicKey, _ effects: inout [LedgerEffect]) {
    for item in body.items where item.size > feeds[item.feed]?.expectedEnd ?? 0 {
      requests.note(item.feed, size: item.size, peer: peer)
    }
  }

  /// `key` is or was a member: its feeds are carried from now on.
  public mutating func member(_ key: PublicKey, now: Instant, into effects: inout [LedgerEffect]) {
    guard admission.member(key) else { return }
    // What was refused before may be wanted now; a neighbour tells where it is. Soon, so that many cost one question.
    if isStarted && !links.up.isEmpty { timers.arm(.clock, at: now + LedgerLimits.clockPause) }
  }
}
