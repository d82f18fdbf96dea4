// Owns: what other parts hand to the ledger to be written, and what they get back at once.
// Refuses to know: what the bodies mean.

import TallyBase
import TallyWire

/// A statement of this host that has no place in a feed yet. Its time is taken from `now` when it is appended.
public struct EntryDraft: Hashable, Sendable {
  public let kind: EntryKind
  public let links: [EntryLink]
  public let body: [UInt8]

  public init(kind: EntryKind, links: [EntryLink], body: [UInt8]) {
    self.kind = kind
    self.links = links
    self.body = body
  }
}

/// Where an own entry stands. Final once `.released` covers it; until then `.rolledBack` may take it away and
/// `.reissued` may move it.
public struct OwnRef: Hashable, Sendable {
  public let feed: FeedID
  public let index: UInt64
  /// RFC 6962 leaf hash.
  public let leaf: Digest
  public let id: EntryID

  public init(feed: FeedID, index: UInt64, leaf: Digest, id: EntryID) {
    self.feed = feed
    self.index = index
    self.leaf = leaf
    self.id = id
  }

  /// For an entry that names this one.
  public var link: EntryLink { EntryLink(feed: feed, index: index, leaf: leaf) }
}

/// Why an append was not taken.
public enum AppendRefusal: Error, Hashable, Sendable {
  /// The host does not sign now. `status` shows the same reason.
  case signingOff(SigningOff)
  /// `LedgerLimits.openEntries` or `openBytes` wait to be sealed: try again after the next `.released`.
  case tooManyWaiting
  /// The entry's preimage is `bytes` long; the limit is 4 KiB. Also for more links than an entry may have.
  case tooLarge(bytes: Int)
}

/// Why this host does not sign.
public enum SigningOff: Hashable, Sendable {
  /// No space. Tried again by itself, with a back-off.
  case storeFull(detail: String)
  /// A write or sync failed; what is on disk is unknown. For the life of this process.
  case storeBroken(detail: String)
  /// Another instance signs with this key, or this host was restored unseen. Until the operator calls
  /// `beginNewIncarnation`.
  case clone(CloneEvidence)
}

/// What showed that somebody else signs with this host's key.
public enum CloneEvidence: Hashable, Sendable {
  /// A head of the own feed with more entries than this host ever released.
  case larger(seen: UInt64, released: UInt64)
  /// A head of the own feed at a size this host released with another root.
  case otherRoot(size: UInt64)
  /// A head of a feed by this key that this host did not begin.
  case unknownIncarnation(FeedID)
}

/// Whether this host's statements leave it.
public enum SigningState: Hashable, Sendable {
  /// Sealed and released as they come.
  case on
  /// The restore guard has not heard enough yet: appends are taken and made durable, and wait unsigned.
  case held
  case off(SigningOff)
}
