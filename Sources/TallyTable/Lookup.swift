// Owns: the state of one iterative lookup: who is known near the target, who was asked, who answered.
// Refuses to know: messages, sessions, signatures. Kademlia section 2.3; only hosts that answered us are a result.

import TallyBase
import TallyWire

struct Lookup: Sendable {
  enum State: Hashable {
    case fresh
    case asked
    /// Its answer is late: still welcome, but it no longer holds a place in α.
    case overdue
    case answered
    case failed
  }

  struct Candidate: Sendable {
    let record: NodeRecord
    let distance: Bytes32
    let endpoint: Endpoint
    let teller: PublicKey?
    var roundTrip: RoundTrip
    var state = State.fresh
  }

  let target: NodeID
  /// Nobody outside the table waits for it.
  let isInternal: Bool
  /// Nearest first.
  private(set) var candidates: [Candidate] = []
  private(set) var asked = 0

  init(target: NodeID, isInternal: Bool) {
    self.target = target
    self.isInternal = isInternal
  }

  /// Adds a host once. The farthest fresh one is forgotten when the list is full. O(candidates).
  mutating func add(_ candidate: Candidate) {
    guard !candidates.contains(where: { $0.record.key == candidate.record.key }) else { return }
    let place = candidates.firstIndex { candidate.distance < $0.distance } ?? candidates.count
    if candidates.count == TableLimits.lookupCandidates {
      guard let last = candidates.lastIndex(where: { $0.state == .fresh || $0.state == .failed }), last >= place else {
        return
      }
      candidates.remove(at: last)
    }
    candidates.insert(candidate, at: place)
  }

  /// The nearest host that is worth asking now; nil when nobody is, or α questions are in flight.
  var next: Candidate? {
    guard asked < TableLimits.lookupQuestions else { return nil }
    guard candidates.lazy.filter({ $0.state == .asked }).count < TableLimits.lookupParallel else { return nil }
    return window.first { $0.state == .fresh }
  }

  /// True when the nearest hosts that did not fail have all answered, or nothing more can be asked or expected.
  var isDone: Bool {
    let open = window.filter { $0.state != .answered }
    if open.isEmpty { return true }
    return asked >= TableLimits.lookupQuestions && !open.contains { $0.state == .asked || $0.state == .overdue }
  }

  /// The nearest that did not fail: what the answer would be if all of them answered.
  private var window: [Candidate] {
    var result: [Candidate] = []
    for candidate in candidates where candidate.state != .failed {
      result.append(candidate)
      if result.count == TableLimits.lookupResults { break }
    }
    return result
  }

  mutating func mark(_ key: PublicKey, _ state: State) {
    guard let index = candidates.firstIndex(where: { $0.record.key == key }) else { return }
    if state == .asked { asked += 1 }
    // An answer in time or late is an answer; a failure after it is none.
    if candidates[index].state != .answered { candidates[index].state = state }
  }

  /// Hosts that answered us, nearest first.
  var results: [NodeRecord] {
    candidates.filter { $0.state == .answered }.prefix(TableLimits.lookupResults).map(\.record)
  }
}

/// A FIND in flight.
struct Question: Sendable {
  let lookup: LookupID
  let peer: PublicKey
  let sentAt: Instant
  var isOverdue = false
  /// Parts of the answer that came, by number.
  var parts: [Nodes] = []
}
