// Owns: what others may ask of membership. Reads only.

import TallyBase
import TallyCrypto
import TallyWire

extension Membership {
  /// Every host but this one, in order of key.
  public var members: [MemberView] { keys.compactMap { member($0) } }

  public func member(_ key: PublicKey) -> MemberView? {
    guard let host = hosts[key] else { return nil }
    let state = state(of: host)
    return MemberView(
      key: key, id: host.id, state: state, why: why(host, state), record: host.record, attributes: host.attributes,
      roundTrip: host.roundTrip.smoothed, endpoint: endpoint(of: host), hasLink: links[key] != nil,
      heardAt: host.heardAt, reachedBy: host.reached.map(\.observer).sorted())
  }

  public func isMember(_ key: PublicKey) -> Bool {
    key == me ? isAdmitted : hosts[key]?.standing == .member
  }

  /// Whose statements count: a member's do, also after its good-bye.
  func wasMember(_ key: PublicKey) -> Bool {
    guard key != me else { return isAdmitted }
    return (hosts[key]?.standing ?? .candidate) != .candidate
  }

  /// Members (this host included when it is one), without those that left.
  public var memberCount: Int {
    keys.count { hosts[$0]?.standing == .member } + (isAdmitted && !hasLeft ? 1 : 0)
  }

  public var own: RecordWithAttributes? { ownRecord }

  public func record(of key: PublicKey) -> NodeRecord? { key == me ? ownRecord?.record : hosts[key]?.record }

  public func attributes(of key: PublicKey) -> Attributes? {
    key == me ? config.attributes : hosts[key]?.attributes
  }

  /// The members with which this host wants links, in order of key.
  public var linkTargets: [PublicKey] { targets }
  public var linkedPeers: [PublicKey] { links.keys.sorted() }

  /// Equal for equal views of who is a member with which record: the first half of
  /// BLAKE2b-256("tally/view/1" ‖ for each member and each that left, in order of key: key ‖ number ‖ left u8).
  public var viewDigest: ShortDigest { view ?? digest() }

  func digest() -> ShortDigest {
    var writer = ByteWriter(capacity: 45 * (keys.count + 1))
    var ownIsWritten = !isAdmitted
    func writeOwn() {
      guard !ownIsWritten, let number = ownRecord?.record.number else { return }
      writer.named(me)
      number.write(into: &writer)
      writer.flag(hasLeft)
      ownIsWritten = true
    }
    for key in keys {
      guard let host = hosts[key], host.standing != .candidate else { continue }
      if me < key { writeOwn() }
      writer.named(key)
      host.record.number.write(into: &writer)
      writer.flag(host.standing == .left)
    }
    writeOwn()
    return ShortDigest(firstHalfOf: Blake2b.hash256(tag: "tally/view/1", [writer.bytes]))
  }

  func state(of host: Host) -> MemberState {
    switch host.standing {
    case .candidate: .candidate
    case .left: .left
    case .member: host.probe.isUnreachable ? .unreachable : host.heardAt == nil ? .unheard : .alive
    }
  }

  private func why(_ host: Host, _ state: MemberState) -> String {
    switch state {
    case .candidate: "no member has signed yet that it met this host"
    case .unheard: "a member, and nothing was heard from it since this host started"
    case .alive where links[host.key] != nil: "it answers, over a link and datagrams"
    case .alive: "it answers"
    case .unreachable:
      "\(host.probe.unanswered) pings in a row had no answer; others may well reach it"
    case .left: "it said good-bye"
    }
  }

  /// Where it is dialled: the session's end while there is one, else an advertised address, another after each failure.
  func endpoint(of host: Host) -> Endpoint? {
    if let session = sessions[host.key], host.probe.unanswered < GossipLimits.probeTries { return session.endpoint }
    return dialEndpoint(of: host, attempt: host.probe.unanswered / GossipLimits.probeTries)
  }

  func dialEndpoint(of host: Host, attempt: Int) -> Endpoint? {
    let scope = config.endpoints.map(\.address.scope).min() ?? .local
    let usable = host.record.endpoints(reachableFrom: scope)
    return usable.isEmpty ? nil : usable[attempt % usable.count]
  }
}
