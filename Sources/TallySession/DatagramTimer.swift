// Owns: the deadlines that UDP sessions have, and the handshakes that are under way.

import TallyBase

enum DatagramTimer: Hashable, Sendable {
  /// Try the handshake with this number again.
  case retry(UInt32)
  /// Forget the unconfirmed handshake with this number.
  case halfOpen(UInt32)
  /// Look whether this session heard anything lately.
  case idle(UInt32)
  /// Repeat this session's path challenge.
  case path(UInt32)
  /// Look whether this session was answered.
  case silence(UInt32)
}

/// A handshake that we began.
struct Dial: Sendable {
  let peer: PublicKey
  let endpoint: Endpoint
  var initiation: Initiation
  var attempt = 0
}

/// A handshake that we answered. Nothing follows from it until the initiator seals a packet.
struct HalfOpen: Sendable {
  let peer: PublicKey
  let keys: SessionKeys
  let remoteIndex: UInt32
  let remote: Endpoint
  let ephemeral: Bytes32
  /// What was sent: a copy of the question gets a copy of the answer, without a curve being touched.
  let answer: [UInt8]
}
