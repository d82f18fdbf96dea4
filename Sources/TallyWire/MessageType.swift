// Owns: the numbers of the messages inside a session: `type u8 ‖ body`. PROTOCOL.md's first table says who signs,
// what seals, who checks and which transport carries each.

@frozen
public struct MessageType: RawRepresentable, Hashable, Comparable, Sendable {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
  @inlinable public static func < (left: MessageType, right: MessageType) -> Bool { left.rawValue < right.rawValue }

  // Hop control of a session.
  public static let ping = MessageType(rawValue: 0x01)
  public static let pong = MessageType(rawValue: 0x02)
  public static let pathChallenge = MessageType(rawValue: 0x03)
  public static let pathResponse = MessageType(rawValue: 0x04)
  public static let close = MessageType(rawValue: 0x05)
  // Peer table.
  public static let find = MessageType(rawValue: 0x10)
  public static let nodes = MessageType(rawValue: 0x11)
  public static let getRecord = MessageType(rawValue: 0x12)
  public static let record = MessageType(rawValue: 0x13)
  // Membership.
  public static let members = MessageType(rawValue: 0x20)
  public static let leave = MessageType(rawValue: 0x21)
  public static let accuse = MessageType(rawValue: 0x22)
  public static let withdraw = MessageType(rawValue: 0x23)
  public static let reached = MessageType(rawValue: 0x24)
  public static let getMembers = MessageType(rawValue: 0x25)
  // Log.
  public static let aboutYou = MessageType(rawValue: 0x30)
  public static let clock = MessageType(rawValue: 0x31)
  public static let push = MessageType(rawValue: 0x32)
  public static let getRange = MessageType(rawValue: 0x33)
  public static let range = MessageType(rawValue: 0x34)
  public static let getPath = MessageType(rawValue: 0x35)
  public static let path = MessageType(rawValue: 0x36)
  public static let forkProof = MessageType(rawValue: 0x37)
  public static let ihave = MessageType(rawValue: 0x38)
  public static let graft = MessageType(rawValue: 0x39)
  public static let prune = MessageType(rawValue: 0x3a)
  public static let stored = MessageType(rawValue: 0x3b)
  public static let getHead = MessageType(rawValue: 0x3c)
  public static let head = MessageType(rawValue: 0x3d)
  // Exchange: unlogged dealings.
  public static let ask = MessageType(rawValue: 0x40)
  public static let bid = MessageType(rawValue: 0x41)
  public static let lease = MessageType(rawValue: 0x42)
  public static let beat = MessageType(rawValue: 0x43)
  public static let output = MessageType(rawValue: 0x44)
  public static let result = MessageType(rawValue: 0x45)
  public static let cancel = MessageType(rawValue: 0x46)
  public static let settled = MessageType(rawValue: 0x47)
  // Blobs.
  public static let getLeaf = MessageType(rawValue: 0x50)
  public static let leaf = MessageType(rawValue: 0x51)
  public static let noLeaf = MessageType(rawValue: 0x52)

  /// Small messages of a session; everything else travels on a TCP link.
  public var mayTravelByDatagram: Bool { rawValue <= 0x05 || (0x10...0x13).contains(rawValue) }
}
