// Owns: what each event of the net and each result of a thread becomes for the node, and what each output of the node
// becomes for the net and the threads.
import Glibc
import TallyAdmin
import TallyBase
import TallyLog
import TallyNet
import TallyNode
import TallySession
import TallyStore
import TallyWire

extension Daemon {
  mutating func handle(_ event: NetEvent, now: Instant) {
    switch event {
    case .datagram(let source, let bytes):
      node.handle(.datagram(from: source, bytes: bytes), now: now, into: &outbox)
    case .linkAccepted(let token, let remote):
      node.handle(.linkAccepted(links.accepted(token), remote: remote), now: now, into: &outbox)
    case .linkOpened(let token, let remote):
      guard let link = links.link(token) else { return }
      node.handle(.linkOpened(link, remote: remote), now: now, into: &outbox)
    case .linkBytes(let token, let bytes):
      guard let link = links.link(token) else { return }
      node.handle(.linkBytes(link, bytes), now: now, into: &outbox)
    case .linkDrained(let token):
      guard let link = links.link(token) else { return }
      node.handle(.linkCongested(link, false), now: now, into: &outbox)
    case .linkClosed(let token, _):
      guard let link = links.remove(token) else { return }
      node.handle(.linkClosed(link), now: now, into: &outbox)
    case .unixAccepted(let token, let label, let peer): adminAccepted(token, label: label, peer)
    case .unixBytes(let token, let bytes): adminReceived(token, bytes, now: now)
    case .unixDrained(let token): desk.connections[token]?.isCongested = false
    case .unixEnded(let token):
      desk.connections[token]?.hasEnded = true
      closeIfDone(token)
    case .unixClosed(let token, _): adminClosed(token, now: now)
    case .signal(SIGTERM), .signal(SIGINT): stop("signal")
    case .signal(SIGHUP): reload(now: now)
    case .signal, .woken: break
    }
  }

  mutating func handle(_ result: ThreadResult, now: Instant) {
    switch result {
    case .persisted(let through):
      commitsInFlight = commitsInFlight.filter { $0 > through }
      storeFault = nil
      node.handle(.persisted(through: through), now: now, into: &outbox)
    case .persistFailed(let from, let fault):
      commitsInFlight = commitsInFlight.filter { $0 < from }
      storeFault = fault
      Log.warning("the store refused a commit: \(fault)")
      node.handle(.persistFailed(from: from, fault), now: now, into: &outbox)
      give(.resume, to: threads.commits)
    case .checked(let id, let verdict): node.handle(.checked(id: id, verdict), now: now, into: &outbox)
    case .read(let answer): node.handle(.readDone(answer), now: now, into: &outbox)
    case .blobStored(let blob, let leaf):
      node.handle(.blobStored(blob, leaf: leaf), now: now, into: &outbox)
    case .blobRefused(let id, let leaf, let peer):
      node.handle(.blobRefused(id, leaf: leaf, from: peer), now: now, into: &outbox)
    case .leafRead(let id, let leaf, let peer, let content):
      node.handle(.leafRead(id, leaf: leaf, for: peer, content), now: now, into: &outbox)
    case .fileChecked(let id, let sha256):
      node.handle(.fileChecked(id, sha256: sha256), now: now, into: &outbox)
    case .adminRead(let tag, let answer): finish(tag, answer)
    case .blobAnswer(let tag, let answer): finish(tag, answer, now: now)
    }
  }

  /// Hands everything the node decided to the net, the threads and the clients.
  mutating func flush() {
    while !outbox.isEmpty {
      var batch: [Output] = []
      outbox.drain { batch.append($0) }
      for output in batch { carryOut(output) }
    }
    net.flush()
  }

  private mutating func carryOut(_ output: Output) {
    switch output {
    case .transmit(let endpoint, let bytes): _ = net.send(bytes, to: endpoint)
    case .dial(let link, let endpoint): links.join(link, net.dial(endpoint))
    case .write(let link, let bytes): write(bytes, on: link)
    case .close(let link):
      if let token = links.remove(link) { net.close(token, afterFlush: true) }
      node.handle(.linkClosed(link), now: SystemClock.now(), into: &outbox)
    case .persist(let commit):
      commitsInFlight.insert(commit.number)
      give(.commit(commit), to: threads.commits)
    case .check(let id, let check): give(Threads.CheckJob(id: id, check: check), to: threads.checks)
    case .read(let request): give(.node(request), to: threads.reads)
    case .storeLeaf(let content, let leaf, let peer): give(.arrive(content, leaf: leaf, from: peer), to: threads.blobs)
    case .serveLeaf(let id, let leaf, let peer): give(.serve(id, leaf: leaf, to: peer), to: threads.blobs)
    case .checkFile(let blob): give(.check(blob), to: threads.blobs)
    case .reply(let request, let reply): finish(request, reply)
    case .event(let event): publish(event)
    }
  }

  /// A mailbox is as large as all that can be asked for at once; when it is full, somebody did not count.
  func give<Job: Sendable>(_ job: Job, to mailbox: Mailbox<Job>) {
    precondition(mailbox.put(job), "a thread's mailbox overflowed: \(mailbox.count) of \(mailbox.capacity)")
  }

  /// A link whose queue is full is closed: its peer does not read, and reconciliation repairs what it missed.
  private mutating func write(_ bytes: [UInt8], on link: LinkID) {
    guard let token = links.token(link) else { return }
    switch net.write(token, bytes) {
    case .queued: break
    case .congested: node.handle(.linkCongested(link, true), now: SystemClock.now(), into: &outbox)
    case .full, .gone:
      if let token = links.remove(link) { net.close(token) }
      node.handle(.linkClosed(link), now: SystemClock.now(), into: &outbox)
    }
  }

  /// SIGHUP: trust and lending are read again; everything else needs a restart.
  private mutating func reload(now: Instant) {
    notifyReloading()
    do throws(ConfigError) {
      trust = try TrustFile.load(config.layout.trust)
      policy = trust.policy(config.lend)
      setPolicy(lends: nil, now: now)
      Log.info("trust file read again")
    } catch {
      Log.failure(DaemonFailure(error))
    }
    notify(["READY=1"])
  }

  private func notifyReloading() {
    guard let service else { return }
    do throws(SystemError) { try service.notifyReloading() } catch { Log.warning("sd_notify: \(error.text)") }
  }
}
