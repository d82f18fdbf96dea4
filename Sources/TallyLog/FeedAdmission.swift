// Owns: which feeds this host carries, and why. Refuses to know: their content. DESIGN section 9, "Feed".

import TallyBase
import TallyWire

/// A feed is carried when its author is or was a member, or an entry of a carried feed names it. Carrying is for ever.
struct FeedAdmission: Sendable {
  private var members: Set<PublicKey> = []
  private var named: Set<FeedID> = []
  /// Feeds that somebody offered and that are not carried; asked for again after the members change.
  private var refused: Set<FeedID> = []

  private static let refusedKept = 4096

  mutating func member(_ key: PublicKey) -> Bool {
    refused.removeAll()
    return members.insert(key).inserted
  }

  mutating func name(_ feed: FeedID) {
    guard named.count < LedgerLimits.namedFeeds else { return }
    named.insert(feed)
    refused.remove(feed)
  }

  /// Why `feed` is carried; nil when it is not. A member's word that the author was a member counts: so late joiners
  /// carry the same feeds as everybody else.
  func reason(
    for feed: FeedID, by introduction: FeedIntroduction, from peer: PublicKey, me: PublicKey
  ) -> CarryReason? {
    if introduction.author == me { return .own }
    if members.contains(introduction.author) { return .member }
    if named.contains(feed) { return .named }
    guard members.contains(peer) else { return nil }
    return introduction.reason == .named ? .named : .member
  }

  mutating func refuse(_ feed: FeedID) {
    if refused.count >= Self.refusedKept { refused.removeAll() }
    refused.insert(feed)
  }

  func isRefused(_ feed: FeedID) -> Bool { refused.contains(feed) }
}
