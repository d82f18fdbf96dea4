// Owns: answering other hosts' questions about feeds, from the store's reader. DESIGN sections 8 and 9.
// Nothing of the own feed is served before it was released, and nothing above a fork but the run that straddles it.

import TallyBase
import TallyWire

extension Ledger {
  /// Starts a read on account of `purpose.peer`; false when that peer, or everybody, has enough under way.
  @discardableResult
  mutating func read(
    _ question: ReadRequest.Question, for purpose: ReadPurpose, _ effects: inout [LedgerEffect]
  ) -> Bool {
    if let peer = purpose.peer, !isForGuard(purpose) {
      guard reads.count < LedgerLimits.reads, let link = links[peer], link.reads < LedgerLimits.readsPerPeer else {
        return false
      }
    }
    if let peer = purpose.peer { links[peer]?.reads += 1 }
    effects.append(.read(ReadRequest(id: reads.add(purpose), question: question)))
    return true
  }

  /// What the restore guard must know is never refused for want of room: it is asked once per link.
  private func isForGuard(_ purpose: ReadPurpose) -> Bool {
    guard !guardian.isSettled, case .compareHead(_, let head) = purpose else { return false }
    return head.feed == own.feed
  }

  mutating func serve(_ question: GetRange, _ peer: PublicKey, _ effects: inout [LedgerEffect]) {
    let id = question.feed
    guard let feed = feeds[id], mayLeave(id) else { return answerHead(id, to: peer, &effects) }
    if feed.fork != nil { tellFork(id, to: peer, &effects) }
    let end = min(question.to, feed.counted)
    guard question.from < end else { return answerHead(id, to: peer, &effects) }
    serve(.range(feed: id, from: question.from, to: end), for: .serveRange(peer, question), peer, &effects)
  }

  mutating func serve(_ question: GetPath, _ peer: PublicKey, _ effects: inout [LedgerEffect]) {
    guard let feed = feeds[question.feed], mayLeave(question.feed), question.size <= feed.stored.size else { return }
    serve(
      .inclusion(feed: question.feed, index: question.index, size: question.size),
      for: .servePath(peer, question), peer, &effects)
  }

  mutating func serve(_ question: GetHead, _ peer: PublicKey, _ effects: inout [LedgerEffect]) {
    answerHead(question.feed, to: peer, &effects)
  }

  private mutating func serve(
    _ question: ReadRequest.Question, for purpose: ReadPurpose, _ peer: PublicKey, _ effects: inout [LedgerEffect]
  ) {
    if !read(question, for: purpose, &effects) {
      effects.append(.fault(peer, .tooManyRequests, costsSession: false))
    }
  }

  private func answerHead(_ id: FeedID, to peer: PublicKey, _ effects: inout [LedgerEffect]) {
    let head = mayLeave(id) ? feeds[id]?.head : nil
    send(.head(HeadAnswer(feed: id, head: head)), to: peer, &effects)
  }

  public mutating func onRead(_ result: ReadResult, now: Instant, into effects: inout [LedgerEffect]) {
    guard let purpose = reads.take(result.id) else { preconditionFailure("an answer to read \(result.id), not asked") }
    if let peer = purpose.peer, let link = links[peer], link.reads > 0 { links[peer]?.reads -= 1 }
    switch purpose {
    case .serveRange(let peer, let question): served(question, result.answer, peer, isStraddle: false, &effects)
    case .serveStraddle(let peer, let question): served(question, result.answer, peer, isStraddle: true, &effects)
    case .servePath(let peer, let question):
      if case .inclusion(_, _, _, let leaf, let path) = result.answer, mayLeave(question.feed) {
        send(.path(PathAnswer(question, leaf: leaf, path: path)), to: peer, &effects)
      }
    case .compareHead(let peer, let head): onRootRead(head, peer, result.answer, now, &effects)
    case .compareHint(let peer, let line):
      if case .root(_, _, let root) = result.answer, root != line.root { doubt(line.feed, peer, now, &effects) }
    case .ownPath(let feed, let index): onOwnPath(feed, index, result.answer, now, &effects)
    }
    pump(now, &effects)
  }

  private mutating func served(
    _ question: GetRange, _ answer: ReadResult.Answer, _ peer: PublicKey, isStraddle: Bool,
    _ effects: inout [LedgerEffect]
  ) {
    let id = question.feed
    guard let feed = feeds[id], mayLeave(id) else { return }
    switch answer {
    case .range(_, let from, let entries, let head) where !entries.isEmpty:
      let introduction = introduction(of: feed.row, from: from)
      send(
        .range(Push(head: head, from: from, introduction: introduction, entries: entries)), to: peer, &effects)
    case .head(let head) where !isStraddle && head.size > question.from:
      // No kept head lies between the question and the fork: only this one proves what is below it.
      serve(
        .range(feed: id, from: question.from, to: head.size), for: .serveStraddle(peer, question), peer, &effects)
    case .absent where !isStraddle && feed.counted < feed.stored.size:
      serve(
        .headAtLeast(feed: id, size: feed.counted), for: .serveRange(peer, question), peer, &effects)
    default: answerHead(id, to: peer, &effects)
    }
  }
}
