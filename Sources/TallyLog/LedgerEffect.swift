// Owns: what the ledger asks of the node that holds it. Refuses to know: who carries it out.
// Order within one call's effects matters and is kept.

import TallyBase
import TallyWire

public enum LedgerEffect: Sendable {
  /// A message (`type u8 ‖ body`) for the link to `to`; dropped without harm when there is none.
  case send(to: PublicKey, [UInt8])
  /// An own commit is durable: its PUSH message goes to the broadcast tree.
  case publish(push: [UInt8], feed: FeedID, size: UInt64, root: Digest)
  /// A foreign PUSH that was checked goes on at once, to everyone but `from`.
  case relay(push: [UInt8], feed: FeedID, size: UInt64, root: Digest, from: PublicKey)
  /// Goes into the commit that this `endTurn` was given. Emitted by `endTurn` alone.
  case store(StoreOperation)
  /// The guard mark of that commit. Emitted by `endTurn` alone, at most once.
  case guardMark(GuardMark)
  /// Work for the checker's thread; answer with `onChecked`.
  case check(id: UInt64, RangeCheck)
  /// Work for the store's reader; answer with `onRead`. The identifier's top byte is 1.
  case read(ReadRequest)
  /// Durable, below any fork index, and not told before: for the fold. Own entries too. `leaves[i]` is the leaf hash
  /// of `entries[i]`, whose index is `from + i`.
  case stored(feed: FeedID, author: PublicKey, from: UInt64, entries: [Entry], leaves: [Digest])
  /// Entries of `feed` from `index` on no longer count; the fold drops them. May come again with a lower index.
  case forked(feed: FeedID, index: UInt64)
  /// Own entries below `through` left this host: durable and public.
  case released(feed: FeedID, through: UInt64)
  /// Own entries below `through` are durable but held back until the restore guard is settled.
  case held(feed: FeedID, through: UInt64)
  /// Own entries from `from` on were taken back: the store had no room. They left no trace anywhere.
  case rolledBack(feed: FeedID, from: UInt64)
  /// Own entries that had not left this host now stand elsewhere: a new incarnation began. In order.
  case reissued([Reissue])
  /// `by` stores the own feed up to `size`.
  case acknowledged(feed: FeedID, by: PublicKey, size: UInt64)
  /// The highest record number that `by` holds of this host: the mesh jumps over it.
  case recordNumber(epoch: UInt64, counter: UInt64, by: PublicKey)
  /// A peer's fault: counted; `costsSession` says whether its link is closed.
  case fault(PublicKey, LedgerFault, costsSession: Bool)
  case event(LedgerEvent)

  public struct Reissue: Hashable, Sendable {
    public let old: OwnRef
    public let new: OwnRef
    public init(old: OwnRef, new: OwnRef) {
      self.old = old
      self.new = new
    }
  }
}

/// What a peer can do wrong here.
public enum LedgerFault: Hashable, Sendable {
  case undecodable(MessageType, DecodeError)
  /// A head whose signature does not verify.
  case badSignature
  /// The feed is not the one of the author and incarnation that its first entry names.
  case wrongFeed
  /// Entries that do not lead to their head although the head extends ours.
  case wrongEntries
  /// A path that folds to neither head.
  case wrongPath
  case wrongForkProof
  /// An answer that nobody asked for.
  case unasked(MessageType)
  /// More requests than `LedgerLimits.readsPerPeer` at a time.
  case tooManyRequests
  /// Feeds above `LedgerLimits.feedsPerAuthor`, `liveFeedsPerAuthor` or `feeds`.
  case tooManyFeeds
  case silent
}

/// For the operator.
public enum LedgerEvent: Hashable, Sendable {
  case feedBegun(FeedID, incarnation: UInt64, continues: FeedID?)
  case guardSettled(unconfirmed: Bool)
  case rollbackFound(feed: FeedID, RollbackEvidence)
  case cloneFound(feed: FeedID, CloneEvidence)
  case forkFound(feed: FeedID, author: PublicKey, index: UInt64)
  case headWithheld(feed: FeedID, size: UInt64, by: PublicKey)
  case signingOff(SigningOff)
  case signingOn
  /// Entries that came with this head were wrong, or are part of a fork. A true push of the same name may still come.
  case rangeRefused(Head, from: PublicKey, LedgerFault)
  case feedCarried(FeedID, author: PublicKey, CarryReason)
}

/// What showed that this host was put back to an earlier state.
public enum RollbackEvidence: Hashable, Sendable {
  /// The guard file is ahead of the store, not a prefix of it, or gone.
  case guardFile
  case seen(CloneEvidence)
}
