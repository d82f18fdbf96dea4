// Owns: the numbers of links that this node dials. Even numbers are the node's, odd ones the shell's.
import TallyBase
import TallySession

struct LinkBook: Sendable {
  private var next: UInt64 = 2
  private var dialling: [LinkID: PublicKey] = [:]

  /// A number for a new link to `peer`; nil while one is being dialled, or too many are.
  mutating func dial(_ peer: PublicKey) -> LinkID? {
    guard dialling.count < NodeLimits.diallingMax, !dialling.values.contains(peer) else { return nil }
    let link = LinkID(number: next)
    next += 2
    dialling[link] = peer
    return link
  }

  /// The link stands; the peer that it was dialled for.
  mutating func opened(_ link: LinkID) -> PublicKey? { dialling.removeValue(forKey: link) }

  /// The link is gone; the peer when it never stood.
  mutating func closed(_ link: LinkID) -> PublicKey? { dialling.removeValue(forKey: link) }
}
