// Owns: how two neighbours bring their views together: whole views when a link comes up, digests now and again.
// Refuses to know: what the statements mean.

import TallyBase
import TallyWire

extension Membership {
  /// First words on a link: who I am, who says so, and what I know, in one digest.
  mutating func greet(_ peer: PublicKey, into effects: inout [MeshEffect]) {
    guard let ownRecord else { return }
    let items: [Members.Item] = [.record(ownRecord)] + ownReached.map { .reached($0) }
    effects.append(.link(to: peer, message: Members(view: nil, items: items).message))
    ask(peer, into: &effects)
  }

  mutating func ask(_ peer: PublicKey, into effects: inout [MeshEffect]) {
    links[peer]?.isAsked = true
    effects.append(.link(to: peer, message: GetMembers(view: refreshView()).message))
  }

  mutating func refreshView() -> ShortDigest {
    let digest = view ?? digest()
    view = digest
    return digest
  }

  mutating func onMembers(_ page: Members, from peer: PublicKey, now: Instant, into effects: inout [MeshEffect]) {
    for item in page.items { take(item, from: peer, now: now, into: &effects) }
  }

  mutating func onGetMembers(
    _ question: GetMembers, from peer: PublicKey, now: Instant, into effects: inout [MeshEffect]
  ) {
    guard var link = links[peer] else { return }
    let mine = refreshView()
    guard question.view != mine else { return }
    if let answered = link.answered {
      if now < answered.at + GossipLimits.answerInterval {
        effects.append(.fault(peer, .tooManyQuestions))
        return
      }
      let isSame = answered.mine == mine && answered.theirs == question.view
      // This pair of views was told about before, and nothing came of it.
      if isSame && now < answered.at + GossipLimits.answerSamePair { return }
    }
    link.answered = (mine, question.view, now)
    links[peer] = link
    tell(peer, view: mine, into: &effects)
  }

  /// Everything this host knows of members, in pages.
  private mutating func tell(_ peer: PublicKey, view: ShortDigest?, into effects: inout [MeshEffect]) {
    var items: [Members.Item] = []
    if let ownRecord, isAdmitted {
      items.append(.record(ownRecord))
      items += ownReached.map { .reached($0) }
    }
    for key in keys where hosts[key]?.standing != .candidate { items += hosts[key]?.items ?? [] }
    for page in Members.pages(items, view: view) { effects.append(.link(to: peer, message: page.message)) }
  }

  /// The last page of an answer to our question came: when we know more than it held, the other side is told once.
  mutating func answerBack(_ peer: PublicKey, message: [UInt8], into effects: inout [MeshEffect]) {
    guard links[peer]?.isAsked == true, let theirs = Self.view(inPage: message) else { return }
    links[peer]?.isAsked = false
    guard theirs != refreshView() else { return }
    tell(peer, view: nil, into: &effects)
  }

  /// The view on a page, without decoding it again; nil on any but a last page.
  private static func view(inPage message: [UInt8]) -> ShortDigest? {
    guard message.count > 18, message[1] == 1 else { return nil }
    var reader = ByteReader(message, from: 2, to: 18)
    do { return try ShortDigest(reading: &reader) } catch { return nil }
  }

  /// One random neighbour is asked whether it knows what we know.
  mutating func exchangeDue(now: Instant, into effects: inout [MeshEffect]) {
    timers.arm(.exchange, at: now + generator.jittered(GossipLimits.exchangeInterval, percent: 30))
    let peers = linkedPeers
    guard !peers.isEmpty else { return }
    ask(peers[generator.below(peers.count)], into: &effects)
  }
}
