// Owns: the ledger of one host: its own feed, everybody else's, the vector clock and what follows from comparing them.
// Refuses to know: threads, files, sockets, clocks of the machine, and what bodies mean. DESIGN sections 5, 8, 9, 11.

import TallyBase
import TallyCrypto
import TallyWire

/// A state machine by value: every input is a call, every output an element of `effects`.
/// Order of calls: `init`, `replay` of everything stored, `start`, then any; `endTurn` once after each batch.
public struct Ledger: Sendable {
  public let config: LedgerConfig

  /// `recovered` is what the store found. Nothing is written or sent before `start`.
  public init(config: LedgerConfig, recovered: Recovered, generator: Generator, now: Instant) {
    self.config = config
  }

  /// One run of stored entries, per feed in order. Tells the fold by `.stored`, as if they had just become durable.
  public mutating func replay(feed: FeedID, from: UInt64, entries: [Entry], into effects: inout [LedgerEffect]) {}

  /// After the last `replay`: begins the first feed or a new incarnation, or asks the restore guard's question.
  public mutating func start(now: Instant, into effects: inout [LedgerEffect]) {}

  /// Takes a place in the open turn.
  public mutating func append(_ draft: EntryDraft, now: Instant) -> Result<OwnRef, AppendRefusal> {
    .failure(.tooManyWaiting)
  }

  /// Seals what was appended, signs one head over it, and hands out everything that is to be stored in `commit`.
  public mutating func endTurn(
    commit: UInt64, identity: borrowing Identity, now: Instant, into effects: inout [LedgerEffect]
  ) {}

  /// All commits up to `through` are durable, and the guard file with them.
  public mutating func onPersisted(through: UInt64, now: Instant, into effects: inout [LedgerEffect]) {}

  /// The commits numbered `from` and above are lost.
  public mutating func onPersistFailed(
    from: UInt64, fault: StoreFault, now: Instant, into effects: inout [LedgerEffect]
  ) {}

  /// A message of types 0x30 to 0x3D from a link, its type byte included.
  public mutating func onMessage(
    _ message: [UInt8], from peer: PublicKey, now: Instant, into effects: inout [LedgerEffect]
  ) {}

  /// A link to `peer` is up. `recordEpoch` and `recordCounter` number the newest node record of it held here.
  public mutating func onPeerUp(
    _ peer: PublicKey, recordEpoch: UInt64, recordCounter: UInt64, now: Instant, into effects: inout [LedgerEffect]
  ) {}

  public mutating func onPeerDown(_ peer: PublicKey, now: Instant, into effects: inout [LedgerEffect]) {}

  public mutating func onChecked(
    id: UInt64, verdict: RangeVerdict, now: Instant, into effects: inout [LedgerEffect]
  ) {}

  public mutating func onRead(_ result: ReadResult, now: Instant, into effects: inout [LedgerEffect]) {}

  /// `key` is or was a member: its feeds are carried from now on.
  public mutating func member(_ key: PublicKey, now: Instant, into effects: inout [LedgerEffect]) {}

  /// The operator's order after a clone was found, or at any time: the old feed is never extended again.
  /// False when the store is broken: then nothing may be signed.
  public mutating func beginNewIncarnation(now: Instant, into effects: inout [LedgerEffect]) -> Bool { false }

  public var nextDeadline: Instant? { nil }
  public mutating func wake(now: Instant, into effects: inout [LedgerEffect]) {}

  // MARK: Queries

  /// What is stored, by feed ascending; the own feed only while its heads may leave.
  public var clock: [ClockEntry] { [] }
  /// BLAKE2b-256 over the clock: equal exactly for equal clocks.
  public var clockDigest: Digest { .zero }
  /// Feeds by `author`, ascending, as stored.
  public func feeds(of author: PublicKey) -> [FeedStatus] { [] }
  /// Every carried feed, ascending.
  public var allFeeds: [FeedStatus] { [] }
  public func feed(_ id: FeedID) -> FeedStatus? { nil }
  public var signing: SigningState { .on }
  /// Hosts that hold the own feed, with the size each acknowledged; by key, ascending.
  public var acknowledgements: [RecoveredFeed.Acknowledgement] { [] }
  /// The own feed that is being written.
  public var ownFeed: FeedID { .zero }
  /// Released entries of it.
  public var ownSize: UInt64 { 0 }
  /// The encoded proof kept for a forked feed.
  public func forkProof(_ feed: FeedID) -> [UInt8]? { nil }
}

/// What is known of one feed.
public struct FeedStatus: Hashable, Sendable {
  public let row: FeedRow
  /// The newest kept head; nil while nothing is stored, and for the own feed while it is held back.
  public let head: Head?
  /// Stored entries that count.
  public let size: UInt64
  public let forkIndex: UInt64?
  /// The feed that this one continues, and whether another continues this one.
  public let continues: FeedID?
  public let isContinued: Bool
}
