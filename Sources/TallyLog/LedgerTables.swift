// Owns: the ledger's small tables: links that are up, reads and checks under way, deadlines.
// Refuses to know: what any answer means.

import TallyBase
import TallyWire

/// What the ledger remembers of a peer while its link is up.
struct LinkState: Sendable {
  var reads = 0
  /// When it last got our pages as an answer, and whether we asked and owe it ours in return.
  var answeredAt: Instant?
  var hasAsked = false
  /// The digest of a question that came too soon after our last answer: it is answered when the pause is over.
  var postponed: Digest?
  /// Forked feeds whose proof it was sent or sent us.
  var knowsFork: Set<FeedID> = []
}

struct LinkTable: Sendable {
  private var states: [PublicKey: LinkState] = [:]
  /// Ascending.
  private(set) var up: [PublicKey] = []

  subscript(peer: PublicKey) -> LinkState? {
    get { states[peer] }
    _modify { yield &states[peer] }
  }

  mutating func onUp(_ peer: PublicKey) {
    if states[peer] == nil {
      let place = up.firstIndex { peer < $0 } ?? up.count
      up.insert(peer, at: place)
    }
    states[peer] = LinkState()
  }

  mutating func onDown(_ peer: PublicKey) {
    states[peer] = nil
    up.removeAll { $0 == peer }
  }
}

/// Why something is being read.
enum ReadPurpose: Sendable {
  case serveRange(PublicKey, GetRange)
  /// The kept head at or above a fork: no head ends below it, so the run that straddles it is served.
  case serveStraddle(PublicKey, GetRange)
  case servePath(PublicKey, GetPath)
  /// Our root at the size of a head that a peer showed, whose signature holds.
  case compareHead(PublicKey, Head)
  /// The same for a line of a clock: a hint.
  case compareHint(PublicKey, ClockEntry)
  case ownPath(FeedID, index: UInt64)

  /// The peer on whose account the read stands.
  var peer: PublicKey? {
    switch self {
    case .serveRange(let peer, _), .serveStraddle(let peer, _), .servePath(let peer, _): peer
    case .compareHead(let peer, _), .compareHint(let peer, _): peer
    case .ownPath: nil
    }
  }
}

struct ReadTable: Sendable {
  private var purposes: [UInt64: ReadPurpose] = [:]
  /// The top byte tells the ledger's reads from those of other parts.
  private var next: UInt64 = 1 << 56

  var count: Int { purposes.count }

  mutating func add(_ purpose: ReadPurpose) -> UInt64 {
    next += 1
    purposes[next] = purpose
    return next
  }

  mutating func take(_ id: UInt64) -> ReadPurpose? { purposes.removeValue(forKey: id) }
}

/// Checks under way.
struct CheckTable: Sendable {
  private var running: [UInt64: QueuedRange] = [:]
  private var next: UInt64 = 0

  var count: Int { running.count }

  mutating func add(_ range: QueuedRange) -> UInt64 {
    next += 1
    running[next] = range
    return next
  }

  mutating func take(_ id: UInt64) -> QueuedRange? { running.removeValue(forKey: id) }
}

enum LedgerTimer: Hashable, Sendable {
  /// Entries wait that did not fit the last commit.
  case seal
  case probe
  case guardQuick
  case guardSlow
  case clock
  /// A peer's question about the clock waits for its pause to end.
  case answer(PublicKey)
  case request(FeedID)
  case search(FeedID)
}
