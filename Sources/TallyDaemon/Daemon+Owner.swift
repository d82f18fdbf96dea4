// Owns: what the owner of this host decides: lending, trust, invites, the end.
import TallyAdmin
import TallyBase
import TallyCrypto
import TallyExchange
import TallyGossip
import TallyNet
import TallyNode
import TallyWire

extension Daemon {
  mutating func own(_ call: AdminCall, _ tag: AdminTag, now: Instant) throws(RPCError) -> Bool {
    let request = call.request
    switch call.method.name {
    case "lend": try lend(request.decode(LendParams.self), tag, now: now)
    case "trust": try trust(request.decode(TrustParams.self), tag, now: now)
    case "invite":
      let made = try invite(request.decode(InviteParams.self))
      finish(tag, with: InviteResult(url: made.url))
    case "shutdown":
      finish(tag, with: Done())
      stop("asked over the admin socket")
    default: return false
    }
    return true
  }

  private mutating func lend(_ params: LendParams, _ tag: AdminTag, now: Instant) throws(RPCError) {
    if let cores = params.cores { policy.cores = cores }
    if let memory = params.memMb { policy.memoryMiB = memory }
    if let disk = params.diskMb { policy.diskMiB = disk }
    if let slots = params.slots {
      guard (1...256).contains(slots) else { throw .invalidParams("slots must be 1 to 256") }
      policy.slots = slots
    }
    let isChange = params.on != nil || params.cores != nil || params.memMb != nil || params.diskMb != nil
    if isChange || params.slots != nil {
      var kept = trust
      kept.lend = TrustFile.Lend(
        on: params.on ?? policy.lends, cores: policy.cores, memoryMiB: policy.memoryMiB, diskMiB: policy.diskMiB,
        slots: policy.slots)
      try save(kept)
      setPolicy(lends: params.on, now: now)
    }
    finish(
      tag,
      with: LendResult(
        on: policy.lends, cores: policy.cores, memMb: policy.memoryMiB, diskMb: policy.diskMiB, slots: policy.slots,
        worker: workerText))
  }

  private mutating func trust(_ params: TrustParams, _ tag: AdminTag, now: Instant) throws(RPCError) {
    let key = try host(params.host)
    var entry = trust.entry(of: key) ?? TrustFile.Entry(key: key)
    if let text = params.relation {
      guard let relation = TrustFile.Relation(rawValue: text) else {
        throw .invalidParams("relation must be trusted, member or blocked")
      }
      entry.relation = relation
    }
    if let owner = params.owner { entry.owner = owner.isEmpty ? nil : owner }
    if let name = params.name {
      guard Attributes.isPetname(name) else {
        throw .invalidParams("a name is 1 to 32 of a-z, 0-9, '.', '-', and begins with a letter or digit")
      }
      entry.name = name
    }
    if params.relation != nil || params.owner != nil || params.name != nil {
      var kept = trust
      kept.put(entry)
      try save(kept)
      setPolicy(lends: nil, now: now)
    }
    finish(
      tag,
      with: TrustRow(
        name: names.name(key), key: KeyText.encode(key), relation: entry.relation.rawValue, owner: entry.owner))
  }

  private mutating func save(_ file: TrustFile) throws(RPCError) {
    do throws(ConfigError) {
      try file.save(config.layout.trust)
    } catch {
      throw RPCError(code: RPCError.internalErrorCode, message: error.description, hint: error.fix)
    }
    trust = file
  }

  /// The trust file and the lending decide together; the node and the mesh are told.
  mutating func setPolicy(lends: Bool?, now: Instant) {
    policy = LendPolicy(
      lends: lends ?? policy.lends, cores: policy.cores, memoryMiB: policy.memoryMiB, diskMiB: policy.diskMiB,
      slots: policy.slots, relations: trust.relations)
    node.handle(.command(.setPolicy(policy), RequestID(number: 0)), now: now, into: &outbox)
    tellAttributes(now: now)
  }

  /// The mesh learns what this host lends and what its sandbox can.
  mutating func tellAttributes(now: Instant) {
    let attributes = HostFacts.attributes(config, policy, worker: node.status.worker)
    node.handle(.command(.setAttributes(attributes), RequestID(number: 0)), now: now, into: &outbox)
  }

  private mutating func invite(_ params: InviteParams) throws(RPCError) -> Invite {
    let own = node.ownRecord?.record.endpoints ?? []
    guard let endpoint = own.first ?? listening.first else {
      throw RPCError(
        code: RPCError.unreachableCode, message: "this host has no address that another could dial",
        hint: "start it with --listen or --advertise")
    }
    let host = params.host ?? endpoint.address.description
    let token = node.issueInviteToken(now: SystemClock.now())
    return Invite(
      key: node.key, host: host, port: endpoint.port, mesh: mesh.name, nonce: mesh.nonce, token: token,
      meshKey: mesh.keys.first)
  }
}
