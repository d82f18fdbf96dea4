// Owns: who belongs to the mesh, as one host sees it: records, statements, who answers here, which links are wanted.
// Refuses to know: sockets, sessions' keys, the peer table, the log. DESIGN section 7. Failure by quorum comes later;
// until then a host speaks for itself: "unreachable from here".

import TallyBase
import TallyCrypto
import TallyWire

public struct MembershipConfig: Sendable {
  public var mesh: MeshID
  public var me: PublicKey
  /// Larger than in any earlier run of this key, and durable before `start`: `BootEpoch.next`.
  public var epoch: UInt64
  /// Where this host can be reached, best first. Empty: only over sessions that it opens.
  public var endpoints: [Endpoint]
  public var attributes: Attributes
  /// None: this is the first host of its mesh, a member by itself.
  public var seeds: [Seed]

  public init(
    mesh: MeshID, me: PublicKey, epoch: UInt64, endpoints: [Endpoint], attributes: Attributes, seeds: [Seed]
  ) {
    precondition(epoch > 0, "epochs begin at 1")
    self.mesh = mesh
    self.me = me
    self.epoch = epoch
    self.endpoints = endpoints
    self.attributes = attributes
    self.seeds = seeds
  }
}

public struct Membership: Sendable {
  public let mesh: MeshID
  public let me: PublicKey
  let id: NodeID

  var config: MembershipConfig
  /// The record of this run; nil before `start`.
  var ownRecord: RecordWithAttributes?
  var ownReached: [Reached] = []
  var isAdmitted: Bool
  var hasLeft = false
  var renewedAt: Instant?
  /// The least time to the next jump above a foreign record of this key.
  var renewPause = GossipLimits.renewInterval
  var hurriedAt: Instant?
  /// Numbers of records of ours that this run did not make.
  var seenOfMe: [RecordNumber] = []

  var hosts: [PublicKey: Host] = [:]
  /// Every key of `hosts`, sorted: what is walked, since a dictionary's order is no one's.
  var keys: [PublicKey] = []
  var candidateCount = 0
  var sessions: [PublicKey: PeerSession] = [:]
  var links: [PublicKey: PeerLink] = [:]
  var seedFailures: [Int] = []
  var targets: [PublicKey] = []
  /// Statements that came or were made in this call and go to every link at its end.
  var spreading: [Members.Item] = []
  var view: ShortDigest?
  var timers = TimerTable<MeshTimer>()
  var generator: Generator

  public init(_ config: MembershipConfig, generator: Generator) {
    self.config = config
    self.generator = generator
    mesh = config.mesh
    me = config.me
    id = Names.nodeID(mesh: config.mesh, key: config.me)
    isAdmitted = config.seeds.allSatisfy { $0.key == config.me }
  }

  // MARK: Inputs. Those that may sign a record or a statement take the host's identity.

  /// Once, before anything else: loads what the store kept (table 2), signs the first record, dials the seeds.
  public mutating func start(
    _ stored: [(key: [UInt8], value: [UInt8])], identity: borrowing Identity, now: Instant,
    into effects: inout [MeshEffect]
  ) {
    precondition(ownRecord == nil, "membership started twice")
    precondition(identity.publicKey == me, "membership of \(me) started with the key of \(identity.publicKey)")
    signRecord(above: RecordNumber(epoch: config.epoch, counter: 0), identity: identity, into: &effects)
    for row in stored { load(row, now: now, into: &effects) }
    settle(from: nil, identity: identity, now: now, into: &effects)
    setSeeds(config.seeds, now: now, into: &effects)
    timers.arm(.exchange, at: now + generator.jittered(GossipLimits.exchangeInterval, percent: 50))
    timers.arm(.plan, at: now + GossipLimits.planDelay)
  }

  public mutating func onSessionUp(
    _ peer: PublicKey, at endpoint: Endpoint, weDialled: Bool, identity: borrowing Identity, now: Instant,
    into effects: inout [MeshEffect]
  ) {
    guard sessions[peer] != nil || sessions.count < GossipLimits.peers else { return }
    sessions[peer, default: PeerSession(endpoint: endpoint)].endpoint = endpoint
    if weDialled { sessions[peer]?.dialledAt = endpoint }
    heard(peer, now: now, into: &effects)
    if weDialled { met(peer, at: endpoint, identity: identity, now: now, into: &effects) }
    settle(from: nil, identity: identity, now: now, into: &effects)
  }

  public mutating func onSessionDown(_ peer: PublicKey, now: Instant, into effects: inout [MeshEffect]) {
    sessions[peer] = nil
  }

  public mutating func onLinkUp(
    _ peer: PublicKey, at endpoint: Endpoint, weDialled: Bool, identity: borrowing Identity, now: Instant,
    into effects: inout [MeshEffect]
  ) {
    guard links[peer] != nil || links.count < GossipLimits.peers else { return }
    links[peer] = PeerLink(endpoint: endpoint, weDialled: weDialled, since: now)
    timers.cancel(.dial(peer))
    heard(peer, now: now, into: &effects)
    greet(peer, into: &effects)
    if weDialled { met(peer, at: endpoint, identity: identity, now: now, into: &effects) }
    settle(from: nil, identity: identity, now: now, into: &effects)
    planSoon(now: now)
  }

  public mutating func onLinkDown(_ peer: PublicKey, now: Instant, into effects: inout [MeshEffect]) {
    // Only a link that lasted ends a series of dials: two instances with one key push each other's links out.
    if let link = links[peer], now - link.since >= GossipLimits.linkLasted { hosts[peer]?.dials = 0 }
    links[peer] = nil
    timers.cancel(.drop(peer))
    planSoon(now: now)
    guard hosts[peer]?.isLinkable == true else { return }
    // A link that breaks is the first sign of a host that stopped: ask it at once.
    hosts[peer]?.probe.isForced = true
    if hosts[peer]?.probe.sent.isEmpty == true { timers.arm(.probe(peer), at: now) }
  }

  /// An authenticated packet of any type came from `peer`. Call it for types that do not go to `onMessage`.
  public mutating func onPacket(from peer: PublicKey, now: Instant, into effects: inout [MeshEffect]) {
    heard(peer, now: now, into: &effects)
  }

  /// PING, PONG, MEMBERS, GET_MEMBERS, REACHED, LEAVE; `message` is type and body. Other types are a fault of `peer`.
  public mutating func onMessage(
    _ message: [UInt8], from peer: PublicKey, over transport: Transport, identity: borrowing Identity, now: Instant,
    into effects: inout [MeshEffect]
  ) {
    let type = MessageType(rawValue: message.first ?? 0)
    do throws(DecodeError) {
      switch type {
      case .ping, .pong: onHop(try HopMessage(message), from: peer, over: transport, now: now, into: &effects)
      case .members: onMembers(try Members(message: message), from: peer, now: now, into: &effects)
      case .getMembers: onGetMembers(try GetMembers(message: message), from: peer, now: now, into: &effects)
      case .reached: take(.reached(try Reached(message: message)), from: peer, now: now, into: &effects)
      case .leave: take(.leave(try Leave(message: message)), from: peer, now: now, into: &effects)
      // ACCUSE and WITHDRAW have draft layouts only: refused, never trusted, and no reason to stop a host.
      default: throw .unknown(field: "membership message", value: Int(type.rawValue))
      }
    } catch {
      effects.append(.fault(peer, .undecodable(error)))
    }
    heard(peer, now: now, into: &effects)
    settle(from: peer, identity: identity, now: now, into: &effects)
    if type == .members { answerBack(peer, message: message, into: &effects) }
  }

  /// Another host holds a record of ours with this number (ABOUT_YOU): ours jumps above it.
  public mutating func jump(
    over number: RecordNumber, identity: borrowing Identity, now: Instant, into effects: inout [MeshEffect]
  ) {
    seenOfMe.append(number)
    settle(from: nil, identity: identity, now: now, into: &effects)
  }

  /// Addresses or attributes changed: a newer record is signed and spread.
  public mutating func update(
    endpoints: [Endpoint], attributes: Attributes, identity: borrowing Identity, now: Instant,
    into effects: inout [MeshEffect]
  ) {
    guard let ownRecord, endpoints != config.endpoints || attributes != config.attributes else { return }
    config.endpoints = endpoints
    config.attributes = attributes
    guard let next = ownRecord.record.number.successor else { return }
    signRecord(above: next, identity: identity, into: &effects)
    settle(from: nil, identity: identity, now: now, into: &effects)
  }

  public mutating func setSeeds(_ seeds: [Seed], now: Instant, into effects: inout [MeshEffect]) {
    for index in config.seeds.indices { timers.cancel(.seed(index)) }
    config.seeds = Array(seeds.filter { $0.key != me }.prefix(GossipLimits.seeds))
    seedFailures = config.seeds.map { _ in 0 }
    for index in config.seeds.indices { timers.arm(.seed(index), at: now) }
  }

  /// Says good-bye to the mesh, until the next start. The caller lets the links drain before it closes them.
  public mutating func leave(identity: borrowing Identity, now: Instant, into effects: inout [MeshEffect]) {
    guard !hasLeft, let number = ownRecord?.record.number else { return }
    hasLeft = true
    let signature = identity.sign(Leave.signedBytes(mesh: mesh, key: me, number: number))
    let leave = Leave(key: me, number: number, signature: signature)
    for peer in linkedPeers { effects.append(.link(to: peer, message: leave.message)) }
    timers = TimerTable()
  }

  public mutating func wake(identity: borrowing Identity, now: Instant, into effects: inout [MeshEffect]) {
    while let timer = timers.popDue(now) {
      switch timer {
      case .seed(let index): seedDue(index, now: now, into: &effects)
      case .probe(let key): probeDue(key, now: now, into: &effects)
      case .dial(let key): dialDue(key, now: now, into: &effects)
      case .drop(let key): dropDue(key, into: &effects)
      case .candidate(let key): candidateDue(key, identity: identity, now: now, into: &effects)
      case .exchange: exchangeDue(now: now, into: &effects)
      case .plan: plan(now: now, into: &effects)
      }
    }
    settle(from: nil, identity: identity, now: now, into: &effects)
  }

  public var nextDeadline: Instant? { timers.next }
}

enum MeshTimer: Hashable, Sendable {
  case seed(Int)
  case probe(PublicKey)
  case dial(PublicKey)
  case drop(PublicKey)
  case candidate(PublicKey)
  case exchange
  case plan
}

public enum BootEpoch {
  /// The epoch of a new run: above the stored one, and above what the wall clock says an unstored one was. Persist it
  /// before the first record is signed.
  public static func next(stored: UInt64?, wallMs: Int64) -> UInt64 {
    let least = stored.map { $0 < .max ? $0 + 1 : $0 } ?? 1
    return max(least, UInt64(max(wallMs, 1)))
  }
}
