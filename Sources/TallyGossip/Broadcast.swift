// Owns: which pushes were seen, and to which links each goes.
// Refuses to know: what a push holds and whether it is true.
// A flood over few links with exact deduplication; the tree of Plumtree (Leitão et al. 2007) comes later.

import TallyBase
import TallyWire

public struct Broadcast: Sendable {
  /// What to do with a push that came from a neighbour.
  public enum Verdict: Hashable, Sendable {
    /// Not seen before: check it; when it holds, `relay` it, else `forget` it.
    case new
    /// Seen, the same head.
    case duplicate
    /// Below what is remembered of its feed: nothing here can tell whether it was seen. Reconciliation's business.
    case stale
    /// A known size with another root: goes to the fork check.
    case conflict
  }

  private struct Seen {
    let size: UInt64
    let root: Digest
    /// Neighbours from which it came.
    var holders: [PublicKey]
  }

  /// What is remembered of one feed: its newest pushes, by size.
  private struct FeedMemory {
    /// Sizes up to this one are no longer remembered.
    var floor: UInt64 = 0
    var seen: [Seen] = []
  }

  private struct Neighbour {
    var isCongested = false
    /// Heads that it was not pushed, newest of each feed, in order of feeds' arrival.
    var announcements: [PushName] = []
  }

  private var feeds: [FeedID: FeedMemory] = [:]
  /// Feeds in the order in which they came: the oldest is forgotten first.
  private var order: [FeedID] = []
  private var oldest = 0
  private var neighbours: [PublicKey: Neighbour] = [:]
  private var peers: [PublicKey] = []
  private var timers = TimerTable<PublicKey>()
  /// Announcements that gave way to newer ones: the clock finds those feeds later.
  public private(set) var announcementsDropped = 0

  public init() {}

  // MARK: Links

  public mutating func onLinkUp(_ peer: PublicKey) {
    guard neighbours[peer] == nil else { return }
    neighbours[peer] = Neighbour()
    peers.insert(peer, at: peers.partition(before: peer))
  }

  public mutating func onLinkDown(_ peer: PublicKey) {
    neighbours[peer] = nil
    peers.removeAll { $0 == peer }
    timers.cancel(peer)
  }

  /// The node's queue for this link is above its mark: announce instead of pushing until `linkDrained`.
  public mutating func linkCongested(_ peer: PublicKey) { neighbours[peer]?.isCongested = true }

  public mutating func linkDrained(_ peer: PublicKey, now: Instant, into effects: inout [MeshEffect]) {
    neighbours[peer]?.isCongested = false
    announce(to: peer, into: &effects)
  }

  // MARK: Pushes

  /// A push of this name came from `peer`: ask before checking it. O(pushes remembered of its feed).
  public mutating func onPush(_ name: PushName, from peer: PublicKey) -> Verdict {
    switch verdict(on: name) {
    case .duplicate:
      note(name, heldBy: peer)
      return .duplicate
    case .new:
      remember(name, holder: peer)
      return .new
    case .stale: return .stale
    case .conflict: return .conflict
    }
  }

  /// An own commit was released: to every link.
  public mutating func publish(_ push: [UInt8], _ name: PushName, now: Instant, into effects: inout [MeshEffect]) {
    if verdict(on: name) == .new { remember(name, holder: nil) }
    send(push, name, except: nil, now: now, into: &effects)
  }

  /// A foreign push was checked: on it goes to every link but those it came from.
  public mutating func relay(
    _ push: [UInt8], _ name: PushName, from peer: PublicKey, now: Instant, into effects: inout [MeshEffect]
  ) {
    if verdict(on: name) == .new { remember(name, holder: peer) }
    send(push, name, except: peer, now: now, into: &effects)
  }

  /// A push turned out wrong: forget that it was seen, so that the true one is not taken for a duplicate or a fork.
  public mutating func forget(_ name: PushName) {
    feeds[name.feed]?.seen.removeAll { $0.size == name.size && $0.root == name.root }
  }

  /// A neighbour announced heads: those not seen here are to be pulled from it.
  public mutating func onIHave(
    _ names: [PushName], from peer: PublicKey, now: Instant, into effects: inout [MeshEffect]
  ) {
    for name in names {
      switch verdict(on: name) {
      // Not remembered as seen: an announcement is not the push, which may still come from another neighbour.
      case .new, .conflict: effects.append(.pull(name, from: peer))
      case .duplicate: note(name, heldBy: peer)
      case .stale: break
      }
    }
  }

  public var nextDeadline: Instant? { timers.next }

  public mutating func wake(now: Instant, into effects: inout [MeshEffect]) {
    while let peer = timers.popDue(now) { announce(to: peer, into: &effects) }
  }

  // MARK: Memory

  private func verdict(on name: PushName) -> Verdict {
    guard let memory = feeds[name.feed] else { return .new }
    if memory.seen.contains(where: { $0.size == name.size && $0.root == name.root }) { return .duplicate }
    if memory.seen.contains(where: { $0.size == name.size }) { return .conflict }
    return name.size <= memory.floor ? .stale : .new
  }

  private mutating func remember(_ name: PushName, holder: PublicKey?) {
    if feeds[name.feed] == nil { makeRoom(for: name.feed) }
    var memory = feeds[name.feed] ?? FeedMemory()
    let place = memory.seen.firstIndex { name.size < $0.size } ?? memory.seen.count
    memory.seen.insert(Seen(size: name.size, root: name.root, holders: holder.map { [$0] } ?? []), at: place)
    if memory.seen.count > GossipLimits.pushesPerFeed {
      memory.floor = max(memory.floor, memory.seen.removeFirst().size)
    }
    feeds[name.feed] = memory
  }

  private mutating func note(_ name: PushName, heldBy peer: PublicKey) {
    guard let index = feeds[name.feed]?.seen.firstIndex(where: { $0.size == name.size && $0.root == name.root }),
      let holders = feeds[name.feed]?.seen[index].holders, holders.count < GossipLimits.pushHolders,
      !holders.contains(peer)
    else { return }
    feeds[name.feed]?.seen[index].holders.append(peer)
  }

  private mutating func makeRoom(for feed: FeedID) {
    if order.count == GossipLimits.pushFeeds {
      feeds[order[oldest]] = nil
      order[oldest] = feed
      oldest = (oldest + 1) % GossipLimits.pushFeeds
    } else {
      order.append(feed)
    }
  }

  // MARK: Sending

  private mutating func send(
    _ push: [UInt8], _ name: PushName, except source: PublicKey?, now: Instant, into effects: inout [MeshEffect]
  ) {
    let holders = feeds[name.feed]?.seen.first { $0.size == name.size && $0.root == name.root }?.holders ?? []
    for peer in peers where peer != source && !holders.contains(peer) {
      if neighbours[peer]?.isCongested == true {
        postpone(name, to: peer, now: now)
      } else {
        effects.append(.link(to: peer, message: push))
      }
    }
  }

  /// Puts a head on the list of a congested neighbour; a newer head of a feed replaces its older one.
  private mutating func postpone(_ name: PushName, to peer: PublicKey, now: Instant) {
    neighbours[peer]?.announcements.removeAll { $0.feed == name.feed }
    if let count = neighbours[peer]?.announcements.count, count >= GossipLimits.announcements {
      neighbours[peer]?.announcements.removeFirst()
      announcementsDropped += 1
    }
    neighbours[peer]?.announcements.append(name)
    if !timers.isArmed(peer) { timers.arm(peer, at: now + GossipLimits.announceDelay) }
  }

  private mutating func announce(to peer: PublicKey, into effects: inout [MeshEffect]) {
    timers.cancel(peer)
    guard let names = neighbours[peer]?.announcements, !names.isEmpty else { return }
    neighbours[peer]?.announcements = []
    effects.append(.link(to: peer, message: LogMessage.ihave(IHave(names)).encoded))
  }
}
