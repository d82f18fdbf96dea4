// Owns: who said that it has more of which feed, and what was asked of whom. Refuses to know: what the answers mean.
// Ranges in flight are not asked for again. DESIGN section 8.

import TallyBase

struct RangeRequests: Sendable {
  struct Asked: Sendable {
    let peer: PublicKey
    let from: UInt64
  }

  private struct Source: Sendable {
    let peer: PublicKey
    var size: UInt64
  }

  private var sources: [FeedID: [Source]] = [:]
  private var asked: [FeedID: Asked] = [:]
  private var askedOf: [PublicKey: Int] = [:]
  /// Feeds to look at, first come first served, each once.
  private var waiting: [FeedID] = []
  private var isWaiting: Set<FeedID> = []

  var inFlight: Int { asked.count }
  func asked(of feed: FeedID) -> Asked? { asked[feed] }

  /// `peer` has at least `size` entries, so it says. False when too many others said so before.
  mutating func note(_ feed: FeedID, size: UInt64, peer: PublicKey) {
    var list = sources[feed] ?? []
    if let place = list.firstIndex(where: { $0.peer == peer }) {
      list[place].size = max(list[place].size, size)
    } else if list.count < LedgerLimits.sourcesPerFeed {
      list.append(Source(peer: peer, size: size))
    } else if let least = list.indices.min(by: { list[$0].size < list[$1].size }), list[least].size < size {
      list[least] = Source(peer: peer, size: size)
    } else {
      return
    }
    sources[feed] = list
    wait(feed)
  }

  mutating func wait(_ feed: FeedID) {
    guard sources[feed] != nil, asked[feed] == nil, isWaiting.insert(feed).inserted else { return }
    waiting.append(feed)
  }

  /// The next feeds to look at, at most as many as may be asked for.
  mutating func takeWaiting() -> [FeedID] {
    let count = min(waiting.count, max(0, LedgerLimits.requests - asked.count))
    let taken = Array(waiting.prefix(count))
    waiting.removeFirst(count)
    for feed in taken { isWaiting.remove(feed) }
    return taken
  }

  /// A peer with more than `size` entries whom something may be asked. `isBusy` when all those are asked enough.
  func source(of feed: FeedID, beyond size: UInt64) -> (peer: PublicKey?, isBusy: Bool) {
    let able = (sources[feed] ?? []).filter { $0.size > size }
    let free = able.first { askedOf[$0.peer, default: 0] < LedgerLimits.requestsPerPeer }
    return (free?.peer, free == nil && !able.isEmpty)
  }

  mutating func ask(_ feed: FeedID, _ request: Asked) {
    precondition(asked[feed] == nil, "a second request for one feed")
    asked[feed] = request
    askedOf[request.peer, default: 0] += 1
  }

  /// The request for `feed` is over, answered or not.
  mutating func finish(_ feed: FeedID) -> Asked? {
    guard let request = asked.removeValue(forKey: feed) else { return nil }
    let left = askedOf[request.peer, default: 1] - 1
    askedOf[request.peer] = left > 0 ? left : nil
    return request
  }

  /// `peer` does not have what it said.
  mutating func forget(_ feed: FeedID, peer: PublicKey) {
    sources[feed]?.removeAll { $0.peer == peer }
    if sources[feed]?.isEmpty == true { sources[feed] = nil }
  }

  mutating func forgetFeed(_ feed: FeedID) { sources[feed] = nil }

  /// `peer` is gone. Returns the feeds whose request it held, ascending.
  mutating func onPeerDown(_ peer: PublicKey) -> [FeedID] {
    for feed in Array(sources.keys) { forget(feed, peer: peer) }
    return asked.filter { $0.value.peer == peer }.map(\.key).sorted()
  }
}
