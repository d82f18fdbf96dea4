// Owns: comparing vector clocks, and what is told when a link comes up. DESIGN section 9, "Vector clock" (L3).
// Numbers in clocks are hints: they only start questions.

import TallyBase
import TallyCrypto
import TallyWire

/// The clock as it was last computed.
struct ClockCache: Sendable {
  private(set) var lines: [ClockEntry]?
  private(set) var digest: Digest?

  mutating func invalidate() {
    lines = nil
    digest = nil
  }

  mutating func keep(_ lines: [ClockEntry], digest: Digest) {
    self.lines = lines
    self.digest = digest
  }
}

extension Ledger {
  // MARK: Links

  /// A link to `peer` is up. `recordEpoch` and `recordCounter` number the newest node record of it held here; 0, 0 when
  /// none is.
  public mutating func onPeerUp(
    _ peer: PublicKey, recordEpoch: UInt64, recordCounter: UInt64, now: Instant, into effects: inout [LedgerEffect]
  ) {
    precondition(isStarted, "a peer before start")
    links.onUp(peer)
    let held = aboutYou(peer)
    send(
      .aboutYou(AboutYou(recordEpoch: recordEpoch, recordCounter: recordCounter, feeds: held)), to: peer, &effects)
    // One of the two asks; the answer and its return tell both.
    if config.me < peer { ask(peer, &effects) }
    pump(now, &effects)
  }

  /// Heads held of feeds by `peer`: those no other feed continues first, in case they are too many.
  private func aboutYou(_ peer: PublicKey) -> [AboutYou.HeldFeed] {
    var live: [AboutYou.HeldFeed] = []
    var old: [AboutYou.HeldFeed] = []
    for id in feeds.of(peer) {
      guard let feed = feeds[id], let head = feed.head else { continue }
      let held = AboutYou.HeldFeed(incarnation: feed.row.incarnation, head: head)
      if feeds.isContinued(id, by: peer) { old.append(held) } else { live.append(held) }
    }
    return (live + old).prefix(LedgerLimits.aboutYouHeads).sorted { $0.head.feed < $1.head.feed }
  }

  public mutating func onPeerDown(_ peer: PublicKey, now: Instant, into effects: inout [LedgerEffect]) {
    links.onDown(peer)
    timers.cancel(.answer(peer))
    for id in requests.onPeerDown(peer) {
      finishRequest(id)
      requests.wait(id)
    }
    for id in searches.feeds(of: peer) { endSearch(id) }
    stepGuard(now, &effects)
    pump(now, &effects)
  }

  // MARK: Asking

  mutating func armClock(_ now: Instant) {
    let period = config.clockPeriod.micros
    let jitter = Int64(generator.below(UInt64(max(1, period / 2))))
    timers.arm(.clock, at: now + Interval(micros: period - period / 4 + jitter))
  }

  mutating func askSomebody(_ now: Instant, _ effects: inout [LedgerEffect]) {
    if !links.up.isEmpty { ask(links.up[generator.below(links.up.count)], &effects) }
    armClock(now)
  }

  mutating func ask(_ peer: PublicKey, _ effects: inout [LedgerEffect]) {
    links[peer]?.hasAsked = true
    send(.clock(ClockMessage(question: currentClock().digest)), to: peer, &effects)
  }

  /// The clock and its digest, from the cache when nothing changed.
  mutating func currentClock() -> (lines: [ClockEntry], digest: Digest) {
    if let lines = clockCache.lines, let digest = clockCache.digest { return (lines, digest) }
    let lines = clock
    let digest = Self.digest(of: lines)
    clockCache.keep(lines, digest: digest)
    return (lines, digest)
  }

  /// BLAKE2b-256("tally/clock/1" ‖ per feed, ascending: feed ‖ size u64 ‖ root ‖ fork index + 1 u64, 0 = none).
  static func digest(of lines: [ClockEntry]) -> Digest {
    var writer = ByteWriter(capacity: lines.count * 80)
    for line in lines {
      writer.named(line.feed)
      writer.u64(line.size)
      writer.named(line.root)
      writer.u64(line.forkIndex.map { $0 + 1 } ?? 0)
    }
    return Digest(raw: Blake2b.hash256(tag: "tally/clock/1", [writer.bytes]))
  }

  // MARK: Answering

  mutating func onClock(
    _ message: ClockMessage, _ peer: PublicKey, _ now: Instant, _ effects: inout [LedgerEffect]
  ) {
    if message.step == .question {
      guard message.digest != currentClock().digest else { return }
      if let last = links[peer]?.answeredAt, now < last + LedgerLimits.clockPause {
        // Not dropped: a host that has just settled its guard asks once, and would wait a whole period for the next.
        links[peer]?.postponed = message.digest
        timers.arm(.answer(peer), at: last + LedgerLimits.clockPause)
        return
      }
      links[peer]?.answeredAt = now
      return sendClock(.answer, to: peer, &effects)
    }
    guard let page = message.page else { return }
    for line in page.entries { compare(line, peer, now, &effects) }
    if message.step == .answer && page.isLast && links[peer]?.hasAsked == true {
      links[peer]?.hasAsked = false
      sendClock(.return, to: peer, &effects)
    }
  }

  /// The pause after the last answer is over: a question that came meanwhile is answered, unless nothing differs now.
  mutating func answerPostponed(_ peer: PublicKey, _ now: Instant, _ effects: inout [LedgerEffect]) {
    guard let digest = links[peer]?.postponed else { return }
    links[peer]?.postponed = nil
    guard digest != currentClock().digest else { return }
    links[peer]?.answeredAt = now
    sendClock(.answer, to: peer, &effects)
  }

  private mutating func sendClock(_ step: ClockMessage.Step, to peer: PublicKey, _ effects: inout [LedgerEffect]) {
    let (lines, digest) = currentClock()
    for page in ClockPage.pages(of: lines) {
      send(.clock(ClockMessage(step, digest: digest, page: page)), to: peer, &effects)
    }
  }

  /// One line of a peer's clock against ours.
  private mutating func compare(
    _ line: ClockEntry, _ peer: PublicKey, _ now: Instant, _ effects: inout [LedgerEffect]
  ) {
    guard let feed = feeds[line.feed] else {
      if line.size > 0 && !admission.isRefused(line.feed) { requests.note(line.feed, size: line.size, peer: peer) }
      return
    }
    if line.feed == own.feed && !guardian.isSettled { return }  // ABOUT_YOU says it with signatures.
    if let fork = feed.fork, line.forkIndex.map({ $0 > fork.index }) ?? true { tellFork(line.feed, to: peer, &effects) }
    if line.size > feed.counted {
      if line.feed == own.feed {
        send(.getHead(GetHead(feed: line.feed)), to: peer, &effects)
      } else if line.size > feed.expectedEnd, feed.fork.map({ feed.stored.size < $0.index }) ?? true {
        requests.note(line.feed, size: line.size, peer: peer)
      }
      return
    }
    guard line.size > 0 else { return }
    if let root = feed.knownRoot(at: line.size) {
      if root != line.root { doubt(line.feed, peer, now, &effects) }
    } else {
      read(.root(feed: line.feed, size: line.size), for: .compareHint(peer, line), &effects)
    }
  }

  /// A clock's root is not ours: the signed head tells whether it is a fork.
  mutating func doubt(_ id: FeedID, _ peer: PublicKey, _ now: Instant, _ effects: inout [LedgerEffect]) {
    if id == own.feed { return send(.getHead(GetHead(feed: id)), to: peer, &effects) }
    search(id, with: peer, theirs: nil, isAboutRange: false, now, &effects)
  }

  // MARK: Acknowledgements

  mutating func onStored(_ body: Stored, _ peer: PublicKey, _ effects: inout [LedgerEffect]) {
    guard guardian.isSettled else { return }
    for item in body.items where item.feed == own.feed { onAcknowledged(peer, item.size, &effects) }
  }

  /// The first acknowledgement of a host is stored at once, since the host will be asked after a restart; later ones
  /// ride with the next own commit, so that an acknowledgement never costs a commit of its own.
  mutating func onAcknowledged(_ peer: PublicKey, _ size: UInt64, _ effects: inout [LedgerEffect]) {
    guard let feed = feeds[own.feed], size <= feed.stored.size, peer != config.me else { return }
    let isFirst = guardian.known[peer] == nil
    guard guardian.onAcknowledged(peer, size: size) else { return }
    effects.append(.acknowledged(feed: own.feed, by: peer, size: size))
    if isFirst && standing.canStore {
      store.add(.acknowledged(own.feed, by: peer, size: size))
    } else {
      unstoredAcknowledgements.insert(peer)
    }
  }
}
