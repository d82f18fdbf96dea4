// Owns: carrying out what the parts decided, until nothing is left to do. Effects of one part become calls of others
// here and nowhere else.
import TallyBase
import TallyCrypto
import TallyExchange
import TallyGossip
import TallyLog
import TallySession
import TallyTable
import TallyWire
import TallyWork

extension Node {
  /// Round by round until every list is empty. A bound catches two parts that answer each other for ever: our mistake.
  mutating func settle(now: Instant, into outbox: inout Outbox) {
    var rounds = 0
    while !effects.isEmpty {
      rounds += 1
      precondition(rounds < 10_000, "effects that never settle: \(effects)")
      for effect in take(&effects.session) { carryOut(effect, now: now, into: &outbox) }
      for effect in take(&effects.table) { carryOut(effect, now: now, into: &outbox) }
      for effect in take(&effects.mesh) { carryOut(effect, now: now, into: &outbox) }
      for effect in take(&effects.ledger) { carryOut(effect, now: now, into: &outbox) }
      for effect in take(&effects.exchange) { carryOut(effect, now: now, into: &outbox) }
    }
  }

  // Sessions.

  private mutating func carryOut(_ effect: SessionEffect, now: Instant, into outbox: inout Outbox) {
    switch effect {
    case .transmit(let endpoint, let bytes): outbox.append(.transmit(to: endpoint, bytes: bytes))
    case .write(let link, let bytes): outbox.append(.write(link, bytes))
    case .close(let link, let fault):
      tallies.count("link closed: \(fault.name)")
      outbox.append(.close(link))
    case .sessionUp(let peer, let endpoint, let weDialled):
      if desk.sessionUp(peer) { _ = sessions.ping(peer, over: .datagram, now: now, into: &effects.session) }
      table.onSessionUp(peer, at: endpoint, weDialled: weDialled, now: now, into: &effects.table)
      membership.onSessionUp(
        peer, at: endpoint, weDialled: weDialled, identity: identity, now: now, into: &effects.mesh)
    case .sessionDown(let peer):
      table.onSessionDown(peer, now: now, into: &effects.table)
      membership.onSessionDown(peer, now: now, into: &effects.mesh)
    case .noAnswer(let peer, let endpoint):
      tallies.count("no answer")
      tallies.refused("no answer from \(KeyText.encode(peer)) at \(endpoint): down, or another mesh or key")
    case .linkUp(let peer, _, let endpoint, let weDialled):
      onLinkUp(peer, at: endpoint, weDialled: weDialled, now: now)
    case .linkDown(let peer, _):
      membership.onLinkDown(peer, now: now, into: &effects.mesh)
      broadcast.onLinkDown(peer)
      ledger.onPeerDown(peer, now: now, into: &effects.ledger)
      exchange.onLinkDown(peer, into: &effects.exchange)
    case .datagramMessage(let peer, let message): route(message, from: peer, over: .datagram, now: now)
    case .linkMessage(let peer, let message): route(message, from: peer, over: .link, now: now)
    case .pong(let peer, _, let roundTrip, let observed):
      membership.onPacket(from: peer, now: now, into: &effects.mesh)
      for request in desk.pong(peer) { outbox.append(.reply(request, .pong(roundTrip: roundTrip, observed: observed))) }
    case .addressProven: break
    case .refused(let endpoint, let fault):
      tallies.count("refused: \(fault.name)")
      tallies.refused("\(fault.name) from \(endpoint)")
      outbox.append(.event(.refused(from: endpoint, reason: fault.name)))
    }
  }

  private mutating func onLinkUp(_ peer: PublicKey, at endpoint: Endpoint, weDialled: Bool, now: Instant) {
    let number = membership.record(of: peer)?.number ?? .none
    membership.onLinkUp(peer, at: endpoint, weDialled: weDialled, identity: identity, now: now, into: &effects.mesh)
    broadcast.onLinkUp(peer)
    ledger.onPeerUp(
      peer, recordEpoch: number.epoch, recordCounter: UInt64(number.counter), now: now, into: &effects.ledger)
    if membership.isMember(peer) { exchange.onLinkUp(peer, now: now, into: &effects.exchange) }
  }

  /// One place decides which part a message concerns.
  private mutating func route(
    _ message: [UInt8], from peer: PublicKey, over transport: TallyGossip.Transport, now: Instant
  ) {
    guard let first = message.first else {
      tallies.count("empty message")
      return
    }
    let type = MessageType(rawValue: first)
    if transport == .datagram && !type.mayTravelByDatagram {
      tallies.count("message type not for datagrams")
      return
    }
    table.onPacket(from: peer, now: now)
    switch first {
    case 0x02:
      // The answer to a ping of the table's or of membership's; each knows its own nonces.
      table.onMessage(message, from: peer, now: now, into: &effects.table)
      membership.onMessage(message, from: peer, over: transport, identity: identity, now: now, into: &effects.mesh)
    case 0x20, 0x21, 0x24, 0x25:
      membership.onMessage(message, from: peer, over: transport, identity: identity, now: now, into: &effects.mesh)
    case 0x10...0x13:
      membership.onPacket(from: peer, now: now, into: &effects.mesh)
      table.onMessage(message, from: peer, now: now, into: &effects.table)
    case 0x30...0x3f:
      membership.onPacket(from: peer, now: now, into: &effects.mesh)
      routeLog(type, message, from: peer, now: now)
    case 0x40...0x52:
      membership.onPacket(from: peer, now: now, into: &effects.mesh)
      guard membership.isMember(peer) else {
        tallies.count("exchange with a host that is not a member")
        return
      }
      exchange.onMessage(message, from: peer, jobs: fold, now: now, into: &effects.exchange)
    default: tallies.count("unknown message type")
    }
  }

  private mutating func routeLog(_ type: MessageType, _ message: [UInt8], from peer: PublicKey, now: Instant) {
    do throws(DecodeError) {
      switch type {
      case .push:
        guard case .push(let push) = try LogMessage(decoding: message) else { return }
        let name = PushName(feed: push.feed, size: push.head.size, root: push.head.root)
        switch broadcast.onPush(name, from: peer) {
        case .duplicate, .stale: return
        case .new, .conflict: ledger.onMessage(message, from: peer, now: now, into: &effects.ledger)
        }
      case .ihave:
        guard case .ihave(let heads) = try LogMessage(decoding: message) else { return }
        let names = heads.items.map { PushName(feed: $0.feed, size: $0.size, root: $0.root) }
        broadcast.onIHave(names, from: peer, now: now, into: &effects.mesh)
        ledger.onMessage(message, from: peer, now: now, into: &effects.ledger)
      default: ledger.onMessage(message, from: peer, now: now, into: &effects.ledger)
      }
    } catch {
      tallies.count("malformed log message")
    }
  }

  // Table.

  private mutating func carryOut(_ effect: TableEffect, now: Instant, into outbox: inout Outbox) {
    switch effect {
    case .datagram(let peer, let endpoint, let message): sendDatagram(message, to: peer, at: endpoint, now: now)
    case .wantSession(let peer, let endpoint):
      sessions.connect(to: peer, at: endpoint, identity: identity, now: now, into: &effects.session)
    case .store(let number, let key, let value): store(number, key, value)
    case .delete(let number, let key): delete(number, key)
    case .entered, .removed: break
    case .found(let lookup, _, let records, let asked):
      if let request = desk.found(lookup) { outbox.append(.reply(request, .found(records, asked: asked))) }
    case .fault(let peer, let fault):
      tallies.count("table: \(fault)")
      outbox.append(.event(.fault(peer, reason: "\(fault)")))
    }
  }

  // Mesh.

  private mutating func carryOut(_ effect: MeshEffect, now: Instant, into outbox: inout Outbox) {
    switch effect {
    case .datagram(let peer, let endpoint, let message): sendDatagram(message, to: peer, at: endpoint, now: now)
    case .link(let peer, let message):
      _ = sessions.linkSend(message, to: peer, now: now, into: &effects.session)
    case .wantSession(let peer, let endpoint):
      sessions.connect(to: peer, at: endpoint, identity: identity, now: now, into: &effects.session)
    case .wantLink(let peer, let endpoint):
      if !sessions.hasLink(peer), let link = links.dial(peer) { outbox.append(.dial(link, endpoint)) }
    case .dropLink(let peer):
      if let link = sessions.link(of: peer) {
        outbox.append(.close(link))
        sessions.linkClosed(link, now: now, into: &effects.session)
      }
    case .store(let number, let key, let value): store(number, key, value)
    case .delete(let number, let key): delete(number, key)
    case .ownRecord(let record): table.setOwn(record)
    case .memberUp(let peer, let record):
      ledger.member(peer, now: now, into: &effects.ledger)
      table.learned(record, now: now, into: &effects.table)
      if sessions.hasLink(peer) { exchange.onLinkUp(peer, now: now, into: &effects.exchange) }
      outbox.append(.event(.member(peer, .up)))
    case .memberChanged(let peer, let record):
      table.learned(record, now: now, into: &effects.table)
      outbox.append(.event(.member(peer, .changed)))
    case .memberLeft(let peer): outbox.append(.event(.member(peer, .left)))
    case .unreachable(let peer): outbox.append(.event(.member(peer, .unreachable)))
    case .reachable(let peer): outbox.append(.event(.member(peer, .reachable)))
    case .admitted: outbox.append(.event(.member(me, .admitted)))
    case .pull: break  // The ledger has the same announcement and asks by itself.
    case .fault(let peer, let fault):
      tallies.count("mesh: \(fault)")
      outbox.append(.event(.fault(peer, reason: "\(fault)")))
    case .event(let event): tallies.count("mesh: \(event)")
    }
  }

  private mutating func sendDatagram(_ message: [UInt8], to peer: PublicKey, at endpoint: Endpoint?, now: Instant) {
    if sessions.send(message, to: peer, now: now, into: &effects.session) { return }
    guard let endpoint else { return }
    sessions.connect(to: peer, at: endpoint, identity: identity, now: now, into: &effects.session)
    _ = sessions.send(message, to: peer, now: now, into: &effects.session)
  }

  private mutating func store(_ number: UInt8, _ key: [UInt8], _ value: [UInt8]) {
    guard let table = StoreTable(rawValue: number) else { preconditionFailure("no store table \(number)") }
    turn.add(.put(table: table, key: key, value: value))
  }

  private mutating func delete(_ number: UInt8, _ key: [UInt8]) {
    guard let table = StoreTable(rawValue: number) else { preconditionFailure("no store table \(number)") }
    turn.add(.delete(table: table, key: key))
  }

  // Ledger.

  private mutating func carryOut(_ effect: LedgerEffect, now: Instant, into outbox: inout Outbox) {
    switch effect {
    case .send(let peer, let message):
      _ = sessions.linkSend(message, to: peer, now: now, into: &effects.session)
    case .publish(let push, let feed, let size, let root):
      broadcast.publish(push, PushName(feed: feed, size: size, root: root), now: now, into: &effects.mesh)
    case .relay(let push, let feed, let size, let root, let peer):
      broadcast.relay(
        push, PushName(feed: feed, size: size, root: root), from: peer, now: now, into: &effects.mesh)
    case .store(let operation): turn.add(operation)
    case .guardMark(let mark): turn.add(mark)
    case .check(let id, let check): outbox.append(.check(id: id, check))
    case .read(let request): outbox.append(.read(request))
    case .stored(let feed, let author, let from, let entries, let leaves):
      onStored(feed: feed, author: author, from: from, entries: entries, leaves: leaves, now: now, into: &outbox)
    case .forked(let feed, let index): fold.dropFrom(feed: feed, index: index)
    case .released(let feed, let through):
      exchange.onReleased(feed, size: through, now: now, into: &effects.exchange)
      for (request, reply) in desk.settled(feed, below: through, released: true) {
        outbox.append(.reply(request, reply))
      }
      outbox.append(.event(.released(feed: feed, through: through)))
    case .held(let feed, let through):
      for (request, reply) in desk.settled(feed, below: through, released: false) {
        outbox.append(.reply(request, reply))
      }
    case .rolledBack(let feed, let from):
      var fault = Self.noRoom
      if case .off(let why) = ledger.signing, case .clone = why { fault = Self.fault(.signingOff(why)) }
      for request in desk.rolledBack(feed, from: from) { outbox.append(.reply(request, .failed(fault))) }
      exchange.onRolledBack(feed, from: from, now: now, into: &effects.exchange)
    case .reissued(let moves):
      for move in moves { desk.reissued(move.old, as: move.new) }
      exchange.onReissued(moves, now: now, into: &effects.exchange)
    case .acknowledged: break
    case .recordNumber(let epoch, let counter, _):
      membership.jump(
        over: RecordNumber(epoch: epoch, counter: UInt32(clamping: counter)), identity: identity, now: now,
        into: &effects.mesh)
    case .fault(let peer, let fault, let costsSession):
      tallies.count("log: \(fault)")
      outbox.append(.event(.fault(peer, reason: "\(fault)")))
      if costsSession { sessions.close(peer, now: now, into: &effects.session) }
    case .event(let event):
      if case .rangeRefused(let head, _, _) = event {
        broadcast.forget(PushName(feed: head.feed, size: head.size, root: head.root))
      }
      if case .signingOff(let reason) = event {
        // Durable or not, it will not be released now: whoever waits is told why.
        for request in desk.takeAppends() {
          outbox.append(.reply(request, .failed(Self.fault(.signingOff(reason)))))
        }
      }
      outbox.append(.event(.ledger(event)))
    }
  }

  static let noRoom = CommandFault(
    .storeFull, "the entry was not stored: no room", fix: "free space in the data directory, then try again")

  private mutating func onStored(
    feed: FeedID, author: PublicKey, from: UInt64, entries: [Entry], leaves: [Digest], now: Instant,
    into outbox: inout Outbox
  ) {
    precondition(entries.count == leaves.count, "\(entries.count) entries with \(leaves.count) leaves")
    for (offset, entry) in entries.enumerated() {
      let index = from + UInt64(offset)
      fold.apply(feed: feed, author: author, index: index, leaf: leaves[offset], entry: entry)
      let link = EntryLink(feed: feed, index: index, leaf: leaves[offset])
      exchange.onStored(entry, link: link, author: author, jobs: fold, now: now, into: &effects.exchange)
      guard hasStarted else { continue }
      let id = Names.entryID(feed: feed, index: index, leaf: leaves[offset])
      outbox.append(.event(.entry(feed: feed, author: author, index: index, kind: entry.kind, id: id)))
    }
  }

  // Exchange.

  private mutating func carryOut(_ effect: ExchangeEffect, now: Instant, into outbox: inout Outbox) {
    switch effect {
    case .send(let peer, let message):
      if peer == me {
        exchange.onMessage(message, from: me, jobs: fold, now: now, into: &effects.exchange)
      } else {
        _ = sessions.linkSend(message, to: peer, now: now, into: &effects.session)
      }
    case .append(let tag, let kind, let links, let body):
      let place = ledger.append(EntryDraft(kind: kind, links: links, body: body), now: now)
      onAppended(tag, place, into: &outbox)
      exchange.onAppended(tag, place, now: now, into: &effects.exchange)
    case .store(let operation): turn.add(operation)
    case .event(let event): outbox.append(.event(.job(event)))
    case .give(let task):
      guard let request = desk.takeHungryWorker() else { preconditionFailure("a task for nobody: \(task.task)") }
      outbox.append(.reply(request, .task(task)))
    case .stopTask(let task, let attempt): outbox.append(.event(.stopTask(task, attempt: attempt)))
    case .storeLeaf(let blob, let leaf, let path, let bytes, let peer):
      outbox.append(.storeLeaf(LeafContent(blob: blob, path: path, bytes: bytes), leaf: leaf, from: peer))
    case .serveLeaf(let id, let leaf, let peer): outbox.append(.serveLeaf(id, leaf: leaf, to: peer))
    case .checkFile(let blob): outbox.append(.checkFile(blob))
    case .leafReady(let id, let leaf, let blob):
      let reply: Reply =
        blob.map { .leafStored($0) }
        ?? .failed(
          CommandFault(
            .notFound, "leaf \(leaf) of \(id) cannot be had",
            fix: "the requester must be reachable and hold its inputs; see `tally peers`"))
      for request in desk.leafReady(id, leaf) { outbox.append(.reply(request, reply)) }
    case .fault(let peer, let fault):
      tallies.count("exchange: \(fault)")
      outbox.append(.event(.fault(peer, reason: "\(fault)")))
    }
  }
}
