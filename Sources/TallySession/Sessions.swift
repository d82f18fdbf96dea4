// Owns: the one door between bytes of the network and messages of proven peers, for UDP and TCP alike.
// Refuses to know: what messages mean, and how bytes travel. DESIGN section 5; Noise revision 34; WireGuard
// (Donenfeld 2017) for the packets around it.

import TallyBase
import TallyCrypto
import TallyWire

/// All UDP sessions and TCP links of this host.
public struct Sessions: Sendable {
  public init(mesh: MeshKeys, me: PublicKey, generator: Generator) {}

  /// Replaces the keyring; sessions and links that stand stay.
  public mutating func rotate(to mesh: MeshKeys) {}

  // MARK: UDP

  /// A datagram came in.
  public mutating func datagram(
    _ bytes: [UInt8], from source: Endpoint, identity: borrowing Identity, now: Instant,
    into effects: inout [SessionEffect]
  ) {}

  /// Starts a UDP session with `peer`, or renews the one there is. While a handshake runs to the same address this
  /// does nothing.
  public mutating func connect(
    to peer: PublicKey, at endpoint: Endpoint, identity: borrowing Identity, now: Instant,
    into effects: inout [SessionEffect]
  ) {}

  /// Sends a message of at most `datagramMessageBytes`. False when there is neither a session nor a handshake, or
  /// when too many messages wait already.
  public mutating func send(
    _ message: [UInt8], to peer: PublicKey, now: Instant, into effects: inout [SessionEffect]
  ) -> Bool { false }

  // MARK: TCP

  /// A link stands: dialled to `peer`, or accepted when that is nil.
  public mutating func linkOpened(
    _ link: LinkID, to peer: PublicKey?, remote: Endpoint, identity: borrowing Identity, now: Instant,
    into effects: inout [SessionEffect]
  ) {}

  /// Bytes came in on a link, in any portions.
  public mutating func linkBytes(
    _ link: LinkID, _ bytes: [UInt8], identity: borrowing Identity, now: Instant,
    into effects: inout [SessionEffect]
  ) {}

  /// Sends a message of at most `linkMessageBytes` on the peer's link. False when there is none.
  public mutating func linkSend(
    _ message: [UInt8], to peer: PublicKey, now: Instant, into effects: inout [SessionEffect]
  ) -> Bool { false }

  /// A link ended, whoever ended it.
  public mutating func linkClosed(_ link: LinkID, now: Instant, into effects: inout [SessionEffect]) {}

  // MARK: both

  /// Asks for a round trip; `.pong` tells. False when that way does not stand.
  public mutating func ping(
    _ peer: PublicKey, over transport: Transport, now: Instant, into effects: inout [SessionEffect]
  ) -> Bool { false }

  /// Says goodbye to a peer on both ways and forgets its sessions.
  public mutating func close(_ peer: PublicKey, now: Instant, into effects: inout [SessionEffect]) {}

  /// Says goodbye to everybody: the host stops.
  public mutating func closeAll(now: Instant, into effects: inout [SessionEffect]) {}

  public var nextDeadline: Instant? { nil }

  /// Call when `nextDeadline` has passed.
  public mutating func wake(
    identity: borrowing Identity, now: Instant, into effects: inout [SessionEffect]
  ) {}

  // MARK: queries

  /// Peers with a UDP session, in byte order.
  public var sessionPeers: [PublicKey] { [] }
  /// Peers with a link, in byte order.
  public var linkPeers: [PublicKey] { [] }
  public func hasSession(_ peer: PublicKey) -> Bool { false }
  public func isConnecting(_ peer: PublicKey) -> Bool { false }
  public func hasLink(_ peer: PublicKey) -> Bool { false }
  public func link(of peer: PublicKey) -> LinkID? { nil }
  public func peer(of link: LinkID) -> PublicKey? { nil }
  public func remote(of link: LinkID) -> Endpoint? { nil }
  /// Where a peer's UDP session sends to; proven or not.
  public func endpoint(of peer: PublicKey) -> Endpoint? { nil }
  /// The smoothed round trip of the peer's session or, without one, of its link.
  public func roundTrip(of peer: PublicKey) -> Interval? { nil }
  /// When the last authenticated packet or frame of the peer came in.
  public func lastHeard(from peer: PublicKey) -> Instant? { nil }
  /// How often each fault happened, in the order of their names.
  public var counters: [(name: String, count: UInt64)] { [] }
}
