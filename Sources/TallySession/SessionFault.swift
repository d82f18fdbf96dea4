// Owns: why a packet, frame or link was refused, and how often each happened. Always the peer's fault or the
// network's, never ours; a value, counted and shown, never a trap.

import TallyBase

/// One reason for refusing what came in.
public enum SessionFault: Error, Hashable, Sendable, CaseIterable {
  /// A packet or frame whose layout is wrong.
  case malformed
  /// A packet type that this version does not know.
  case unknownType
  /// A first handshake message of another wire version. It is answered with a hint.
  case unknownVersion
  /// The peer answered with a hint: it speaks another wire version.
  case hintedVersion
  /// Another mesh or another mesh key: met with silence.
  case badMac1
  /// A handshake message that does not open: damaged, forged, or for another key.
  case badHandshake
  /// The key in the handshake is not canonical, not of prime order, or not the one the handshake used.
  case badIdentity
  /// Another host answered than the one that was dialled.
  case wrongPeer
  /// The packet came from our own key.
  case ourself
  /// A session number that is not in use here.
  case unknownSession
  /// Bytes that were not sealed with the session's key.
  case badSeal
  /// A counter that was seen before or is too old.
  case replay
  /// A session reached the end of its counter.
  case counterExhausted
  /// A message type that may not travel this way, or an unreadable hop control message.
  case badMessage
  /// A frame that does not unpack to exactly what it says within the limit.
  case badCompression
  /// Too many unconfirmed handshakes.
  case halfOpenFull
  /// More first handshake messages than a second's budget.
  case handshakeBudget
  /// Too many peers, or too many links.
  case tableFull
  /// No handshake in time: down, or another mesh or key.
  case noAnswer
  /// The link lost against another one with the same peer.
  case duplicateLink
  /// The peer said goodbye.
  case peerClosed
  /// We said goodbye.
  case weClosed

  /// The name that operators see.
  public var name: String { "\(self)" }
}

/// How often each fault happened since the start. Saturates.
public struct SessionCounters: Sendable {
  private var counts: [SessionFault: UInt64] = [:]
  public init() {}

  public mutating func count(_ fault: SessionFault) {
    let (sum, overflow) = counts[fault, default: 0].addingReportingOverflow(1)
    counts[fault] = overflow ? .max : sum
  }

  public subscript(fault: SessionFault) -> UInt64 { counts[fault, default: 0] }

  /// Every fault with its count, in the order of their names.
  public var sorted: [(name: String, count: UInt64)] {
    SessionFault.allCases.map { ($0.name, self[$0]) }.sorted { $0.0 < $1.0 }
  }
}
