// Owns: questions of the admin socket that wait for something to happen.
import TallyBase
import TallyLog
import TallyTable
import TallyWire

struct RequestDesk: Sendable {
  enum AppendKind: Hashable, Sendable {
    case record(waitReleased: Bool)
    case post
  }
  private struct Append: Sendable {
    let request: RequestID
    let kind: AppendKind
    var ref: OwnRef
  }

  /// Own entries that somebody waits for, in order of index.
  private var appends: [Append] = []
  private var lookups: [LookupID: RequestID] = [:]
  private var pings: [PublicKey: [RequestID]] = [:]
  /// Peers to be pinged as soon as their session stands.
  private var pingsWhenUp: [PublicKey] = []
  /// Jobs whose post has been handed to the ledger in this very turn, by the exchange's number.
  var postings: [UInt64: RequestID] = [:]
  private var leaves: [ContentID: [UInt32: [RequestID]]] = [:]
  private(set) var hungryWorkers: [RequestID] = []
  private var timers = TimerTable<RequestID>()

  var nextDeadline: Instant? { timers.next }
  var count: Int { appends.count + lookups.count + timers.count + hungryWorkers.count }
  var isFull: Bool { count >= NodeLimits.waitingRequestsMax }

  mutating func waitFor(_ ref: OwnRef, _ kind: AppendKind, _ request: RequestID) {
    appends.append(Append(request: request, kind: kind, ref: ref))
  }

  mutating func waitFor(_ lookup: LookupID, _ request: RequestID) { lookups[lookup] = request }

  mutating func waitForPing(_ peer: PublicKey, _ request: RequestID, until: Instant) {
    pings[peer, default: []].append(request)
    timers.arm(request, at: until)
  }

  mutating func pingWhenUp(_ peer: PublicKey) { pingsWhenUp.append(peer) }

  /// True when somebody waits for a ping of this peer, whose session stands now.
  mutating func sessionUp(_ peer: PublicKey) -> Bool {
    let wanted = pingsWhenUp.contains(peer)
    pingsWhenUp.removeAll { $0 == peer }
    return wanted
  }

  mutating func waitForLeaf(_ id: ContentID, _ leaf: UInt32, _ request: RequestID) {
    leaves[id, default: [:]][leaf, default: []].append(request)
  }

  mutating func waitForTask(_ request: RequestID) { hungryWorkers.append(request) }
  mutating func takeHungryWorker() -> RequestID? { hungryWorkers.isEmpty ? nil : hungryWorkers.removeFirst() }
  mutating func forgetWorkers() { hungryWorkers = [] }

  /// Answers for entries of `feed` below `size`: durable (`released` false) or known to others (`released` true).
  mutating func settled(_ feed: FeedID, below size: UInt64, released: Bool) -> [(RequestID, Reply)] {
    var answers: [(RequestID, Reply)] = []
    appends.removeAll { append in
      guard append.ref.feed == feed, append.ref.index < size else { return false }
      switch append.kind {
      case .record(let waitReleased):
        if waitReleased && !released { return false }
        answers.append((append.request, .recorded(append.ref, released: released)))
      case .post: answers.append((append.request, .posted(append.ref.id, append.ref)))
      }
      return true
    }
    return answers
  }

  /// Entries from `from` on were taken back; those who waited for them.
  mutating func rolledBack(_ feed: FeedID, from: UInt64) -> [RequestID] {
    let lost = appends.filter { $0.ref.feed == feed && $0.ref.index >= from }.map(\.request)
    appends.removeAll { $0.ref.feed == feed && $0.ref.index >= from }
    return lost
  }

  mutating func reissued(_ old: OwnRef, as new: OwnRef) {
    for index in appends.indices where appends[index].ref == old { appends[index].ref = new }
  }

  mutating func takeAppends() -> [RequestID] {
    let requests = appends.map(\.request)
    appends = []
    return requests
  }

  mutating func found(_ lookup: LookupID) -> RequestID? { lookups.removeValue(forKey: lookup) }

  mutating func pong(_ peer: PublicKey) -> [RequestID] {
    let requests = pings.removeValue(forKey: peer) ?? []
    for request in requests { timers.cancel(request) }
    return requests
  }

  mutating func leafReady(_ id: ContentID, _ leaf: UInt32) -> [RequestID] {
    guard var waiting = leaves[id] else { return [] }
    let requests = waiting.removeValue(forKey: leaf) ?? []
    leaves[id] = waiting.isEmpty ? nil : waiting
    return requests
  }

  mutating func expired(_ now: Instant) -> [RequestID] {
    var requests: [RequestID] = []
    while let request = timers.popDue(now) {
      forget(request)
      requests.append(request)
    }
    return requests
  }

  /// The asker is gone. True when it was a worker that waited for a task.
  @discardableResult
  mutating func forget(_ request: RequestID) -> Bool {
    let wasHungry = hungryWorkers.contains(request)
    timers.cancel(request)
    appends.removeAll { $0.request == request }
    hungryWorkers.removeAll { $0 == request }
    for (lookup, waiting) in lookups where waiting == request { lookups[lookup] = nil }
    for (peer, waiting) in pings where waiting.contains(request) {
      let left = waiting.filter { $0 != request }
      pings[peer] = left.isEmpty ? nil : left
    }
    for (id, waiting) in leaves {
      let left = waiting.mapValues { $0.filter { $0 != request } }.filter { !$0.value.isEmpty }
      leaves[id] = left.isEmpty ? nil : left
    }
    return wasHungry
  }
}
