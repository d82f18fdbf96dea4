// Owns: the way of every event through the house: bytes → session → wire → part → outbox. A router over sessions,
// table, membership, broadcast, ledger and exchange; it owns no protocol state of its own.
// Refuses to know: sockets, threads, clocks, files. DESIGN section 2.
import TallyBase
import TallyCrypto
import TallyExchange
import TallyGossip
import TallyLog
import TallySession
import TallyTable
import TallyWire
import TallyWork

public struct Node: ~Copyable {
  var config: NodeConfig
  let identity: Identity
  let me: PublicKey

  // The parts. Siblings never call each other; their effects meet in `Node.settle`.
  var sessions: Sessions
  var table: RoutingTable
  var membership: Membership
  var broadcast: Broadcast
  var ledger: Ledger
  var fold = Fold()
  var exchange: Exchange

  /// Effects that wait for their turn, in the order in which the parts decided them.
  var effects = EffectQueue()
  /// What the open turn makes durable, and questions that wait for an answer.
  var turn = OpenTurn()
  var desk = RequestDesk()
  var links = LinkBook()
  var tallies = FaultTallies()
  var generator: Generator
  var hasStarted = false

  public init(
    _ config: NodeConfig, identity: consuming Identity, recovered: Recovered, entropy: Entropy, now: Instant
  ) {
    var generator = Generator(entropy)
    let key = identity.publicKey
    let mesh = config.meshKeys.meshID
    let epoch = BootEpoch.next(stored: Settings.epoch(in: recovered), wallMs: now.wallMs)
    self.config = config
    self.identity = identity
    me = key
    sessions = Sessions(mesh: config.meshKeys, me: key, generator: generator.fork())
    table = RoutingTable(mesh: mesh, me: key, generator: generator.fork())
    membership = Membership(
      MembershipConfig(
        mesh: mesh, me: key, epoch: epoch, endpoints: config.endpoints, attributes: config.attributes,
        seeds: config.seeds),
      generator: generator.fork())
    broadcast = Broadcast()
    ledger = Ledger(
      config: LedgerConfig(meshName: config.meshName, meshID: mesh, me: key), recovered: recovered,
      generator: generator.fork(), now: now)
    exchange = Exchange(me: key, policy: config.policy, generator: generator.fork())
    self.generator = generator.fork()
    turn.add(Settings.storeEpoch(epoch))
    recoveredValues = recovered.values
    for value in recovered.values where !exchange.recover(value) { tallies.count("unreadable row in the store") }
  }

  /// Kept until `start`; the mesh loads its rows then.
  var recoveredValues: [Recovered.Value]

  /// The only way in. Never throws, never blocks. A bad peer is an output; a bad caller is a trap.
  public mutating func handle(_ input: consuming Input, now: Instant, into outbox: inout Outbox) {
    switch consume input {
    case .replay(let feed, let from, let entries):
      precondition(!hasStarted, "history after the start")
      ledger.replay(feed: feed, from: from, entries: entries, into: &effects.ledger)
    case .start: start(now: now, into: &outbox)
    case .datagram(let source, let bytes):
      sessions.datagram(bytes, from: source, identity: identity, now: now, into: &effects.session)
    case .linkAccepted(let link, let remote):
      sessions.linkOpened(link, to: nil, remote: remote, identity: identity, now: now, into: &effects.session)
    case .linkOpened(let link, let remote):
      guard let peer = links.opened(link) else {
        outbox.append(.close(link))
        return
      }
      sessions.linkOpened(link, to: peer, remote: remote, identity: identity, now: now, into: &effects.session)
    case .linkBytes(let link, let bytes):
      sessions.linkBytes(link, bytes, identity: identity, now: now, into: &effects.session)
    case .linkCongested(let link, let isCongested): onCongested(link, isCongested, now: now)
    case .linkClosed(let link):
      if let peer = links.closed(link) {
        tallies.count("no answer")
        tallies.refused("no answer from \(KeyText.encode(peer)): nothing listens at its address")
      }
      sessions.linkClosed(link, now: now, into: &effects.session)
    case .listening(let endpoints):
      config.endpoints = endpoints
      membership.update(
        endpoints: endpoints, attributes: config.attributes, identity: identity, now: now, into: &effects.mesh)
    case .persisted(let through): onPersisted(through: through, now: now, into: &outbox)
    case .persistFailed(let from, let fault): onPersistFailed(from: from, fault, now: now, into: &outbox)
    case .checked(let id, let verdict): ledger.onChecked(id: id, verdict: verdict, now: now, into: &effects.ledger)
    case .readDone(let result): ledger.onRead(result, now: now, into: &effects.ledger)
    case .blobStored(let blob, let leaf):
      exchange.onBlobStored(blob, leaf: leaf, now: now, into: &effects.exchange)
    case .blobRefused(let id, let leaf, let peer):
      exchange.onBlobRefused(id, leaf: leaf, from: peer, now: now, into: &effects.exchange)
    case .leafRead(let id, let leaf, let peer, let content):
      exchange.onLeafRead(
        id, leaf: leaf, for: peer, blob: content?.blob, path: content?.path ?? [], bytes: content?.bytes ?? [],
        into: &effects.exchange)
    case .fileChecked(let id, let sha256):
      exchange.onFileChecked(id, sha256: sha256, now: now, into: &effects.exchange)
    case .command(let command, let request): carryOut(command, request, now: now, into: &outbox)
    case .requestGone(let request):
      if desk.forget(request) { exchange.onWorkerNoLongerHungry() }
    case .wake: wake(now: now, into: &outbox)
    case .stop: sessions.closeAll(now: now, into: &effects.session)
    }
    settle(now: now, into: &outbox)
  }

  /// Once after each batch: seals this host's new entries into one commit and signs one head.
  public mutating func endTurn(now: Instant, into outbox: inout Outbox) {
    guard hasStarted else { return }
    let number = turn.nextCommit
    ledger.endTurn(commit: number, identity: identity, now: now, into: &effects.ledger)
    settle(now: now, into: &outbox)
    if let commit = turn.close() { outbox.append(.persist(commit)) }
  }

  /// When `.wake` is due; nil while nothing waits.
  public var nextDeadline: Instant? {
    let deadlines = [
      sessions.nextDeadline, table.nextDeadline, membership.nextDeadline, broadcast.nextDeadline,
      ledger.nextDeadline, exchange.nextDeadline, desk.nextDeadline,
    ]
    return deadlines.compactMap { $0 }.min()
  }

  private mutating func start(now: Instant, into outbox: inout Outbox) {
    precondition(!hasStarted, "a node starts once")
    settle(now: now, into: &outbox)
    hasStarted = true
    ledger.start(now: now, into: &effects.ledger)
    settle(now: now, into: &outbox)
    exchange.start(jobs: fold, now: now, into: &effects.exchange)
    let rows = { (values: [Recovered.Value], wanted: StoreTable) in
      values.filter { $0.table == wanted }.map { (key: $0.key, value: $0.value) }
    }
    table.load(rows(recoveredValues, .nodeRecords), now: now, into: &effects.table)
    membership.start(rows(recoveredValues, .members), identity: identity, now: now, into: &effects.mesh)
    recoveredValues = []
  }

  private mutating func wake(now: Instant, into outbox: inout Outbox) {
    sessions.wake(identity: identity, now: now, into: &effects.session)
    settle(now: now, into: &outbox)
    table.wake(now: now, into: &effects.table)
    membership.wake(identity: identity, now: now, into: &effects.mesh)
    settle(now: now, into: &outbox)
    broadcast.wake(now: now, into: &effects.mesh)
    ledger.wake(now: now, into: &effects.ledger)
    settle(now: now, into: &outbox)
    exchange.wake(now: now, into: &effects.exchange)
    for request in desk.expired(now) {
      outbox.append(
        .reply(
          request,
          .failed(
            CommandFault(
              .timeout, "no answer in time", fix: "see `tally peers`: is the host shown as unreachable from here?"))))
    }
  }

  private mutating func onCongested(_ link: LinkID, _ isCongested: Bool, now: Instant) {
    guard let peer = sessions.peer(of: link) else { return }
    if isCongested {
      broadcast.linkCongested(peer)
    } else {
      broadcast.linkDrained(peer, now: now, into: &effects.mesh)
    }
  }

  private mutating func onPersisted(through: UInt64, now: Instant, into outbox: inout Outbox) {
    ledger.onPersisted(through: through, now: now, into: &effects.ledger)
    settle(now: now, into: &outbox)
  }

  private mutating func onPersistFailed(
    from: UInt64, _ fault: StoreFault, now: Instant, into outbox: inout Outbox
  ) {
    ledger.onPersistFailed(from: from, fault: fault, now: now, into: &effects.ledger)
    settle(now: now, into: &outbox)
    for request in desk.takeAppends() {
      outbox.append(
        .reply(
          request,
          .failed(
            CommandFault(
              .storeFull, "the entry could not be made durable: \(fault)",
              fix: "free space in the data directory; nothing that was answered before is lost"))))
    }
  }
}
