// Owns: several ledgers in virtual time: links that delay, duplicate, reorder and lose messages, stores that persist
// late or fail, crashes, backups and copies. One seed, one run. Checks the law and the invariant at every message.

import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

/// A host of the model: what a node and a shell would be around a ledger.
final class ModelHost {
  let number: Int
  let identity: Identity
  var store: ModelStore
  var ledger: Ledger!
  var isUp = false
  /// Told apart by it: events of a life that ended are dropped.
  var life = 0
  var commit: UInt64 = 0
  var flying: [Commit] = []
  var turnOperations: [StoreOperation] = []
  var turnMark: GuardMark?
  /// What the store answers to the next commits.
  var storeFault: StoreFault?
  var persistDelay: Int64 = 2_000
  var timerAt: Instant?
  /// What the fold was told, per feed.
  var folded: [FeedID: [Digest]] = [:]
  var events: [LedgerEvent] = []
  var faults: [LedgerFault] = []
  /// Peers whose link a real node would have closed.
  var blamed: [PublicKey] = []
  var effects: [LedgerEffect] = []
  var persistedCount = 0
  /// Answers nothing about paths and ranges: a peer that withholds.
  var isMute = false
  /// Messages it sent, when asked to keep them.
  var keepsSent = false
  var sent: [LogMessage] = []
  /// Checks and reads are not carried out while set.
  var holdsChecks = false
  var heldChecks: [(id: UInt64, check: RangeCheck)] = []
  var holdsReads = false
  var heldReads: [ReadRequest] = []

  init(number: Int, seed: UInt8, meshID: MeshID) throws {
    self.number = number
    identity = try Identity(seed: [UInt8](repeating: seed, count: 32))
    store = ModelStore(me: identity.publicKey, meshID: meshID)
  }

  var key: PublicKey { identity.publicKey }
}

final class World {
  static let mesh = "model"
  let meshID = Names.meshID(name: "model", nonce: [UInt8](repeating: 7, count: 16))
  var now = Instant(micros: 1_000_000, wallMs: 1_700_000_000_000)
  var generator: Generator
  var hosts: [ModelHost] = []
  var links: Set<Link> = []
  /// In 1,000: how many messages are lost, or come twice.
  var loss: UInt64 = 0
  var duplicates: UInt64 = 0
  var latency: ClosedRange<Int64> = 100...3_000
  var violations: [String] = []
  var bytesSent = 0
  /// Over every message sent, with its time and sender: equal for equal seeds.
  var trace = Bytes32.zero
  /// Copies of an identity break the invariant on purpose.
  var copied: Set<PublicKey> = []
  private var queue: [Event] = []
  private var sequence = 0
  private var leftHeads: [FeedID: [UInt64: Digest]] = [:]
  private var leftLeaves: [FeedID: [UInt64: Digest]] = [:]

  struct Link: Hashable {
    let low: Int
    let high: Int
    init(_ one: Int, _ other: Int) {
      low = min(one, other)
      high = max(one, other)
    }
  }

  private struct Event {
    let at: Int64
    let sequence: Int
    let run: () -> Void
  }

  init(seed: UInt64, hosts count: Int) throws {
    generator = Generator(seed: Bytes32(word0: seed, word1: 1, word2: 2, word3: 3), stream: 0)
    for number in 0..<count { hosts.append(try ModelHost(number: number, seed: UInt8(number + 1), meshID: meshID)) }
  }

  // MARK: Time

  func after(_ micros: Int64, _ run: @escaping () -> Void) {
    sequence += 1
    queue.append(Event(at: now.micros + micros, sequence: sequence, run: run))
    var index = queue.count - 1
    while index > 0, before(queue[index], queue[(index - 1) / 2]) {
      queue.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  private func before(_ left: Event, _ right: Event) -> Bool { (left.at, left.sequence) < (right.at, right.sequence) }

  private func pop() -> Event {
    let first = queue[0]
    let last = queue.removeLast()
    if !queue.isEmpty {
      queue[0] = last
      var index = 0
      while true {
        var least = index
        for child in [2 * index + 1, 2 * index + 2] where child < queue.count && before(queue[child], queue[least]) {
          least = child
        }
        if least == index { break }
        queue.swapAt(index, least)
        index = least
      }
    }
    return first
  }

  func run(seconds: Double) {
    let end = now.micros + Int64(seconds * 1_000_000)
    while let first = queue.first, first.at <= end {
      let event = pop()
      move(to: event.at)
      event.run()
    }
    move(to: end)
  }

  /// Runs until `condition` holds, at most `seconds`.
  func run(atMost seconds: Double, until condition: () -> Bool) -> Bool {
    let end = now.micros + Int64(seconds * 1_000_000)
    while !condition() {
      guard let first = queue.first, first.at <= end else { return false }
      let event = pop()
      move(to: event.at)
      event.run()
    }
    return true
  }

  private func move(to micros: Int64) {
    let delta = max(0, micros - now.micros)
    now = Instant(micros: now.micros + delta, wallMs: 1_700_000_000_000 + (now.micros + delta) / 1000)
  }

  // MARK: Hosts

  func start(_ host: ModelHost) {
    host.life += 1
    host.isUp = true
    host.commit = 0
    host.flying = []
    host.timerAt = nil
    host.folded = [:]
    let config = LedgerConfig(meshName: Self.mesh, meshID: meshID, me: host.key)
    let seed = Bytes32(
      word0: generator.next64(), word1: generator.next64(), word2: generator.next64(), word3: generator.next64())
    host.ledger = Ledger(
      config: config, recovered: host.store.recovered, generator: Generator(seed: seed, stream: 0), now: now)
    var effects: [LedgerEffect] = []
    for id in host.store.order.sorted() {
      let entries = host.store.feeds[id]!.entries
      for start in stride(from: 0, to: entries.count, by: 100) {
        host.ledger.replay(
          feed: id, from: UInt64(start), entries: Array(entries[start..<min(entries.count, start + 100)]),
          into: &effects)
      }
    }
    host.ledger.start(now: now, into: &effects)
    for other in hosts { host.ledger.member(other.key, now: now, into: &effects) }
    settle(host, effects)
  }

  func startAll() { for host in hosts where !host.isUp { start(host) } }

  /// The process ends. Of the commits on their way some may have become durable without anybody hearing of it.
  func crash(_ host: ModelHost) {
    for other in hosts where links.contains(Link(host.number, other.number)) { unlink(host, other) }
    let lucky = host.flying.isEmpty ? 0 : generator.below(host.flying.count + 1)
    for (place, commit) in host.flying.prefix(lucky).enumerated() {
      host.store.apply(commit, withGuard: place + 1 < lucky || generator.chance(1, outOf: 2))
    }
    host.life += 1
    host.isUp = false
    host.flying = []
  }

  /// Same store, another process with the same key.
  func copy(_ host: ModelHost) throws -> ModelHost {
    let other = try ModelHost(number: hosts.count, seed: UInt8(host.number + 1), meshID: meshID)
    other.store = host.store
    hosts.append(other)
    copied.insert(host.key)
    return other
  }

  func link(_ one: ModelHost, _ other: ModelHost) {
    guard one.isUp, other.isUp, links.insert(Link(one.number, other.number)).inserted else { return }
    for (here, there) in [(one, other), (other, one)] {
      input(here) {
        here.ledger.onPeerUp(there.key, recordEpoch: 0, recordCounter: 0, now: self.now, into: &$0)
      }
    }
  }

  func unlink(_ one: ModelHost, _ other: ModelHost) {
    guard links.remove(Link(one.number, other.number)) != nil else { return }
    for (here, there) in [(one, other), (other, one)] where here.isUp {
      input(here) { here.ledger.onPeerDown(there.key, now: self.now, into: &$0) }
    }
  }

  func linkAll() {
    for one in hosts { for other in hosts where other.number > one.number { link(one, other) } }
  }

  /// One input and the end of its turn.
  func input(_ host: ModelHost, _ body: (inout [LedgerEffect]) -> Void) {
    guard host.isUp else { return }
    var effects: [LedgerEffect] = []
    body(&effects)
    settle(host, effects)
  }

  @discardableResult
  func append(_ host: ModelHost, _ text: String, links: [EntryLink] = []) -> Result<OwnRef, AppendRefusal> {
    let draft = EntryDraft(kind: .record, links: links, body: Array(text.utf8))
    var result: Result<OwnRef, AppendRefusal> = .failure(.tooManyWaiting)
    input(host) { _ in result = host.ledger.append(draft, now: self.now) }
    return result
  }

  private func settle(_ host: ModelHost, _ first: [LedgerEffect]) {
    var effects = first
    host.ledger.endTurn(commit: host.commit + 1, identity: host.identity, now: now, into: &effects)
    for effect in effects { carry(out: effect, host) }
    host.effects += effects.filter {
      switch $0 {
      case .released, .rolledBack, .reissued, .held, .relay, .acknowledged, .forked: true
      default: false
      }
    }
    if !host.turnOperations.isEmpty {
      host.commit += 1
      let commit = Commit(number: host.commit, operations: host.turnOperations, guardMark: host.turnMark)
      host.turnOperations = []
      host.turnMark = nil
      host.flying.append(commit)
      persist(host)
    }
    arm(host)
  }

  private func arm(_ host: ModelHost) {
    guard let deadline = host.ledger.nextDeadline, host.timerAt != deadline else { return }
    host.timerAt = deadline
    let life = host.life
    after(max(0, deadline.micros - now.micros)) { [self] in
      guard host.life == life, host.timerAt == deadline else { return }
      host.timerAt = nil
      input(host) { host.ledger.wake(now: self.now, into: &$0) }
    }
  }

  private func persist(_ host: ModelHost) {
    let life = host.life
    after(host.persistDelay + Int64(generator.below(2_000))) { [self] in
      guard host.life == life, let next = host.flying.first else { return }
      if let fault = host.storeFault {
        // Everything behind it is lost too.
        host.flying.removeAll()
        input(host) { host.ledger.onPersistFailed(from: next.number, fault: fault, now: self.now, into: &$0) }
      } else {
        host.flying.removeFirst()
        host.store.apply(next)
        host.persistedCount += 1
        input(host) { host.ledger.onPersisted(through: next.number, now: self.now, into: &$0) }
      }
    }
  }

  // MARK: Effects

  private func carry(out effect: LedgerEffect, _ host: ModelHost) {
    let life = host.life
    switch effect {
    case .send(let peer, let message): send(message, from: host, to: peer)
    case .publish(let push, _, _, _):
      for other in host.ledger.allPeers(of: self, host) { send(push, from: host, to: other) }
    case .relay(let push, _, _, _, let from):
      for other in host.ledger.allPeers(of: self, host) where other != from { send(push, from: host, to: other) }
    case .store(let operation): host.turnOperations.append(operation)
    case .guardMark(let mark): host.turnMark = mark
    case .check(let id, let check) where host.holdsChecks: host.heldChecks.append((id, check))
    case .read(let request) where host.holdsReads: host.heldReads.append(request)
    case .check(let id, let check):
      after(Int64(generator.below(1_500))) { [self] in
        guard host.life == life else { return }
        let verdict = check.run()
        input(host) { host.ledger.onChecked(id: id, verdict: verdict, now: self.now, into: &$0) }
      }
    case .read(let request):
      after(Int64(generator.below(1_500))) { [self] in
        guard host.life == life else { return }
        let result = host.store.answer(request)
        input(host) { host.ledger.onRead(result, now: self.now, into: &$0) }
      }
    case .stored(let feed, _, let from, _, let leaves):
      let have = host.folded[feed]?.count ?? 0
      if from != UInt64(have) { violations.append("host \(host.number): the fold of \(feed.hex.prefix(6)) has a gap") }
      host.folded[feed, default: []] += leaves
    case .forked(let feed, let index):
      host.folded[feed] = Array((host.folded[feed] ?? []).prefix(Int(index)))
    case .event(let event): host.events.append(event)
    case .fault(let peer, let fault, let costsSession):
      host.faults.append(fault)
      if costsSession { host.blamed.append(peer) }
    case .released, .held, .rolledBack, .reissued, .acknowledged, .recordNumber: break
    }
  }

  private func send(_ message: [UInt8], from host: ModelHost, to peer: PublicKey) {
    inspect(message, host)
    trace = Blake2b.hash256(trace.bytes, [UInt8(host.number)], Array(String(now.micros).utf8), peer.bytes, message)
    if host.keepsSent, let decoded = try? LogMessage(decoding: message) { host.sent.append(decoded) }
    guard let target = hosts.first(where: { $0.key == peer && links.contains(Link($0.number, host.number)) }) else {
      return
    }
    if host.isMute, [MessageType.path, .range, .head].contains(MessageType(rawValue: message[0])) { return }
    bytesSent += message.count
    let copies = generator.chance(loss, outOf: 1000) ? 0 : generator.chance(duplicates, outOf: 1000) ? 2 : 1
    for _ in 0..<copies {
      let life = target.life
      let delay = latency.lowerBound + Int64(generator.below(UInt64(latency.upperBound - latency.lowerBound + 1)))
      after(delay) { [self] in
        guard target.life == life else { return }
        input(target) { target.ledger.onMessage(message, from: host.key, now: self.now, into: &$0) }
      }
    }
  }

  /// The law and the invariant: what leaves an author is durable there, and no two heads or entries at one place differ.
  private func inspect(_ message: [UInt8], _ host: ModelHost) {
    guard !copied.contains(host.key), let decoded = try? LogMessage(decoding: message) else { return }
    switch decoded {
    case .push(let push), .range(let push):
      check(push.head, host)
      guard host.store.feeds[push.feed]?.row.author == host.key else { return }
      for (offset, entry) in push.entries.enumerated() {
        let index = push.from + UInt64(offset)
        if let old = leftLeaves[push.feed]?[index], old != entry.leafHash {
          violations.append("two entries \(index) of \(push.feed.hex.prefix(6)) left host \(host.number)")
        }
        leftLeaves[push.feed, default: [:]][index] = entry.leafHash
      }
    case .head(let answer): if let head = answer.head { check(head, host) }
    case .aboutYou(let body): for held in body.feeds { check(held.head, host) }
    default: break
    }
  }

  private func check(_ head: Head, _ host: ModelHost) {
    guard let feed = host.store.feeds[head.feed] else {
      if host.ledger.ownFeed == head.feed { violations.append("an own head left before it was durable") }
      return
    }
    guard feed.row.author == host.key else { return }
    if UInt64(feed.entries.count) < head.size { violations.append("an own head left before it was durable") }
    if let old = leftHeads[head.feed]?[head.size], old != head.root {
      violations.append("two heads of size \(head.size) of \(head.feed.hex.prefix(6)) left host \(host.number)")
    }
    leftHeads[head.feed, default: [:]][head.size] = head.root
  }

  // MARK: Questions

  /// All running hosts have one clock, and their folds are what their clocks say.
  var isConverged: Bool {
    let running = hosts.filter(\.isUp)
    guard let first = running.first else { return true }
    return running.allSatisfy { $0.ledger.clock == first.ledger.clock && $0.ledger.signing == .on }
      && running.allSatisfy { host in
        first.ledger.clock.allSatisfy { UInt64(host.folded[$0.feed]?.count ?? 0) == $0.size }
          && first.ledger.clock.allSatisfy { host.folded[$0.feed] ?? [] == first.folded[$0.feed] ?? [] }
      }
  }
}

extension Ledger {
  /// Whoever has a link to `host`, by key.
  fileprivate func allPeers(of world: World, _ host: ModelHost) -> [PublicKey] {
    world.hosts.filter { world.links.contains(World.Link($0.number, host.number)) }.map(\.key).sorted()
  }
}
