// Owns: which leaf of which blob is on its way from whom, and who here waits for it.
// Refuses to know: the bytes' meaning, and how a leaf is checked and stored (the shell does it on the store threads).
import TallyBase
import TallyCrypto
import TallyWire

/// Names one leaf.
struct LeafKey: Hashable, Comparable, Sendable {
  let id: ContentID
  let leaf: UInt32
  static func < (left: LeafKey, right: LeafKey) -> Bool { (left.id, left.leaf) < (right.id, right.leaf) }
}

/// Fetches leaves from peers, at most eight on their way from each, and serves them.
struct Leaves: Sendable {
  private struct Want: Sendable {
    let peer: PublicKey
    var tries = 0
    var isInFlight = false
    /// The first half, once it has come.
    var firstPart: LeafMessage?
  }

  /// Taken from the front in O(1) amortised: a large blob queues tens of thousands of leaves.
  private struct Queue: Sendable {
    private var keys: [LeafKey] = []
    private var taken = 0
    var isEmpty: Bool { taken == keys.count }

    mutating func append(_ key: LeafKey) { keys.append(key) }

    mutating func popFirst() -> LeafKey {
      let key = keys[taken]
      taken += 1
      if taken > 1024 && taken * 2 > keys.count {
        keys.removeFirst(taken)
        taken = 0
      }
      return key
    }
  }

  private var wants: [LeafKey: Want] = [:]
  /// Leaves not yet asked for, in order, by the peer that holds them.
  private var queues: [PublicKey: Queue] = [:]
  private var inFlight: [PublicKey: Int] = [:]
  private var serving: [PublicKey: Int] = [:]
  private var timers = TimerTable<LeafKey>()

  var nextDeadline: Instant? { timers.next }
  var waitingCount: Int { wants.count }

  /// Asks `peer` for a leaf. False when too many are waiting already; asking twice for one leaf is harmless.
  mutating func fetch(
    _ id: ContentID, leaf: UInt32, from peer: PublicKey, now: Instant, into effects: inout [ExchangeEffect]
  ) -> Bool {
    let key = LeafKey(id: id, leaf: leaf)
    if wants[key] != nil { return true }
    guard wants.count < ExchangeLimits.leavesQueuedMax else { return false }
    wants[key] = Want(peer: peer)
    queues[peer, default: Queue()].append(key)
    pump(peer, now: now, into: &effects)
    return true
  }

  private mutating func pump(_ peer: PublicKey, now: Instant, into effects: inout [ExchangeEffect]) {
    while inFlight[peer, default: 0] < ExchangeLimits.leavesInFlightMax, var queue = queues[peer], !queue.isEmpty {
      queues[peer] = nil  // One owner, so that taking the first does not copy.
      let key = queue.popFirst()
      if !queue.isEmpty { queues[peer] = queue }
      guard var want = wants[key], !want.isInFlight else { continue }
      want.isInFlight = true
      want.tries += 1
      want.firstPart = nil
      wants[key] = want
      inFlight[peer, default: 0] += 1
      timers.arm(key, at: now + ExchangeLimits.leafWait)
      effects.append(.send(to: peer, LeafRequest(id: key.id, leaf: key.leaf).message(.getLeaf)))
    }
  }

  /// A part of a leaf came. What was not asked for is the peer's fault.
  mutating func onLeaf(_ message: LeafMessage, from peer: PublicKey, into effects: inout [ExchangeEffect]) {
    let key = LeafKey(id: message.blob.id, leaf: message.leaf)
    guard var want = wants[key], want.peer == peer, want.isInFlight else {
      effects.append(.fault(peer, .unexpected(.leaf)))
      return
    }
    let size = BlobLimits.leafSize(index: UInt64(message.leaf), size: message.blob.size)
    if message.part == 0 && size > BlobLimits.partSize {
      want.firstPart = message
      wants[key] = want
      return
    }
    var bytes = message.bytes
    var path = message.path
    if message.part == 1 {
      guard let first = want.firstPart, first.blob == message.blob else {
        effects.append(.fault(peer, .unexpected(.leaf)))
        return
      }
      bytes = first.bytes + bytes
      path = first.path
    }
    // Still in flight until the store has said whether it fits.
    timers.cancel(key)
    effects.append(.storeLeaf(message.blob, leaf: message.leaf, path: path, bytes: bytes, from: peer))
  }

  /// The store has the leaf.
  mutating func onStored(
    _ blob: BlobReference, leaf: UInt32, now: Instant, into effects: inout [ExchangeEffect]
  ) {
    guard let peer = finish(LeafKey(id: blob.id, leaf: leaf)) else { return }
    effects.append(.leafReady(blob.id, leaf: leaf, blob))
    pump(peer, now: now, into: &effects)
  }

  /// The peer does not have it or does not give it, or what it gave does not fit.
  mutating func onRefused(
    _ id: ContentID, leaf: UInt32, from peer: PublicKey, now: Instant, into effects: inout [ExchangeEffect]
  ) {
    let key = LeafKey(id: id, leaf: leaf)
    guard let want = wants[key], want.peer == peer else { return }
    _ = finish(key)
    effects.append(.leafReady(id, leaf: leaf, nil))
    pump(peer, now: now, into: &effects)
  }

  private mutating func finish(_ key: LeafKey) -> PublicKey? {
    guard let want = wants.removeValue(forKey: key) else { return nil }
    timers.cancel(key)
    if want.isInFlight { release(want.peer) }
    return want.peer
  }

  private mutating func release(_ peer: PublicKey) {
    let count = inFlight[peer, default: 0] - 1
    inFlight[peer] = count > 0 ? count : nil
  }

  mutating func wake(now: Instant, into effects: inout [ExchangeEffect]) {
    while let key = timers.popDue(now) {
      guard var want = wants[key] else { continue }
      if want.tries >= ExchangeLimits.leafTriesMax {
        let peer = want.peer
        _ = finish(key)
        effects.append(.leafReady(key.id, leaf: key.leaf, nil))
        pump(peer, now: now, into: &effects)
      } else {
        want.isInFlight = false
        wants[key] = want
        release(want.peer)
        queues[want.peer, default: Queue()].append(key)
        pump(want.peer, now: now, into: &effects)
      }
    }
  }

  /// The link to a peer is gone: its leaves cannot come. Those who wait are told.
  mutating func onLinkDown(_ peer: PublicKey, into effects: inout [ExchangeEffect]) {
    let lost = wants.filter { $0.value.peer == peer }.map(\.key).sorted()
    for key in lost {
      _ = finish(key)
      effects.append(.leafReady(key.id, leaf: key.leaf, nil))
    }
    queues[peer] = nil
    inFlight[peer] = nil
    serving[peer] = nil
  }

  // Serving.

  /// A peer asks for a leaf that it may have. Over its share it is told no, and may ask again.
  mutating func onRequest(_ request: LeafRequest, from peer: PublicKey, into effects: inout [ExchangeEffect]) {
    guard serving[peer, default: 0] < ExchangeLimits.leavesServedMax else {
      effects.append(.send(to: peer, request.message(.noLeaf)))
      effects.append(.fault(peer, .aboveLimit(.getLeaf)))
      return
    }
    serving[peer, default: 0] += 1
    effects.append(.serveLeaf(request.id, leaf: request.leaf, to: peer))
  }

  mutating func onRead(
    _ id: ContentID, leaf: UInt32, for peer: PublicKey, blob: BlobReference?, path: [Digest], bytes: [UInt8],
    into effects: inout [ExchangeEffect]
  ) {
    guard let count = serving[peer] else { return }
    serving[peer] = count > 1 ? count - 1 : nil
    guard let blob else {
      effects.append(.send(to: peer, LeafRequest(id: id, leaf: leaf).message(.noLeaf)))
      return
    }
    for part in LeafMessage.parts(blob: blob, leaf: leaf, path: path, bytes: bytes) {
      effects.append(.send(to: peer, part.message))
    }
  }
}
