// Owns: which links a host wants. A pure function of who can be linked, so that both ends of a link want it.
// Refuses to know: sessions, time. Rings after Rapid (Suresh et al. 2018), used here for links.

import TallyBase
import TallyCrypto
import TallyWire

enum LinkPlan {
  /// One host on the rings.
  struct Place {
    let key: PublicKey
    let id: NodeID
    let rings: [UInt64]
  }

  /// A host's place on ring `ring` (1, 2 …; ring 0 is the node ID).
  static func place(ring: Int, key: PublicKey) -> UInt64 {
    Blake2b.hash256(tag: "tally/ring/1", [[UInt8(ring)], key.bytes]).word0
  }

  /// With up to `fullLinkHosts` hosts: all. Above: both neighbours on two rings (each ring alone connects everybody,
  /// and a host's coming or going moves at most its neighbours' links), then neighbours on further rings until
  /// `linksWanted` are distinct. In order of key. O(hosts) a ring.
  static func targets(me: Place, others: [Place]) -> [PublicKey] {
    if others.count < GossipLimits.fullLinkHosts { return others.map(\.key).sorted() }
    var wanted: Set<PublicKey> = []
    var ring = 0
    while ring < 2 || wanted.count < GossipLimits.linksWanted {
      let (before, after) = neighbours(of: me, among: others, ring: ring)
      wanted.insert(after)
      if ring < 2 || wanted.count < GossipLimits.linksWanted { wanted.insert(before) }
      ring += 1
      precondition(ring < 200, "\(ring) rings over \(others.count) hosts gave \(wanted.count) links")
    }
    return wanted.sorted()
  }

  private static func neighbours(of me: Place, among others: [Place], ring: Int) -> (PublicKey, PublicKey) {
    let mine = position(me, ring: ring)
    var before: (position: Bytes32, key: PublicKey)?
    var after: (position: Bytes32, key: PublicKey)?
    var least: (position: Bytes32, key: PublicKey)?
    var most: (position: Bytes32, key: PublicKey)?
    for other in others {
      let position = position(other, ring: ring)
      if position < mine, before.map({ $0.position < position }) ?? true { before = (position, other.key) }
      if mine < position, after.map({ position < $0.position }) ?? true { after = (position, other.key) }
      if least.map({ position < $0.position }) ?? true { least = (position, other.key) }
      if most.map({ $0.position < position }) ?? true { most = (position, other.key) }
    }
    guard let least, let most else { preconditionFailure("a ring without other hosts") }
    return ((before ?? most).key, (after ?? least).key)
  }

  /// The ring's hash first; equal hashes are told apart by key, the same everywhere.
  private static func position(_ place: Place, ring: Int) -> Bytes32 {
    if ring == 0 { return place.id.raw }
    let hash = ring <= place.rings.count ? place.rings[ring - 1] : self.place(ring: ring, key: place.key)
    return Bytes32(word0: hash, word1: place.key.raw.word0, word2: place.key.raw.word1, word3: place.key.raw.word2)
  }
}
