// Owns: the peer table of one host.
import TallyBase
import TallyCrypto
import TallyWire

public struct RoutingTable: Sendable {
  public let mesh: MeshID
  public let me: PublicKey
  public let id: NodeID

  public init(mesh: MeshID, me: PublicKey, generator: Generator) {
    self.mesh = mesh
    self.me = me
    self.id = Names.nodeID(mesh: mesh, key: me)
  }

  /// What the store kept (table 1): loaded as unproven, each is proven again by a handshake.
  public mutating func load(_ stored: [(key: [UInt8], value: [UInt8])], now: Instant, into effects: inout [TableEffect]) {}
  /// This host's own record and attribute block, whenever membership makes a new one.
  public mutating func setOwn(_ own: RecordWithAttributes) {}
  /// A record that somebody else checked or told of: proven when there is room for it.
  public mutating func learned(_ record: NodeRecord, now: Instant, into effects: inout [TableEffect]) {}
  public mutating func onSessionUp(
    _ peer: PublicKey, at endpoint: Endpoint, weDialled: Bool, now: Instant, into effects: inout [TableEffect]
  ) {}
  public mutating func onSessionDown(_ peer: PublicKey, now: Instant, into effects: inout [TableEffect]) {}
  /// An authenticated packet of any type came from `peer`.
  public mutating func onPacket(from peer: PublicKey, now: Instant) {}
  /// FIND, NODES, GET_RECORD, RECORD and PONG; `message` is type and body. Other types are our own mistake.
  public mutating func onMessage(
    _ message: [UInt8], from peer: PublicKey, now: Instant, into effects: inout [TableEffect]
  ) {}
  /// Nil when `TableLimits.lookups` are under way.
  public mutating func lookup(_ target: NodeID, now: Instant, into effects: inout [TableEffect]) -> LookupID? { nil }
  public var nextDeadline: Instant? { nil }
  public mutating func wake(now: Instant, into effects: inout [TableEffect]) {}

  /// The proven records nearest to `target`, nearest first.
  public func closest(to target: NodeID, count: Int) -> [NodeRecord] { [] }
  public func record(of peer: PublicKey) -> NodeRecord? { nil }
  public var count: Int { 0 }
  /// The ranks that hold anything, farthest first.
  public var buckets: [BucketView] { [] }
}
