// Owns: one node against a hostile peer as a target: every byte of the input becomes an input of the node, slow work is
// answered late, in part or with a failure. Properties: no trap, no endless turn, bounded outputs.
// Refuses to know: what the node decides.
import TallyBase
import TallyCrypto
import TallyExchange
import TallyLog
import TallyNode
import TallySession
import TallyWire

final class NodeWorld {
  private var node: Node
  private let peer: NodePeer
  private let place = Endpoint(address: Address(v4: 0xc633_6401), port: 8255)
  private var now = Instant(micros: 1_000_000, wallMs: 1_700_000_000_000)
  private var outbox = Outbox()
  private var flying: [[UInt8]] = []
  private var links: [LinkID] = []
  private var dials: [(LinkID, Endpoint)] = []
  private var accepted: UInt64 = 1
  private var commits: [UInt64] = []
  private var checks: [(UInt64, RangeCheck)] = []
  private var reads: [ReadRequest] = []
  private var blobs: [Input] = []
  private var own = FeedID.zero
  private var task = TaskID(post: .zero, index: 0)
  private var requests: UInt64 = 0
  private var seen: Set<String> = []
  private var fault: String?
  /// Slow work waits until the script says so.
  private var isSlow = false

  private static let outputsMax = 4096
  private static let mesh = MeshKeys(meshID: Samples.mesh, keys: [[UInt8](repeating: 7, count: 32)])

  init() {
    let policy = LendPolicy(lends: true, cores: 4, memoryMiB: 4096, diskMiB: 4096, slots: 2, relations: [:])
    let config = NodeConfig(
      meshName: Samples.meshName, meshNonce: Samples.meshNonce, meshKeys: Self.mesh, endpoints: [place],
      attributes: Attributes(petname: "target", architecture: .x8664, cores: 4, memoryMiB: 4096, lends: true),
      seeds: [], policy: policy)
    node = Node(
      config, identity: Samples.identity(1), recovered: .empty,
      entropy: Entropy(seed: Bytes32(word0: 1, word1: 2, word2: 3, word3: 4)), now: now)
    peer = NodePeer(mesh: Self.mesh)
    handle(.start)
    endTurn()
  }

  /// Each script begins with the way the peer came in: bit 0 a link, bit 1 its record told, bit 2 slow work waits.
  private static let scripts: [[UInt8]] =
    (0..<NodePeer.messageCount).map { [3, 3, UInt8($0), 0, 7, 20, 0] } + [
      [3, 3, 1, 0, 3, 3, 0, 3, 2, 0, 3, 17, 0, 7, 200, 0],
      [3, 9, 0, 9, 1, 9, 2, 7, 0, 4, 3, 20, 0, 9, 3, 9, 4, 3, 21, 0],
      [7, 9, 0, 10, 0, 10, 1, 10, 2, 10, 3, 7, 0, 9, 10, 5],
      [1, 11, 0, 12, 0, 3, 0, 0, 5, 40, 1, 2, 3, 4],
    ]

  static let target = FuzzTarget("node", sizeMax: 300, seeds: { scripts }) { input in
    var script = Script(input)
    let world = NodeWorld()
    world.open(script.byte())
    var steps = 0
    while !script.isAtEnd && world.fault == nil && steps < 48 {
      world.step(&script)
      world.endTurn()
      steps += 1
    }
    if let fault = world.fault { return .violated(fault) }
    let seen = world.seen.sorted().joined(separator: " ")
    return world.seen.contains("member") ? .accepted(seen) : .refused(seen)
  }

  private func open(_ how: Int) {
    isSlow = how & 4 != 0
    if how & 1 != 0 { accept() }
    if how & 2 != 0 { say(peer.message(0, own: own, task: task)) }
    endTurn()
  }

  // MARK: the script

  private func step(_ script: inout Script) {
    let kind = script.byte() % 14
    let which = script.byte()
    switch kind {
    case 0: handle(.datagram(from: peer.endpoint, bytes: script.take(which)))
    case 1: say([UInt8(which)] + script.take(script.byte()))
    case 2: sayByDatagram([UInt8(which)] + script.take(script.byte()))
    case 3, 4: say(bent(peer.message(which, own: own, task: task), &script))
    case 5: if let link = links.last { handle(.linkBytes(link, script.take(which))) }
    case 6: sayByDatagram(bent(peer.message(which, own: own, task: task), &script))
    case 7: pass(Int64(which) * (script.byte() & 1 == 0 ? 20 : 1000))
    case 8: connect()
    case 9: command(which, &script)
    case 10: answer(which)
    case 11: accept()
    case 12: openDial(which)
    default: shake(which)
    }
  }

  /// A message with some of its bytes changed, or cut.
  private func bent(_ message: [UInt8], _ script: inout Script) -> [UInt8] {
    var message = message
    for _ in 0..<(script.byte() % 4) where !message.isEmpty {
      let place = script.word()
      if place & 0x8000 != 0 { message.removeLast(min(message.count - 1, place & 0xff)) }
      message[(place & 0x7fff) % message.count] = UInt8(script.byte())
    }
    return message
  }

  private func shake(_ which: Int) {
    switch which % 6 {
    case 0: if let link = links.last { handle(.linkCongested(link, which & 8 == 0)) }
    case 1:
      guard let link = links.popLast() else { return }
      handle(.linkClosed(link))
      peerDo { self.peer.sessions.linkClosed(link, now: self.now, into: &$0) }
    case 2: handle(.listening([place, Endpoint(address: Address(v4: 0xc000_0204), port: UInt16(which))]))
    case 3: isSlow.toggle()
    case 4: handle(.requestGone(RequestID(number: requests)))
    default: handle(.linkClosed(LinkID(number: UInt64(which))))
    }
  }

  private func command(_ which: Int, _ script: inout Script) {
    requests += 1
    let key = which & 0x40 == 0 ? peer.identity.publicKey : Samples.identity(1).publicKey
    let bit = { (mask: Int) in which & mask != 0 }
    let command: Command
    switch which % 16 {
    case 0: command = .record(words: script.take(8), isPublic: bit(16), waitReleased: bit(32))
    case 1:
      let terms = Terms(mostUnits: 9, tasks: 1 + UInt32(which >> 5))
      command = .postJob(
        JobRequest(work: Samples.works[1], terms: terms, isPublic: bit(16), hold: bit(32), local: bit(64)))
    case 9: command = .ping(key)
    case 10: command = .lookup(NodeID(raw: Samples.hash.raw))
    case 11: command = .cancelJob(task.post)
    case 12: command = .decide(task, accept: bit(16))
    case 13: command = .beginIncarnation
    case 14: command = .leave
    case 15: command = .setPolicy(.nothing)
    default: command = worker(which, &script)
    }
    handle(.command(command, RequestID(number: requests)))
  }

  private func worker(_ which: Int, _ script: inout Script) -> Command {
    switch which % 16 {
    case 2:
      return .workerHello(
        WorkerFacts(architecture: 1, nativeSandbox: true, wasmSandbox: false, limitsBy: "rlimits", cause: ""))
    case 3: return .workerNext
    case 4: return .workerBeat(task, attempt: UInt16(which), stage: .running, cpuMs: 1)
    case 5: return .workerOutput(task, attempt: 1, stream: 1, offset: 0, bytes: script.take(9))
    case 6:
      let blob = BlobReference(id: Samples.content, size: 3)
      let ending = WorkerResult.Ending.finished(
        exit: Int32(which), units: 1, rootMade: false, stdout: blob, stderr: blob, manifest: Samples.manifest,
        tree: Samples.tree)
      return .workerResult(
        WorkerResult(
          task: task, attempt: 1, ending: which & 16 == 0 ? ending : .failed(.timeout), cpuMs: 1, wallMs: 1))
    case 7: return .workerGone
    default: return .fetchLeaf(Samples.content, leaf: 0, for: task)
    }
  }

  // MARK: slow work

  private func answer(_ which: Int) {
    switch which % 6 {
    case 0: persist()
    case 1:
      guard let first = commits.first else { return }
      commits = []
      let fault: StoreFault = which & 16 == 0 ? .full(detail: "no space") : .broken(detail: "no disk")
      handle(.persistFailed(from: first, fault))
    case 2: check()
    case 3: read()
    case 4: if !blobs.isEmpty { handle(blobs.removeFirst()) }
    default: handle(.blobRefused(Samples.content, leaf: UInt32(which), from: peer.identity.publicKey))
    }
  }

  private func persist() {
    guard let last = commits.last else { return }
    commits = []
    handle(.persisted(through: last))
  }

  private func check() {
    guard !checks.isEmpty else { return }
    let (id, check) = checks.removeFirst()
    handle(.checked(id: id, check.run()))
  }

  private func read() {
    guard !reads.isEmpty else { return }
    handle(.readDone(ReadResult(id: reads.removeFirst().id, answer: .absent)))
  }

  private func endTurn() {
    var rounds = 0
    repeat {
      node.endTurn(now: now, into: &outbox)
      carryOut()
      if !isSlow {
        persist()
        check()
        read()
        if !blobs.isEmpty { handle(blobs.removeFirst()) }
      }
      rounds += 1
      if rounds > 200 { fault = "a turn that does not end" }
    } while fault == nil && !isSlow && !(commits.isEmpty && checks.isEmpty && reads.isEmpty && blobs.isEmpty)
  }

  // MARK: the network

  private func handle(_ input: consuming Input) {
    node.handle(input, now: now, into: &outbox)
    carryOut()
  }

  private func carryOut() {
    var rounds = 0
    while !outbox.isEmpty && fault == nil {
      var batch: [Output] = []
      outbox.drain { batch.append($0) }
      if batch.count > Self.outputsMax { fault = "\(batch.count) outputs of one input" }
      for output in batch { take(output) }
      while !flying.isEmpty {
        let bytes = flying.removeFirst()
        node.handle(.datagram(from: peer.endpoint, bytes: bytes), now: now, into: &outbox)
      }
      rounds += 1
      if rounds > 1000 { fault = "node and peer answer each other for ever" }
    }
  }

  private func take(_ output: Output) {
    switch output {
    case .transmit(let to, let bytes):
      if bytes.count > SessionPacket.datagramLimit { fault = "a datagram of \(bytes.count) bytes" }
      guard to == peer.endpoint else { return }
      peerDo {
        self.peer.sessions.datagram(bytes, from: self.place, identity: self.peer.identity, now: self.now, into: &$0)
      }
    case .dial(let link, let endpoint):
      seen.insert("dial")
      dials.append((link, endpoint))
    case .write(let link, let bytes):
      peerDo { self.peer.sessions.linkBytes(link, bytes, identity: self.peer.identity, now: self.now, into: &$0) }
    case .close(let link):
      seen.insert("closed")
      links.removeAll { $0 == link }
      peerDo { self.peer.sessions.linkClosed(link, now: self.now, into: &$0) }
    case .persist(let commit): note(commit)
    case .check(let id, let check): checks.append((id, check))
    case .read(let request):
      seen.insert("read")
      reads.append(request)
    case .storeLeaf(let content, let leaf, let from):
      seen.insert("leaf")
      let isGood = leaf & 1 == 0
      blobs.append(
        isGood ? .blobStored(content.blob, leaf: leaf) : .blobRefused(content.blob.id, leaf: leaf, from: from))
    case .serveLeaf(let id, let leaf, let peer): blobs.append(.leafRead(id, leaf: leaf, for: peer, nil))
    case .checkFile(let blob): blobs.append(.fileChecked(blob.id, sha256: blob.size & 1 == 0 ? nil : Samples.hash))
    case .reply(_, let reply): note(reply)
    case .event(let event): note(event)
    }
  }

  private func note(_ commit: Commit) {
    commits.append(commit.number)
    for case .feed(let row) in commit.operations where row.author == Samples.key { own = row.feed }
  }

  private func note(_ reply: Reply) {
    switch reply {
    case .posted(let id, _):
      task = TaskID(post: id, index: 0)
      seen.insert("posted")
    case .task(let given):
      task = given.task
      seen.insert("task")
    case .failed(let fault): seen.insert("failed \(fault.code)")
    default: seen.insert("replied")
    }
  }

  private func note(_ event: NodeEvent) {
    switch event {
    case .member(_, let change): seen.insert(change == .up ? "member" : "member \(change)")
    case .fault(_, let reason): seen.insert("fault " + reason.prefix(24))
    case .refused(_, let reason): seen.insert("refused " + reason)
    case .ledger(let event): seen.insert("ledger \("\(event)".prefix(12))")
    default: break
    }
  }

  /// Lets the peer's sessions do something; what they send goes to the node.
  private func peerDo(_ body: (inout [SessionEffect]) -> Void) {
    var effects: [SessionEffect] = []
    body(&effects)
    for effect in effects {
      switch effect {
      case .transmit(_, let bytes): if flying.count < 64 { flying.append(bytes) }
      case .write(let link, let bytes): node.handle(.linkBytes(link, bytes), now: now, into: &outbox)
      default: break
      }
    }
  }

  private func say(_ message: [UInt8]) {
    let key = Samples.identity(1).publicKey
    guard (1...SessionLimits.linkMessageBytes).contains(message.count) else { return }
    peerDo { _ = self.peer.sessions.linkSend(message, to: key, now: self.now, into: &$0) }
    carryOut()
  }

  private func sayByDatagram(_ message: [UInt8]) {
    let key = Samples.identity(1).publicKey
    guard let type = message.first, MessageType(rawValue: type).mayTravelByDatagram,
      message.count <= SessionLimits.datagramMessageBytes
    else { return }
    peerDo { _ = self.peer.sessions.send(message, to: key, now: self.now, into: &$0) }
    deliver()
  }

  private func connect() {
    peerDo {
      self.peer.sessions.connect(
        to: Samples.identity(1).publicKey, at: self.place, identity: self.peer.identity, now: self.now, into: &$0)
    }
    deliver()
  }

  private func deliver() {
    while !flying.isEmpty { handle(.datagram(from: peer.endpoint, bytes: flying.removeFirst())) }
  }

  /// The peer dials: odd numbers are the shell's.
  private func accept() {
    guard accepted < 20 else { return }
    let link = LinkID(number: accepted)
    accepted += 2
    links.append(link)
    handle(.linkAccepted(link, remote: peer.endpoint))
    peerDo {
      self.peer.sessions.linkOpened(
        link, to: Samples.identity(1).publicKey, remote: self.place, identity: self.peer.identity, now: self.now,
        into: &$0)
    }
    carryOut()
  }

  /// What the node dialled stands, or is refused.
  private func openDial(_ which: Int) {
    guard !dials.isEmpty else { return }
    let (link, endpoint) = dials.removeFirst()
    guard endpoint == peer.endpoint, which & 1 == 0 else { return handle(.linkClosed(link)) }
    links.append(link)
    peerDo {
      self.peer.sessions.linkOpened(
        link, to: nil, remote: self.place, identity: self.peer.identity, now: self.now, into: &$0)
    }
    handle(.linkOpened(link, remote: endpoint))
  }

  private func pass(_ milliseconds: Int64) {
    let end = now + .milliseconds(milliseconds)
    var wakes = 0
    while let due = node.nextDeadline, due <= end, fault == nil {
      now = max(now, due)
      handle(.wake)
      endTurn()
      wakes += 1
      if wakes > 5000 { fault = "5,000 wakes in \(milliseconds) ms" }
    }
    now = max(now, end)
    peerDo { self.peer.sessions.wake(identity: self.peer.identity, now: self.now, into: &$0) }
    deliver()
  }
}
