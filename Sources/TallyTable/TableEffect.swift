// Owns: what the peer table asks its node to do. Refuses to know: sockets, sessions and the store.

import TallyBase
import TallyWire

/// Names a lookup within one run of one host.
@frozen
public struct LookupID: Hashable, Comparable, Sendable {
  public let number: UInt64
  public init(number: UInt64) { self.number = number }
  public static func < (left: LookupID, right: LookupID) -> Bool { left.number < right.number }
}

public enum TableEffect: Hashable, Sendable {
  /// Send `message` (type and body) in a UDP session with `to`; when there is none, first start one at `at`.
  case datagram(to: PublicKey, at: Endpoint, message: [UInt8])
  /// A fresh handshake with `peer` at exactly `at` is wanted, session or not: it proves the address.
  case wantSession(peer: PublicKey, at: Endpoint)
  /// Keep `value` under `key` in store table `table` (raw value of `StoreTable`).
  case store(table: UInt8, key: [UInt8], value: [UInt8])
  case delete(table: UInt8, key: [UInt8])
  /// A peer entered the table, or left it.
  case entered(PublicKey)
  case removed(PublicKey)
  /// A lookup ended. Only hosts that answered us, nearest first, at most 8.
  case found(LookupID, target: NodeID, records: [NodeRecord], asked: Int)
  /// `peer` sent something that an honest host does not send. Counted; nothing else follows.
  case fault(PublicKey, TableFault)
}

public enum TableFault: Hashable, Sendable {
  case undecodable(DecodeError)
  /// A record whose signature does not hold.
  case badSignature(of: PublicKey)
  /// Two records of one number with different bytes, both signed.
  case equivocation(of: PublicKey)
  /// NODES or RECORD that nobody asked for.
  case unasked(MessageType)
  case tooManyQuestions
}
