// Owns: what membership keeps of one other host. Refuses to know: how it came to be known.

import TallyBase
import TallyCrypto
import TallyWire

enum Standing: Hashable, Sendable {
  case candidate
  case member
  case left
}

struct Host: Sendable {
  var record: NodeRecord
  /// Checked against the record's digest; empty: not carried.
  var block: [UInt8]
  let id: NodeID
  /// Places on the rings from which links are chosen, from ring 1 on.
  let ringPlaces: [UInt64]
  var standing = Standing.candidate
  let knownSince: Instant
  /// Statements of observers, verified, in order of arrival.
  var reached: [Reached] = []
  var leave: Leave?
  /// Where our own handshake met it, if it did.
  var metAt: Endpoint?
  var heardAt: Instant?
  var roundTrip = RoundTrip()
  var probe = Probe()
  /// Dials since the last link, or dial-backs to a candidate.
  var dials = 0

  init(record: NodeRecord, block: [UInt8], id: NodeID, now: Instant) {
    self.record = record
    self.block = block
    self.id = id
    ringPlaces = (1...2).map { LinkPlan.place(ring: $0, key: record.key) }
    knownSince = now
  }

  var key: PublicKey { record.key }
  /// Nil when the block is not carried. It was decoded once when it came.
  var attributes: Attributes? {
    guard !block.isEmpty else { return nil }
    do { return try Attributes(decoding: block) } catch { return nil }
  }

  /// Links are planned among these: silence that is not yet a verdict changes nothing.
  var isLinkable: Bool { standing == .member && !probe.isUnreachable }

  /// Everything that makes it what it is, for a page, a spread or the store.
  var items: [Members.Item] {
    var items: [Members.Item] = [.record(RecordWithAttributes(record: record, block: block))]
    items += reached.map { .reached($0) }
    if let leave { items.append(.leave(leave)) }
    return items
  }
}

/// The probing of one member.
struct Probe: Sendable {
  struct Sent: Sendable {
    let nonce: UInt64
    let at: Instant
  }
  /// Pings of the cycle under way.
  var sent: [Sent] = []
  /// Pings without an answer in a row, over cycles.
  var unanswered = 0
  /// When the first ping of the first failed cycle went.
  var failingSince: Instant?
  var isUnreachable = false
  var unreachableSince: Instant?
  var retries = 0
  /// Ask now, however recently it was heard: its link broke.
  var isForced = false

  /// Something authentic came.
  mutating func answered() { self = Probe() }
}

struct PeerSession: Sendable {
  var endpoint: Endpoint
  var dialledAt: Endpoint?
}

struct PeerLink: Sendable {
  var endpoint: Endpoint
  var weDialled: Bool
  var since: Instant
  /// Our question for its members is open.
  var isAsked = false
  /// The pair of views that was last answered, and when.
  var answered: (mine: ShortDigest, theirs: ShortDigest, at: Instant)?
}
