// Owns: finding forks, proving them, and what follows for the feed. DESIGN section 9, "Fork proof", "After a fork".
// Evidence is two signed heads and paths; a head without a path is no evidence and in no clock.

import TallyBase
import TallyWire

extension Ledger {
  // MARK: Searching

  /// A signed head that is not above what we checked: the same as ours there, or a fork.
  mutating func compare(_ head: Head, _ peer: PublicKey, _ now: Instant, _ effects: inout [LedgerEffect]) {
    let id = head.feed
    guard let feed = feeds[id], head.size <= feed.counted else { return }
    let known = feed.knownRoot(at: head.size)
    if known == head.root { return }
    guard isSigned(head, by: feed.row.author, peer, &effects) else { return }
    if known == nil {
      read(.root(feed: id, size: head.size), for: .compareHead(peer, head), &effects)
    } else {
      search(id, with: peer, theirs: head, isAboutRange: false, now, &effects)
    }
  }

  /// False, and the peer's fault, when the author did not sign `head`.
  func isSigned(_ head: Head, by author: PublicKey, _ peer: PublicKey, _ effects: inout [LedgerEffect]) -> Bool {
    if head.isSigned(by: author, mesh: config.meshName) { return true }
    effects.append(.fault(peer, .badSignature, costsSession: true))
    return false
  }

  /// Our root at the size of a head whose signature holds.
  mutating func onRootRead(
    _ head: Head, _ peer: PublicKey, _ answer: ReadResult.Answer, _ now: Instant, _ effects: inout [LedgerEffect]
  ) {
    guard case .root(_, _, let root) = answer else { return }
    if head.feed == own.feed {
      onOwnRoot(head, root, peer, now, &effects)
    } else if root != head.root {
      search(head.feed, with: peer, theirs: head, isAboutRange: false, now, &effects)
    }
  }

  /// Begins to look for the least index in which `peer`'s tree differs. Without `theirs` its newest head is asked for.
  mutating func search(
    _ id: FeedID, with peer: PublicKey, theirs: Head?, isAboutRange: Bool, _ now: Instant,
    _ effects: inout [LedgerEffect]
  ) {
    guard links[peer] != nil, searches.mayBegin(id, with: peer, now: now), mayLeave(id) else { return }
    guard let ours = feeds[id]?.head else { return }
    searches[id] = ForkSearch(peer: peer, ours: ours, isAboutRange: isAboutRange)
    timers.arm(.search(id), at: now + LedgerLimits.forkTimeout)
    if let theirs {
      descend(id, theirs, now, &effects)
    } else {
      send(.getHead(GetHead(feed: id)), to: peer, &effects)
    }
  }

  private mutating func descend(_ id: FeedID, _ theirs: Head, _ now: Instant, _ effects: inout [LedgerEffect]) {
    guard var search = searches[id] else { return }
    let outcome = search.begin(theirs: theirs)
    searches[id] = search
    follow(id, outcome, now, &effects)
  }

  mutating func onHead(_ body: HeadAnswer, _ peer: PublicKey, _ now: Instant, _ effects: inout [LedgerEffect]) {
    let id = body.feed
    if id == own.feed {
      if let head = body.head { _ = onOwnHead(head, peer, now, &effects) }
      return
    }
    if let search = searches[id], search.peer == peer, search.descent == nil {
      guard let head = body.head, let feed = feeds[id], head.root != search.ours.root else { return endSearch(id) }
      guard isSigned(head, by: feed.row.author, peer, &effects) else { return endSearch(id) }
      return descend(id, head, now, &effects)
    }
    // "I do not hold that range."
    guard let asked = requests.asked(of: id), asked.peer == peer else { return }
    finishRequest(id)
    requests.forget(id, peer: peer)
    requests.wait(id)
  }

  mutating func onPath(_ answer: PathAnswer, _ peer: PublicKey, _ now: Instant, _ effects: inout [LedgerEffect]) {
    let id = answer.question.feed
    guard var search = searches[id], search.peer == peer, search.descent != nil else {
      // A proof from elsewhere may have ended the search while the answer was on its way.
      if feeds[id]?.fork == nil { effects.append(.fault(peer, .unasked(.path), costsSession: false)) }
      return
    }
    let outcome = search.onTheirPath(answer)
    searches[id] = search
    follow(id, outcome, now, &effects)
  }

  mutating func onOwnPath(
    _ id: FeedID, _ index: UInt64, _ answer: ReadResult.Answer, _ now: Instant, _ effects: inout [LedgerEffect]
  ) {
    guard var search = searches[id], search.descent?.asks == index else { return }
    guard case .inclusion(_, index, search.ours.size, let leaf, let path) = answer else {
      return follow(id, .failed, now, &effects)
    }
    let outcome = search.onOwnPath(leaf: leaf, path: path)
    searches[id] = search
    follow(id, outcome, now, &effects)
  }

  private mutating func follow(
    _ id: FeedID, _ outcome: ForkSearch.Outcome, _ now: Instant, _ effects: inout [LedgerEffect]
  ) {
    guard let search = searches[id], let feed = feeds[id] else { return }
    switch outcome {
    case .wait: return
    case .ask(let index, let theirSize):
      timers.arm(.search(id), at: now + LedgerLimits.forkTimeout)
      read(
        .inclusion(feed: id, index: index, size: search.ours.size), for: .ownPath(id, index: index), &effects)
      send(.getPath(GetPath(feed: id, index: index, size: theirSize)), to: search.peer, &effects)
      return
    case .found(let proof):
      endSearch(id)
      let notice = ForkNotice(author: feed.row.author, incarnation: feed.row.incarnation, proof: proof)
      adopt(notice, from: nil, now, &effects)
    case .joined:
      endSearch(id)
      if search.isAboutRange { effects.append(.fault(search.peer, .wrongEntries, costsSession: true)) }
    case .broken:
      endSearch(id)
      effects.append(.fault(search.peer, .wrongPath, costsSession: true))
    case .failed: endSearch(id)
    }
  }

  mutating func endSearch(_ id: FeedID) {
    searches[id] = nil
    timers.cancel(.search(id))
    requests.wait(id)
  }

  /// No head or no path came: withheld. No evidence; this peer is not asked about the feed again for a while.
  mutating func searchTimedOut(_ id: FeedID, _ now: Instant, _ effects: inout [LedgerEffect]) {
    guard let search = searches[id] else { return }
    endSearch(id)
    searches.withhold(id, peer: search.peer, now: now)
    if let head = search.descent?.other {
      effects.append(.event(.headWithheld(feed: id, size: head.size, by: search.peer)))
    }
    effects.append(.fault(search.peer, .silent, costsSession: false))
  }

  // MARK: Proofs

  mutating func onForkNotice(
    _ notice: ForkNotice, _ peer: PublicKey, _ now: Instant, _ effects: inout [LedgerEffect]
  ) {
    let id = notice.proof.feed
    if let fork = feeds[id]?.fork, fork.index <= notice.proof.index {
      if fork.index < notice.proof.index {
        tellFork(id, to: peer, &effects)
      } else {
        links[peer]?.knowsFork.insert(id)
      }
      return
    }
    guard isDerived(id, from: notice.author, notice.incarnation) else {
      effects.append(.fault(peer, .wrongForkProof, costsSession: true))
      return
    }
    adopt(notice, from: peer, now, &effects)
  }

  /// Checks a proof, keeps it when its index is the least known, tells it on, and sets everything from there aside.
  private mutating func adopt(
    _ notice: ForkNotice, from peer: PublicKey?, _ now: Instant, _ effects: inout [LedgerEffect]
  ) {
    let proof = notice.proof
    let id = proof.feed
    guard isCarriedOrAdmitted(notice, peer) else { return }
    guard holds(notice), let mark = Self.mark(of: proof) else {
      forgetIfEmpty(id)
      if let peer { effects.append(.fault(peer, .wrongForkProof, costsSession: true)) }
      return
    }
    let waiting = feeds[id]?.queue.count ?? 0
    guard feeds[id]?.onFork(mark) == true else { return }
    queuedRanges -= waiting - (feeds[id]?.queue.count ?? 0)
    if feeds[id]?.isRowStored == false, let row = feeds[id]?.row, id != own.feed {
      store.add(.row(row))
      feeds[id]?.isRowStored = true
    }
    if standing.canStore { store.add(.fork(id, index: mark.index, proof: proof.encoded)) }
    clockCache.invalidate()
    endSearch(id)
    for other in links.up {
      links[other]?.knowsFork.remove(id)
      if other == peer { links[other]?.knowsFork.insert(id) }
      tellFork(id, to: other, &effects)
    }
    effects.append(.forked(feed: id, index: mark.index))
    effects.append(.event(.forkFound(feed: id, author: notice.author, index: mark.index)))
    if id == own.feed { contradicted(.otherRoot(size: mark.index), nil, peer, now, &effects) }
  }

  private mutating func isCarriedOrAdmitted(_ notice: ForkNotice, _ peer: PublicKey?) -> Bool {
    let id = notice.proof.feed
    if feeds[id] != nil { return true }
    let word = FeedIntroduction(author: notice.author, incarnation: notice.incarnation, reason: .member)
    guard let peer, let reason = admission.reason(for: id, by: word, from: peer, me: config.me) else { return false }
    guard feeds.count < LedgerLimits.feeds, feeds.of(notice.author).count < LedgerLimits.feedsPerAuthor else {
      return false
    }
    feeds.insert(
      CarriedFeed(
        row: FeedRow(feed: id, author: notice.author, incarnation: notice.incarnation, reason: reason)))
    return true
  }

  private func holds(_ notice: ForkNotice) -> Bool {
    do throws(ForkProofFault) {
      try notice.proof.verify(
        meshID: config.meshID, mesh: config.meshName, author: notice.author, incarnation: notice.incarnation)
      return true
    } catch {
      return false
    }
  }

  /// Sends the proof to a peer that may not know it. Once per link and index.
  mutating func tellFork(_ id: FeedID, to peer: PublicKey, _ effects: inout [LedgerEffect]) {
    guard let feed = feeds[id], let fork = feed.fork, links[peer]?.knowsFork.insert(id).inserted == true else { return }
    send(
      .forkProof(ForkNotice(author: feed.row.author, incarnation: feed.row.incarnation, proof: fork.proof)),
      to: peer, &effects)
  }
}
