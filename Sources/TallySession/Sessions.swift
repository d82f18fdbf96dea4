// Owns: the one door between bytes of the network and messages of proven peers, for UDP and TCP alike.
// Refuses to know: what messages mean, and how bytes travel. DESIGN section 5; Noise revision 34; WireGuard
// (Donenfeld 2017) for the packets around it.

import TallyBase
import TallyCrypto
import TallyWire

/// All UDP sessions and TCP links of this host.
public struct Sessions: Sendable {
  private var context: SessionContext
  var datagrams = DatagramSessions()
  private var links = Links()

  public init(mesh: MeshKeys, me: PublicKey, generator: Generator) {
    context = SessionContext(mesh: mesh, me: me, generator: generator)
  }

  /// Replaces the keyring; sessions and links that stand stay.
  public mutating func rotate(to mesh: MeshKeys) { context.keyring.rotate(to: mesh) }

  // MARK: UDP

  /// A datagram came in.
  public mutating func datagram(
    _ bytes: [UInt8], from source: Endpoint, identity: borrowing Identity, now: Instant,
    into effects: inout [SessionEffect]
  ) {
    datagrams.datagram(bytes, from: source, identity: identity, now: now, context: &context, into: &effects)
  }

  /// Starts a UDP session with `peer`, or renews the one there is. While a handshake runs to the same address this
  /// does nothing. It ends in `.sessionUp` or in `.noAnswer`.
  public mutating func connect(
    to peer: PublicKey, at endpoint: Endpoint, identity: borrowing Identity, now: Instant,
    into effects: inout [SessionEffect]
  ) {
    datagrams.connect(to: peer, at: endpoint, identity: identity, now: now, context: &context, into: &effects)
  }

  /// Sends a message of 1 to `datagramMessageBytes` bytes whose type may travel by datagram; anything else traps.
  /// False when there is neither a session nor a handshake, or when too many messages wait already.
  public mutating func send(
    _ message: [UInt8], to peer: PublicKey, now: Instant, into effects: inout [SessionEffect]
  ) -> Bool {
    precondition(
      message.count <= SessionLimits.datagramMessageBytes, "a datagram message of \(message.count) bytes")
    precondition(
      message.first.map { MessageType(rawValue: $0).mayTravelByDatagram } == true,
      "message type \(message.first ?? 0) does not travel by datagram")
    return datagrams.send(message, to: peer, now: now, into: &effects)
  }

  // MARK: TCP

  /// A link stands: dialled to `peer`, or accepted when that is nil. It ends in `.linkUp` or in `.close`.
  public mutating func linkOpened(
    _ link: LinkID, to peer: PublicKey?, remote: Endpoint, identity: borrowing Identity, now: Instant,
    into effects: inout [SessionEffect]
  ) {
    links.opened(link, to: peer, remote: remote, identity: identity, now: now, context: &context, into: &effects)
  }

  /// Bytes came in on a link, in any portions.
  public mutating func linkBytes(
    _ link: LinkID, _ bytes: [UInt8], identity: borrowing Identity, now: Instant,
    into effects: inout [SessionEffect]
  ) {
    links.received(link, bytes, identity: identity, now: now, context: &context, into: &effects)
  }

  /// Sends a message of 1 to `linkMessageBytes` bytes on the peer's link; other sizes trap. False when there is no
  /// link.
  public mutating func linkSend(
    _ message: [UInt8], to peer: PublicKey, now: Instant, into effects: inout [SessionEffect]
  ) -> Bool {
    precondition(
      (1...SessionLimits.linkMessageBytes).contains(message.count), "a link message of \(message.count) bytes")
    return links.send(message, to: peer, context: &context, into: &effects)
  }

  /// A link ended, whoever ended it.
  public mutating func linkClosed(_ link: LinkID, now: Instant, into effects: inout [SessionEffect]) {
    links.closed(link, context: &context, into: &effects)
  }

  // MARK: both

  /// Asks for a round trip; `.pong` tells. False when that way does not stand.
  public mutating func ping(
    _ peer: PublicKey, over transport: Transport, now: Instant, into effects: inout [SessionEffect]
  ) -> Bool {
    switch transport {
    case .datagram: datagrams.ping(peer, now: now, context: &context, into: &effects)
    case .link: links.ping(peer, now: now, context: &context, into: &effects)
    }
  }

  /// Says goodbye to a peer on both ways and forgets its sessions.
  public mutating func close(_ peer: PublicKey, now: Instant, into effects: inout [SessionEffect]) {
    datagrams.close(peer, into: &effects)
    links.close(peer, context: &context, into: &effects)
  }

  /// Says goodbye to everybody: the host stops.
  public mutating func closeAll(now: Instant, into effects: inout [SessionEffect]) {
    for peer in sessionPeers { datagrams.close(peer, into: &effects) }
    for peer in linkPeers { links.close(peer, context: &context, into: &effects) }
  }

  public var nextDeadline: Instant? {
    guard let first = datagrams.timers.next else { return links.timers.next }
    return links.timers.next.map { min(first, $0) } ?? first
  }

  /// Call when `nextDeadline` has passed.
  public mutating func wake(
    identity: borrowing Identity, now: Instant, into effects: inout [SessionEffect]
  ) {
    datagrams.wake(identity: identity, now: now, context: &context, into: &effects)
    links.wake(now: now, context: &context, into: &effects)
  }

  // MARK: queries

  /// Peers with a UDP session, in byte order.
  public var sessionPeers: [PublicKey] { datagrams.byPeer.keys.sorted() }
  /// Peers with a link, in byte order.
  public var linkPeers: [PublicKey] { links.byPeer.keys.sorted() }
  public func hasSession(_ peer: PublicKey) -> Bool { datagrams.byPeer[peer] != nil }
  /// True while a handshake of ours over UDP runs.
  public func isConnecting(_ peer: PublicKey) -> Bool { datagrams.dialsOf[peer] != nil }
  public func hasLink(_ peer: PublicKey) -> Bool { links.byPeer[peer] != nil }
  public func link(of peer: PublicKey) -> LinkID? { links.byPeer[peer] }
  public func peer(of link: LinkID) -> PublicKey? { links.links[link]?.peer }
  public func remote(of link: LinkID) -> Endpoint? { links.links[link]?.remote }
  /// Where a peer's UDP session sends to; proven or not.
  public func endpoint(of peer: PublicKey) -> Endpoint? { session(of: peer)?.path.endpoint }
  public func isProven(_ peer: PublicKey) -> Bool { session(of: peer)?.path.isProven == true }

  /// The smoothed round trip of the peer's session or, without one, of its link.
  public func roundTrip(of peer: PublicKey) -> Interval? {
    if let smoothed = session(of: peer)?.pings.smoothed { return smoothed }
    return links.byPeer[peer].flatMap { links.links[$0]?.pings.smoothed }
  }

  /// When the last authenticated packet or frame of the peer came in.
  public func lastHeard(from peer: PublicKey) -> Instant? {
    let byDatagram = session(of: peer)?.lastHeard
    guard let byLink = links.byPeer[peer].flatMap({ links.links[$0]?.lastHeard }) else { return byDatagram }
    return byDatagram.map { max($0, byLink) } ?? byLink
  }

  /// How often each fault happened, in the order of their names.
  public var counters: [(name: String, count: UInt64)] { context.counters.sorted }
  public func count(of fault: SessionFault) -> UInt64 { context.counters[fault] }

  private func session(of peer: PublicKey) -> DatagramSession? {
    datagrams.byPeer[peer]?.last.flatMap { datagrams.sessions[$0] }
  }
}
