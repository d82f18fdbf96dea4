// Owns: what membership and broadcast ask their node to do. Refuses to know: sockets, sessions and the store.

import TallyBase
import TallyWire

public enum MeshEffect: Hashable, Sendable {
  /// Send `message` (type and body) in a UDP session with `to`; when there is none, first start one at `at`.
  /// Without `at` it goes only into a session that is there.
  case datagram(to: PublicKey, at: Endpoint?, message: [UInt8])
  /// Send `message` on the link with `to`; dropped when there is none.
  case link(to: PublicKey, message: [UInt8])
  /// A fresh UDP handshake with `peer` at exactly `at` is wanted, session or not.
  case wantSession(peer: PublicKey, at: Endpoint)
  /// A TCP link to `peer` at `at` is wanted; asking again while one is being opened is harmless.
  case wantLink(peer: PublicKey, at: Endpoint)
  /// The link with `peer` is no longer wanted from this side.
  case dropLink(peer: PublicKey)
  /// Keep `value` under `key` in store table `table` (raw value of `StoreTable`).
  case store(table: UInt8, key: [UInt8], value: [UInt8])
  case delete(table: UInt8, key: [UInt8])
  /// This host made a new record of itself: hand it to the peer table.
  case ownRecord(RecordWithAttributes)
  /// A host became a member here: its feeds are carried from now on and its record goes to the peer table.
  case memberUp(PublicKey, NodeRecord)
  /// A member's newer record: goes to the peer table.
  case memberChanged(PublicKey, NodeRecord)
  /// A member said good-bye.
  case memberLeft(PublicKey)
  /// My own probes of a member fail, or it was heard again.
  case unreachable(PublicKey)
  case reachable(PublicKey)
  /// This host became a member: somebody whom it regards as one has signed so (or it is the first host).
  case admitted
  /// A neighbour announced a head that was not seen here yet: pull it.
  case pull(PushName, from: PublicKey)
  /// `peer` sent something that an honest host does not send. Counted; nothing else follows.
  case fault(PublicKey, MeshFault)
  case event(MeshEvent)
}

public enum MeshFault: Hashable, Sendable {
  case undecodable(DecodeError)
  case badSignature(of: PublicKey)
  /// An attribute block whose digest is not the record's, or that does not decode.
  case badAttributes(of: PublicKey)
  /// Two records of one number with different bytes, both signed: `of` runs twice or lies.
  case equivocation(of: PublicKey)
  /// A PONG whose nonce is not ours.
  case unaskedPong
  /// More questions than a link may ask.
  case tooManyQuestions
}

/// For the operator's eyes.
public enum MeshEvent: Hashable, Sendable {
  /// Somebody holds a record of this host's key that this run did not make, with a number at or above ours.
  case ownRecordElsewhere(RecordNumber)
  /// A candidate was refused or dropped, and why.
  case candidateRefused(PublicKey, CandidateRefusal)
}

public enum CandidateRefusal: Hashable, Sendable {
  case tooManyAtAddress
  case tooManyInGroup
  case tooManyCandidates
  /// `GossipLimits.members` are held.
  case meshFull
  /// Nobody reached it for ten minutes.
  case neverReached
}

/// What a push is known by: one commit's head.
public typealias PushName = IHave.Item
