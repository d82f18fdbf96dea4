// Pushes over links: each host gets each once to relay, whatever the order; queues and memory are bounded.
import TallyBase
import TallyWire
import Testing

@testable import TallyGossip

struct BroadcastTests {
  func name(_ feed: Int, _ size: UInt64, root: UInt64 = 0) -> PushName {
    PushName(
      feed: FeedID(raw: Bytes32(word0: UInt64(feed), word1: 0, word2: 0, word3: 1)), size: size,
      root: Digest(raw: Bytes32(word0: size, word1: root, word2: 0, word3: 0)))
  }
  func key(_ number: Int) -> PublicKey { PublicKey(raw: Bytes32(word0: UInt64(number), word1: 1, word2: 1, word3: 1)) }

  func make(_ peers: Int) -> Broadcast {
    var broadcast = Broadcast()
    for peer in 1...peers { broadcast.onLinkUp(key(peer)) }
    return broadcast
  }

  func receivers(_ effects: [MeshEffect]) -> [PublicKey] {
    effects.compactMap { if case .link(let to, _) = $0 { to } else { nil } }
  }

  @Test func aPushGoesToAllLinksButThoseItCameFrom() {
    var broadcast = make(5)
    var effects: [MeshEffect] = []
    #expect(broadcast.onPush(name(1, 4), from: key(2)) == .new)
    #expect(broadcast.onPush(name(1, 4), from: key(4)) == .duplicate)
    broadcast.relay([1], name(1, 4), from: key(2), now: at(0), into: &effects)
    #expect(receivers(effects) == [key(1), key(3), key(5)])
    effects = []
    broadcast.publish([2], name(2, 1), now: at(0), into: &effects)
    #expect(receivers(effects).count == 5)
    // An echo of our own is a duplicate.
    #expect(broadcast.onPush(name(2, 1), from: key(1)) == .duplicate)
  }

  @Test func sameSizeWithAnotherRootIsForTheForkCheck() {
    var broadcast = make(2)
    #expect(broadcast.onPush(name(1, 4), from: key(1)) == .new)
    #expect(broadcast.onPush(name(1, 4, root: 9), from: key(2)) == .conflict)
    broadcast.forget(name(1, 4))
    #expect(broadcast.onPush(name(1, 4, root: 9), from: key(2)) == .new)
  }

  @Test func duplicatesAreExactInAnyOrderWithinTheMemory() {
    var broadcast = make(1)
    var generator = Generator(seed: .zero, stream: 8)
    var sizes = (1...UInt64(GossipLimits.pushesPerFeed)).map { $0 * 3 }
    generator.permute(&sizes)
    for size in sizes { #expect(broadcast.onPush(name(1, size), from: key(1)) == .new) }
    generator.permute(&sizes)
    for size in sizes { #expect(broadcast.onPush(name(1, size), from: key(1)) == .duplicate) }
    #expect(broadcast.onPush(name(1, 4), from: key(1)) == .new)
  }

  @Test func whatFellOutOfMemoryIsStaleAndNeverNewAgain() {
    var broadcast = make(1)
    for size in 1...UInt64(GossipLimits.pushesPerFeed + 10) {
      #expect(broadcast.onPush(name(1, size), from: key(1)) == .new)
    }
    for size in 1...UInt64(10) { #expect(broadcast.onPush(name(1, size), from: key(1)) == .stale) }
    #expect(broadcast.onPush(name(1, 11), from: key(1)) == .duplicate)
  }

  @Test func theOldestFeedIsForgottenFirst() {
    var broadcast = make(1)
    for feed in 0...GossipLimits.pushFeeds { _ = broadcast.onPush(name(feed, 1), from: key(1)) }
    #expect(broadcast.onPush(name(GossipLimits.pushFeeds, 1), from: key(1)) == .duplicate)
    #expect(broadcast.onPush(name(0, 1), from: key(1)) == .new)
  }

  @Test func aCongestedLinkIsToldOfTheNewestHeadsInPlaceOfPushes() throws {
    var broadcast = make(2)
    var effects: [MeshEffect] = []
    broadcast.linkCongested(key(1))
    for size in 1...UInt64(3) { broadcast.publish([9], name(1, size), now: at(0), into: &effects) }
    broadcast.publish([9], name(2, 1), now: at(0), into: &effects)
    #expect(receivers(effects) == [key(2), key(2), key(2), key(2)])
    effects = []
    broadcast.wake(now: at(1), into: &effects)
    let expected = LogMessage.ihave(IHave([name(1, 3), name(2, 1)])).encoded
    #expect(effects == [.link(to: key(1), message: expected)])
    effects = []
    broadcast.linkDrained(key(1), now: at(1), into: &effects)
    broadcast.publish([9], name(1, 4), now: at(1), into: &effects)
    #expect(receivers(effects) == [key(1), key(2)])
  }

  @Test func announcementsAreBounded() {
    var broadcast = make(1)
    var effects: [MeshEffect] = []
    broadcast.linkCongested(key(1))
    for feed in 0..<GossipLimits.announcements + 5 { broadcast.publish([9], name(feed, 1), now: at(0), into: &effects) }
    #expect(broadcast.announcementsDropped == 5)
    broadcast.wake(now: at(1), into: &effects)
    #expect(receivers(effects).count == 1)
  }

  @Test func anUnknownAnnouncementIsPulledAndAKnownOneIsNot() {
    var broadcast = make(2)
    var effects: [MeshEffect] = []
    _ = broadcast.onPush(name(1, 2), from: key(1))
    broadcast.onIHave([name(1, 2), name(1, 3)], from: key(2), now: at(0), into: &effects)
    #expect(effects == [.pull(name(1, 3), from: key(2))])
    // The announcement is not the push.
    #expect(broadcast.onPush(name(1, 3), from: key(1)) == .new)
    // A neighbour that announced it needs no push of it.
    effects = []
    broadcast.relay([1], name(1, 2), from: key(1), now: at(0), into: &effects)
    #expect(effects.isEmpty)
  }

  @Test func holdersOfOnePushAreBounded() {
    var broadcast = make(GossipLimits.pushHolders + 4)
    var effects: [MeshEffect] = []
    for peer in 1...GossipLimits.pushHolders + 4 { _ = broadcast.onPush(name(1, 1), from: key(peer)) }
    broadcast.relay([1], name(1, 1), from: key(1), now: at(0), into: &effects)
    #expect(receivers(effects).count == 4)
  }

  @Test func everyHostOfARandomGraphIsReachedAndRelaysOnce() {
    let count = 50
    var hosts = (0..<count).map { _ in Broadcast() }
    var edges: [[Int]] = Array(repeating: [], count: count)
    var generator = Generator(seed: .zero, stream: 12)
    for host in 0..<count {
      for peer in [(host + 1) % count, generator.below(count)] where peer != host && !edges[host].contains(peer) {
        edges[host].append(peer)
        edges[peer].append(host)
      }
    }
    for host in 0..<count { for peer in edges[host] { hosts[host].onLinkUp(key(peer + 1)) } }
    var queue: [(from: Int, to: Int)] = []
    var relays = [Int](repeating: 0, count: count)
    func route(_ effects: [MeshEffect], _ from: Int, _ queue: inout [(from: Int, to: Int)]) {
      for case .link(let to, _) in effects { queue.append((from, Int(to.raw.word0) - 1)) }
    }
    var effects: [MeshEffect] = []
    hosts[0].publish([5], name(1, 1), now: at(0), into: &effects)
    route(effects, 0, &queue)
    var copies = 0
    while !queue.isEmpty {
      let (from, to) = queue.remove(at: generator.below(queue.count))
      copies += 1
      guard hosts[to].onPush(name(1, 1), from: key(from + 1)) == .new else { continue }
      relays[to] += 1
      effects = []
      hosts[to].relay([5], name(1, 1), from: key(from + 1), now: at(0), into: &effects)
      route(effects, to, &queue)
    }
    #expect(relays.dropFirst().allSatisfy { $0 == 1 } && relays[0] == 0)
    #expect(copies <= edges.reduce(0) { $0 + $1.count })
  }
}
