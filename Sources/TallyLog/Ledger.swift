// Owns: the ledger of one host: its own feed, everybody else's, the vector clock and what follows from comparing them.
// Refuses to know: threads, files, sockets, clocks of the machine, and what bodies mean. DESIGN sections 5, 8, 9, 11.

import TallyBase
import TallyCrypto
import TallyWire

/// A state machine by value: every input is a call, every output an element of `effects`.
/// Order of calls: `init`, `replay` of everything stored, `start`, then any; `endTurn` once after each batch.
public struct Ledger: Sendable {
  public let config: LedgerConfig
  var generator: Generator
  let guardState: GuardState
  var isStarted = false

  var own: OwnFeed
  var guardian: RestoreGuard
  var standing = SigningStanding()
  /// Own entries found in the store that were never sealed, by key; and the next key.
  var foundHeld: [HeldEntry] = []
  var nextHeldKey: UInt64 = 1
  /// Who acknowledged the own feeds, as the store found it; needed until `start`.
  var foundAcknowledgements: [FeedID: [RecoveredFeed.Acknowledgement]] = [:]
  /// Hosts whose newest acknowledgement is not stored: it rides with the next own commit.
  var unstoredAcknowledgements: Set<PublicKey> = []

  var feeds = FeedTable()
  var admission = FeedAdmission()
  var store = StoreQueue()
  var checks = CheckTable()
  var queuedRanges = 0
  var requests = RangeRequests()
  var reads = ReadTable()
  var searches = ForkSearches()
  var links = LinkTable()
  var timers = TimerTable<LedgerTimer>()
  var clockCache = ClockCache()

  struct HeldEntry: Sendable {
    let key: UInt64
    let entry: Entry
  }

  /// `recovered` is what the store found. Nothing is written or sent before `start`.
  public init(config: LedgerConfig, recovered: Recovered, generator: Generator, now: Instant) {
    self.config = config
    self.generator = generator
    guardState = recovered.guardState
    guardian = .settled(now: now)
    // Replaced by `start`, which knows more: what the entries 0 of the own feeds continue.
    let row = FeedRow(feed: .zero, author: config.me, incarnation: 0, reason: .own)
    own = OwnFeed(row: row, stored: MerkleFrontier())
    for found in recovered.feeds { recover(found) }
    for value in recovered.values where value.table == .ledger { recover(value) }
    _ = admission.member(config.me)
  }

  private mutating func recover(_ found: RecoveredFeed) {
    var feed = CarriedFeed(found)
    if let bytes = found.forkProof, let mark = Self.mark(stored: bytes) { _ = feed.onFork(mark) }
    feeds.insert(feed)
    if found.row.reason != .named { _ = admission.member(found.row.author) }
    if found.row.author == config.me {
      for known in found.acknowledgements { foundAcknowledgements[found.row.feed, default: []].append(known) }
    }
  }

  private mutating func recover(_ value: Recovered.Value) {
    guard let key = HeldKey.decode(value.key) else { return }
    nextHeldKey = max(nextHeldKey, key + 1)
    do throws(DecodeError) {
      foundHeld.append(HeldEntry(key: key, entry: try Entry(preimage: value.value)))
    } catch {
      preconditionFailure("the store gave back a held entry that does not decode: \(error)")
    }
  }

  /// The mark of a proof that this host checked before it stored it.
  private static func mark(stored bytes: [UInt8]) -> ForkMark? {
    do throws(DecodeError) {
      return mark(of: try ForkProof(decoding: bytes))
    } catch {
      return nil
    }
  }

  /// The left siblings of either path are the peaks of the common prefix.
  static func mark(of proof: ForkProof) -> ForkMark? {
    let side = proof.first
    guard
      let folded = MerkleTree.fold(leaf: side.leaf, index: proof.index, size: side.head.size, path: side.path),
      let prefix = MerkleFrontier(size: proof.index, peaks: folded.leftSiblings.reversed())
    else { return nil }
    return ForkMark(index: proof.index, root: prefix.root, proof: proof)
  }

  /// One run of stored entries, per feed in order. Tells the fold by `.stored`, as if they had just become durable.
  public mutating func replay(feed id: FeedID, from: UInt64, entries: [Entry], into effects: inout [LedgerEffect]) {
    precondition(!isStarted, "replay after start")
    guard feeds[id] != nil else { preconditionFailure("replay of a feed that was not recovered: \(id)") }
    tellFold(id, from: from, entries: entries, leaves: LeafHasher.hashAll(entries), &effects)
  }

  /// Learns what durable entries say about feeds, and tells the fold of those that count.
  mutating func tellFold(
    _ id: FeedID, from: UInt64, entries: [Entry], leaves: [Digest], _ effects: inout [LedgerEffect]
  ) {
    guard let feed = feeds[id] else { return }
    let limit = feed.fork?.index ?? .max
    guard from < limit else { return }
    let count = Int(min(UInt64(entries.count), limit - from))
    let counted = count == entries.count ? entries : Array(entries.prefix(count))
    if from == 0, let first = counted.first { learnPredecessor(id, first) }
    for entry in counted {
      for link in entry.links where !feeds.contains(link.feed) { admission.name(link.feed) }
    }
    effects.append(
      .stored(
        feed: id, author: feed.row.author, from: from, entries: counted, leaves: Array(leaves.prefix(count))))
  }

  private mutating func learnPredecessor(_ id: FeedID, _ first: Entry) {
    guard let body = Self.begin(first), let before = body.continues else { return }
    feeds[id]?.continues = before.feed
    if feeds[before.feed] == nil { admission.name(before.feed) }
  }

  /// The body of a `begin` entry; nil for anything else.
  static func begin(_ entry: Entry) -> BeginBody? {
    guard entry.kind == .begin else { return nil }
    do throws(DecodeError) {
      return try BeginBody(decoding: entry.body)
    } catch {
      return nil
    }
  }

  public var nextDeadline: Instant? { timers.next }

  public mutating func wake(now: Instant, into effects: inout [LedgerEffect]) {
    while let timer = timers.popDue(now) {
      switch timer {
      case .seal: break  // The turn that follows seals.
      case .probe: store.add(.probe)
      case .guardQuick, .guardSlow: stepGuard(now, &effects)
      case .clock: askSomebody(now, &effects)
      case .answer(let peer): answerPostponed(peer, now, &effects)
      case .request(let feed): requestTimedOut(feed, now, &effects)
      case .search(let feed): searchTimedOut(feed, now, &effects)
      }
    }
    pump(now, &effects)
  }

  /// A message of types 0x30 to 0x3D from a link, its type byte included.
  public mutating func onMessage(
    _ message: [UInt8], from peer: PublicKey, now: Instant, into effects: inout [LedgerEffect]
  ) {
    guard links[peer] != nil else { return }  // It came behind its link's end.
    do throws(DecodeError) {
      switch try LogMessage(decoding: message) {
      case .aboutYou(let body): onAboutYou(body, peer, now, &effects)
      case .clock(let body): onClock(body, peer, now, &effects)
      case .push(let body): offer(QueuedRange(push: body, message: message, peer: peer), now, &effects)
      case .getRange(let body): serve(body, peer, &effects)
      case .range(let body): onRange(body, peer, now, &effects)
      case .getPath(let body): serve(body, peer, &effects)
      case .path(let body): onPath(body, peer, now, &effects)
      case .forkProof(let body): onForkNotice(body, peer, now, &effects)
      case .ihave(let body): onIHave(body, peer, &effects)
      case .stored(let body): onStored(body, peer, &effects)
      case .getHead(let body): serve(body, peer, &effects)
      case .head(let body): onHead(body, peer, now, &effects)
      }
    } catch {
      let type = MessageType(rawValue: message.first ?? 0)
      effects.append(.fault(peer, .undecodable(type, error), costsSession: false))
    }
    pump(now, &effects)
  }

  func send(_ message: LogMessage, to peer: PublicKey, _ effects: inout [LedgerEffect]) {
    effects.append(.send(to: peer, message.encoded))
  }

  /// Whether heads and entries of `feed` may leave this host: all but the own feed's while the guard asks.
  func mayLeave(_ feed: FeedID) -> Bool { feed != own.feed || guardian.isSettled }
}
