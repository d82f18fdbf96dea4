// Owns: what sessions ask of the node around them. Refuses to know: who carries it out.

import TallyBase

/// Which of a peer's two ways a message or a ping takes.
public enum Transport: UInt8, Hashable, Sendable {
  case datagram = 1
  case link = 2
}

public enum SessionEffect: Hashable, Sendable {
  /// Send one datagram.
  case transmit(to: Endpoint, [UInt8])
  /// Append bytes to a link.
  case write(LinkID, [UInt8])
  /// End a link after what was written to it. `linkClosed` need not be called for it any more, but may be.
  case close(LinkID, why: SessionFault)
  /// A UDP session with a peer stands: the first, or one more after a renewal or a restart of the peer.
  /// `weDialled`: our handshake, answered from the very address that it went to.
  case sessionUp(PublicKey, at: Endpoint, weDialled: Bool)
  /// The last UDP session with a peer is gone.
  case sessionDown(PublicKey)
  /// A handshake that we began, over UDP or on a link, came to nothing: down, or another mesh or key.
  case noAnswer(PublicKey, at: Endpoint)
  /// A link with a proven peer stands; at most one a peer.
  case linkUp(PublicKey, LinkID, at: Endpoint, weDialled: Bool)
  /// That link is gone, for whatever reason.
  case linkDown(PublicKey, LinkID)
  /// A message (`type ‖ body`) of a proven peer. Pings, path messages and goodbyes never get here;
  /// a PONG does when this layer did not ask for it.
  case datagramMessage(from: PublicKey, [UInt8])
  case linkMessage(from: PublicKey, [UInt8])
  /// A peer answered our ping; `observed` is where it sees us.
  case pong(from: PublicKey, over: Transport, roundTrip: Interval, observed: Endpoint)
  /// This address of the peer answers to it: it may be sent more than it sent.
  case addressProven(PublicKey, Endpoint)
  /// Something was refused, for the log; the counters have it too.
  case refused(from: Endpoint, SessionFault)
}
