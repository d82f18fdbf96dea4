// Owns: how the node's answers look to a client: names for keys, hexadecimal for hashes, words for states.
import TallyAdmin
import TallyBase
import TallyCrypto
import TallyExchange
import TallyGossip
import TallyLog
import TallyNet
import TallyNode
import TallyWire
import TallyWork

extension Daemon {
  var meshID: MeshID { Names.meshID(name: mesh.name, nonce: mesh.nonce) }

  var names: HostNames {
    let members = node.members
    var proposed = members.map { ($0.key, $0.petname) }
    proposed.append((node.key, config.name))
    return HostNames(
      own: trust.entries.map { ($0.key, $0.name ?? "") }, proposed: proposed.sorted { $0.0 < $1.0 })
  }

  func host(_ text: String) throws(RPCError) -> PublicKey {
    guard let key = names.key(text) else {
      throw .notFound(
        "no host is called \"\(text)\" here", hint: "see `tally peers`; a key is tal1…, a prefix needs 6 characters")
    }
    return key
  }

  /// A job by its ID or a unique prefix of it.
  func job(_ text: String) throws(RPCError) -> EntryID {
    if let id = EntryID(hex: text) { return id }
    guard text.count >= 4, Hex.decode(text.count % 2 == 0 ? text : text + "0") != nil else {
      throw .invalidParams("an ID is hexadecimal, at least 4 digits of it")
    }
    let found = node.find(prefix: text)
    guard let first = found.first else {
      throw .notFound("nothing in the ledger has an ID that begins with \(text)", hint: "see `tally jobs`")
    }
    guard found.count == 1 else {
      throw RPCError(
        code: RPCError.conflictCode, message: "\(found.count) IDs begin with \(text)", hint: "give more digits")
    }
    return first
  }

  /// A feed by its ID, a prefix of it, or its author's name; the own feed when nothing is given.
  func feed(_ text: String?) throws(RPCError) -> FeedStatus {
    guard let text else {
      guard let own = node.feed(node.status.ownFeed) else {
        throw .notFound("this host's feed has no entry yet", hint: "tally record -m TEXT writes one")
      }
      return own
    }
    let feeds = node.feeds
    if let key = names.key(text) {
      let live = feeds.filter { $0.row.author == key }.sorted {
        ($1.isContinued ? 1 : 0, $0.size) > ($0.isContinued ? 1 : 0, $1.size)
      }
      if let newest = live.first { return newest }
    }
    let matching = feeds.filter { $0.row.feed.hex.hasPrefix(text) }
    guard let feed = matching.first, matching.count == 1 else {
      throw .notFound(
        matching.isEmpty ? "no feed is called \(text) here" : "\(matching.count) feeds begin with \(text)",
        hint: "see `tally ledger`")
    }
    return feed
  }

  var workerText: String {
    guard let worker = node.status.worker else { return "none" }
    if worker.nativeSandbox { return "native jobs under bubblewrap, limits by \(worker.limitsBy)" }
    return "no sandbox: \(worker.cause)"
  }

  private var signingText: String {
    switch node.status.signing {
    case .on: "on"
    case .held: "held: waiting for hosts that know this feed"
    case .off(.storeFull(let detail)): "off: the store is full (\(detail))"
    case .off(.storeBroken(let detail)): "off: a write failed (\(detail))"
    case .off(.clone(let evidence)): "off: another instance signs with this key (\(evidence))"
    }
  }

  var statusResult: StatusResult {
    let status = node.status
    let lending =
      policy.lends
      ? "lends \(policy.cores) cores and \(policy.memoryMiB) MiB in \(policy.slots) slots to "
        + "\(trust.relations.values.count { $0 == .trusted }) trusted hosts" : "lends nothing"
    return StatusResult(
      name: config.name, key: KeyText.encode(status.key), node: status.node.hex, mesh: status.meshName,
      meshId: status.meshID.hex, version: TallyVersion.text, dataDirectory: config.dataDirectory,
      listening: listening.map(\.description), member: status.isMember, members: status.memberCount,
      alive: status.aliveCount, links: status.linkCount, sessions: status.sessionCount, table: status.tableCount,
      feed: status.ownFeed.hex, entriesReleased: status.ownSize, signing: signingText, feeds: status.feedCount,
      entries: status.entryCount, forks: status.forkedCount, clockDigest: status.clockDigest.hex,
      stateDigest: status.stateDigest.hex, lending: lending, worker: workerText, openTasks: status.openTasks,
      leasedTasks: status.leasedTasks, store: storeFault.map { "refuses: \($0)" } ?? "ok",
      uptimeS: UInt64(max(0, (SystemClock.now() - startedAt).micros) / 1_000_000), warnings: warnings(status),
      refusals: status.refusals.map { CounterRow(name: $0.name, count: $0.count) },
      faults: status.faults.map { CounterRow(name: $0.name, count: $0.count) }, network: networkRows)
  }

  private func warnings(_ status: NodeStatus) -> [WarningRow] {
    var rows: [WarningRow] = []
    if signingText != "on" {
      rows.append(
        WarningRow(
          code: "signing", text: "this host does not sign: \(signingText)",
          fix: "free space, or mend what is named; entries are taken back or held, never lost silently"))
    }
    if policy.lends && status.worker == nil {
      rows.append(
        WarningRow(
          code: "worker", text: "this host lends, but no worker process runs", fix: "tally worker, or tally up"))
    }
    if let worker = status.worker, !worker.nativeSandbox {
      rows.append(WarningRow(code: "sandbox", text: worker.cause, fix: "see deploy/apparmor and README"))
    }
    if let last = status.lastRefusal, status.memberCount <= 1 {
      rows.append(
        WarningRow(code: "alone", text: "no other member; last refused: \(last)", fix: "check mesh, key and address"))
    }
    return rows
  }

  private var networkRows: [CounterRow] {
    let counters = net.counters
    let rows: [(String, UInt64)] = [
      ("datagrams received", counters.datagramsReceived), ("datagrams sent", counters.datagramsSent),
      ("receive calls", counters.receiveCalls), ("send calls", counters.sendCalls),
      ("datagrams dropped", counters.datagramsDropped), ("kernel drops", net.kernelDrops),
      ("datagram bytes received", counters.datagramBytesReceived),
      ("datagram bytes sent", counters.datagramBytesSent), ("link bytes received", counters.linkBytesReceived),
      ("link bytes sent", counters.linkBytesSent), ("links accepted", counters.accepted),
      ("links dialled", counters.dialled), ("turns", counters.polls),
    ]
    return rows.map { CounterRow(name: $0.0, count: $0.1) }
  }

  var idResult: IDResult {
    let status = node.status
    return IDResult(
      key: KeyText.encode(status.key), node: status.node.hex, name: config.name, feed: status.ownFeed.hex,
      mesh: status.meshName, meshId: status.meshID.hex, meshNonce: Hex.encode(mesh.nonce))
  }

  var peerRows: [PeerRow] {
    let names = names
    return node.members.map { member in
      let relation = trust.entry(of: member.key)?.relation ?? .member
      return PeerRow(
        name: names.name(member.key), key: KeyText.encode(member.key), node: member.id.hex, state: member.state.word,
        why: member.why, endpoint: member.endpoint?.description, rttUs: member.roundTrip?.micros,
        link: member.hasLink, relation: relation.rawValue, lends: member.attributes?.lends ?? false,
        cores: Int(member.attributes?.cores ?? 0), memMb: Int(member.attributes?.memoryMiB ?? 0),
        arch: member.attributes?.architecture.name ?? "unknown", record: member.record.number.description)
    }
  }

  func lookupResult(_ target: String, _ records: [NodeRecord], asked: Int) -> LookupResult {
    let names = names
    let meshID = meshID
    return LookupResult(
      target: target, asked: asked,
      found: records.map {
        LookupResult.Found(
          name: names.name($0.key), key: KeyText.encode($0.key), node: Names.nodeID(mesh: meshID, key: $0.key).hex,
          endpoints: $0.endpoints.map(\.description))
      })
  }

  var ledgerResult: LedgerResult {
    let status = node.status
    let names = names
    return LedgerResult(
      clockDigest: status.clockDigest.hex, stateDigest: status.stateDigest.hex, entries: status.entryCount,
      feeds: node.feeds.map { feed in
        FeedRowResult(
          feed: feed.row.feed.hex, author: KeyText.encode(feed.row.author), name: names.name(feed.row.author),
          incarnation: String(feed.row.incarnation, radix: 16), size: feed.size, root: feed.head?.root.hex ?? "",
          forkIndex: feed.forkIndex, reason: "\(feed.row.reason)", own: feed.row.author == status.key,
          continued: feed.isContinued)
      })
  }

  var clockResult: ClockResult {
    let names = names
    var authors: [FeedID: PublicKey] = [:]
    for feed in node.feeds { authors[feed.row.feed] = feed.row.author }
    return ClockResult(
      digest: node.status.clockDigest.hex,
      lines: node.clock.map { line in
        ClockResult.Line(
          feed: line.feed.hex, name: authors[line.feed].map { names.name($0) } ?? "?", size: line.size,
          root: line.root.hex, forkIndex: line.forkIndex)
      })
  }

  var balanceResult: BalanceResult {
    let names = names
    return BalanceResult(
      clockDigest: node.status.clockDigest.hex,
      balances: node.balances.map {
        BalanceRow(
          debtor: names.name($0.debtor), creditor: names.name($0.creditor), unit: $0.unit.description,
          amount: $0.amount)
      })
  }

  func recordRows(last: Int) -> [RecordRow] {
    let names = names
    return node.records(last: last).map {
      RecordRow(
        id: $0.id.hex, author: names.name($0.author), timeMs: $0.timeMs, feed: $0.link.feed.hex, index: $0.link.index)
    }
  }

  func checkpointResult(_ feed: FeedStatus) throws(RPCError) -> CheckpointResult {
    guard let head = feed.head else {
      throw .notFound("that feed has no released head here yet", hint: "see `tally status`: signing")
    }
    let note = head.note(mesh: mesh.name, author: feed.row.author)
    return CheckpointResult(
      feed: feed.row.feed.hex, size: head.size, note: String(decoding: note.bytes, as: UTF8.self),
      vkey: VerifierKey(mesh: mesh.name, feed: feed.row.feed, author: feed.row.author).text)
  }

  func entriesResult(_ id: FeedID, from: UInt64, _ entries: [Entry]) -> EntriesResult {
    EntriesResult(
      feed: id.hex, size: node.feed(id)?.size ?? 0,
      entries: entries.enumerated().map { offset, entry in
        let index = from + UInt64(offset)
        let leaf = entry.leafHash
        return EntryRow(
          id: Names.entryID(feed: id, index: index, leaf: leaf).hex, index: index,
          kind: entry.kind.name ?? "\(entry.kind.rawValue): newer than I know", timeMs: entry.timeMs, leaf: leaf.hex,
          links: entry.links.map { Names.entryID(feed: $0.feed, index: $0.index, leaf: $0.leaf).hex },
          preimage: Base64Bytes(entry.preimage))
      })
  }

  func proofResult(_ feed: FeedStatus, index: UInt64, _ entry: Entry, _ head: Head, _ path: [Digest]) -> ProofResult {
    let note = head.note(mesh: mesh.name, author: feed.row.author)
    return ProofResult(
      feed: feed.row.feed.hex, author: KeyText.encode(feed.row.author),
      incarnation: String(feed.row.incarnation, radix: 16), index: index, size: head.size,
      preimage: Base64Bytes(entry.preimage), path: path.map(\.hex), root: head.root.hex,
      signature: Base64Bytes(head.signature.bytes), note: String(decoding: note.bytes, as: UTF8.self))
  }
}
