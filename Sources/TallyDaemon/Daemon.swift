// Owns: the life of one daemon: open, recover, listen, turn after turn, stop.
// Refuses to know: protocols. DESIGN section 2.
import Glibc
import TallyAdmin
import TallyBase
import TallyCrypto
import TallyExchange
import TallyGossip
import TallyLog
import TallyNet
import TallyNode
import TallySession
import TallyStore
import TallyWire

/// Labels of the two Unix listeners.
enum UnixLabel {
  static let admin = 1
  static let worker = 2
}

public struct Daemon: ~Copyable {
  /// How long a stop waits for what is on its way to the disk.
  static let stopWait = Interval.milliseconds(1500)

  let config: DaemonConfig
  let mesh: MeshFile
  var trust: TrustFile
  var policy: LendPolicy
  var node: Node
  var net: NetDriver
  let threads: Threads
  let store: StoreOwners
  let service: ServiceManager?
  let startedAt: Instant
  var links = LinkMap()
  var desk = AdminDesk()
  var outbox = Outbox()
  var listening: [Endpoint]
  var storeFault: StoreFault?
  /// Commits handed to the writer and not yet answered.
  var commitsInFlight: Set<UInt64> = []
  var stopDeadline: Instant?

  /// What the threads use and the end closes.
  struct StoreOwners {
    let directory: Owned<DataDirectory>
    let writer: Owned<StoreWriter>
  }

  /// Runs until a signal or `shutdown`; gives the exit code. A failure is told in three lines on stderr.
  public static func run(config: DaemonConfig) -> Int32 {
    Log.start(config.logLevel)
    do throws(DaemonFailure) {
      var daemon = try Daemon(config)
      try daemon.serve()
      return daemon.close()
    } catch {
      Log.failure(error)
      return error.exitCode
    }
  }

  /// Tells what is wrong with a configuration; gives the exit code.
  public static func refuse(_ error: ConfigError) -> Int32 {
    Log.start(.error)
    let failure = DaemonFailure(error)
    Log.failure(failure)
    return failure.exitCode
  }

  /// Opens the store, recovers the node, makes its first commit durable, and only then opens sockets.
  init(_ config: DaemonConfig) throws(DaemonFailure) {
    let (mesh, trust) = try Self.loadFiles(config)
    var net = try DaemonFailure.system("open the event loop") { () throws(SystemError) in
      var net = try NetDriver()
      try net.takeSignals()
      return net
    }
    let opened = try OpenedStore(config)
    let now = SystemClock.now()
    let policy = trust.policy(config.lend)
    var node = try Self.makeNode(config, mesh, policy, opened, now: now)
    var outbox = Outbox()
    try opened.replay(into: &node, now: now, outbox: &outbox)
    node.handle(.start, now: now, into: &outbox)
    try Self.settleFirstTurn(&node, opened.writer, now: now, into: &outbox)

    let wakeUp = net.wakeUp
    let threads = try DaemonFailure.system("start threads") { () throws(SystemError) in
      try Threads(writer: opened.writer, reader: opened.reader, blobs: opened.blobs, waking: wakeUp)
    }
    let listening = try Self.open(&net, config)

    self.config = config
    self.mesh = mesh
    self.trust = trust
    self.policy = policy
    self.threads = threads
    self.listening = listening
    startedAt = now
    store = StoreOwners(directory: opened.directory, writer: opened.writer)
    self.net = net
    self.node = node
    self.outbox = outbox
    service = ServiceManager()
  }

  private static func loadFiles(_ config: DaemonConfig) throws(DaemonFailure) -> (MeshFile, TrustFile) {
    let mesh: MeshFile?
    do throws(MeshFile.Fault) {
      mesh = try MeshFile.load(config.layout.mesh)
    } catch {
      throw DaemonFailure(DaemonFailure.config, "\(error.path) cannot be used", why: error.why, fix: error.fix)
    }
    guard let mesh else {
      throw DaemonFailure(
        DaemonFailure.config, "\(config.dataDirectory) belongs to no mesh", why: "there is no mesh.toml in it",
        fix: "tally up --data \(config.dataDirectory) begins a mesh; --join URL joins one")
    }
    do throws(ConfigError) {
      return (mesh, try TrustFile.load(config.layout.trust))
    } catch {
      throw DaemonFailure(error)
    }
  }

  private static func makeNode(
    _ config: DaemonConfig, _ mesh: MeshFile, _ policy: LendPolicy, _ opened: OpenedStore, now: Instant
  ) throws(DaemonFailure) -> Node {
    let identity: Identity
    do throws(CryptoError) {
      identity = try Identity(seed: opened.seed)
    } catch {
      throw DaemonFailure(
        DaemonFailure.badData, "the identity cannot be used", why: "\(error)", fix: "restore identity.key from a backup"
      )
    }
    let entropy = try DaemonFailure.system("read entropy") { () throws(SystemError) in try SystemEntropy.seed() }
    let seeds = config.seeds.compactMap { config.seed(of: $0) }
    return Node(
      NodeConfig(
        meshName: mesh.name, meshNonce: mesh.nonce,
        meshKeys: MeshKeys(meshID: Names.meshID(name: mesh.name, nonce: mesh.nonce), keys: mesh.keys),
        endpoints: config.advertise, attributes: HostFacts.attributes(config, policy, worker: nil), seeds: seeds,
        policy: policy),
      identity: identity, recovered: opened.recovered, entropy: entropy, now: now)
  }

  /// The boot epoch and, at a first start, `begin` must be durable before anything leaves: this thread stores them.
  private static func settleFirstTurn(
    _ node: inout Node, _ writer: Owned<StoreWriter>, now: Instant, into outbox: inout Outbox
  ) throws(DaemonFailure) {
    node.endTurn(now: now, into: &outbox)
    var kept = Outbox()
    var commits: [Commit] = []
    outbox.drain { output in
      if case .persist(let commit) = output { commits.append(commit) } else { kept.append(output) }
    }
    outbox = kept
    guard let last = commits.last else { return }
    let first = commits
    let fault = writer.use { $0.apply(first).fault }
    if let fault {
      throw DaemonFailure(
        DaemonFailure.inputOutput, "the store cannot be written", why: "\(fault)",
        fix: "free space in the data directory or mend the disk, then start again")
    }
    node.handle(.persisted(through: last.number), now: now, into: &outbox)
  }

  private static func open(_ net: inout NetDriver, _ config: DaemonConfig) throws(DaemonFailure) -> [Endpoint] {
    var bound: [Endpoint] = []
    for endpoint in config.listen {
      do throws(SystemError) {
        bound.append(try net.open(at: endpoint))
      } catch {
        throw DaemonFailure(
          DaemonFailure.unavailable, "cannot listen at \(endpoint)", why: error.text,
          fix: "stop what uses that port, or choose another: --listen \(endpoint.address.isV4 ? "0.0.0.0" : "[::]"):0")
      }
    }
    let passed = try adopt(&net)
    for (path, label, mode) in [
      (config.adminSocket, UnixLabel.admin, config.adminMode),
      (config.workerSocket, UnixLabel.worker, config.workerMode),
    ] where !passed.contains(label) {
      do throws(SystemError) {
        _ = try net.listenUnix(path: path, mode: mode, group: config.adminGroup, label: label)
      } catch {
        throw DaemonFailure(
          DaemonFailure.cannotCreate, "cannot make the socket \(path)", why: error.text,
          fix: "set [admin] socket in tally.toml to a shorter path, in a directory you may write")
      }
    }
    return bound
  }

  /// Sockets that the service manager made (LISTEN_FDS): `FileDescriptorName=admin` and `worker`. Gives their labels.
  private static func adopt(_ net: inout NetDriver) throws(DaemonFailure) -> [Int] {
    var labels: [Int] = []
    let labelOf = ["admin": UnixLabel.admin, "worker": UnixLabel.worker]
    do throws(SystemError) {
      try ServiceManager.sockets { (name, descriptor) throws(SystemError) in
        guard let label = labelOf[name] else {
          throw SystemError(call: "LISTEN_FDNAMES", code: ENOTSUP, about: "a socket named \(name)")
        }
        try net.adopt(descriptor, label: label)
        labels.append(label)
      }
    } catch {
      throw DaemonFailure(
        DaemonFailure.config, "a socket of the service manager cannot be used", why: error.text,
        fix: "FileDescriptorName= must be admin or worker, each a Unix stream socket")
    }
    return labels
  }

  // The turn.

  /// Drain, handle, end the turn, flush; until a stop is complete.
  mutating func serve() throws(DaemonFailure) {
    var events: [NetEvent] = []
    announceReady()
    while !isStopped(SystemClock.now()) {
      events.removeAll(keepingCapacity: true)
      flush()
      let now = try poll(into: &events)
      for event in events { handle(event, now: now) }
      for result in threads.results.takeAll() { handle(result, now: now) }
      if let deadline = node.nextDeadline, deadline <= now { node.handle(.wake, now: now, into: &outbox) }
      node.endTurn(now: now, into: &outbox)
    }
  }

  private mutating func poll(into events: inout [NetEvent]) throws(DaemonFailure) -> Instant {
    let now = SystemClock.now()
    var timeout: Interval?
    for deadline in [node.nextDeadline, stopDeadline, nextWatchdog].compactMap({ $0 }) {
      let left = max(deadline - now, .milliseconds(0))
      timeout = timeout.map { min($0, left) } ?? left
    }
    feedWatchdog(now)
    do throws(SystemError) {
      return try net.poll(timeout: timeout, into: &events)
    } catch {
      throw DaemonFailure(
        DaemonFailure.osError, "the event loop failed", why: error.text, fix: "report this with the log")
    }
  }

  var nextWatchdog: Instant? = nil

  /// The watchdog is fed from the loop after real progress, never from a spare thread.
  private mutating func feedWatchdog(_ now: Instant) {
    guard let service, let interval = service.watchdogInterval else { return }
    if let due = nextWatchdog, due > now { return }
    nextWatchdog = now + interval
    notify(["WATCHDOG=1"])
  }

  func notify(_ lines: [String]) {
    guard let service else { return }
    do throws(SystemError) { try service.notify(lines) } catch { Log.warning("sd_notify: \(error.text)") }
  }

  private mutating func announceReady() {
    let advertised = config.advertise.isEmpty ? HostFacts.advertisable(listening) : config.advertise
    node.handle(.listening(advertised), now: SystemClock.now(), into: &outbox)
    Log.info(
      "ready: \(mesh.name) at \(listening.map(\.description).joined(separator: " ")), admin \(config.adminSocket)")
    notify(["READY=1", "STATUS=ready"])
    ReadyPipe.tell("ready \(listening.first?.description ?? "-")")
  }

  // Stopping.

  mutating func stop(_ why: String) {
    guard stopDeadline == nil else { return }
    Log.info("stopping: \(why)")
    notify(["STOPPING=1", "STATUS=stopping"])
    stopDeadline = SystemClock.now() + Self.stopWait
    node.handle(.stop, now: SystemClock.now(), into: &outbox)
  }

  /// Nothing is on its way to the disk any more, or it takes too long.
  private func isStopped(_ now: Instant) -> Bool {
    guard let stopDeadline else { return false }
    return now >= stopDeadline || (commitsInFlight.isEmpty && outbox.isEmpty && desk.isQuiet)
  }

  /// Closes everything in order; the mark of a clean end is the last thing written.
  consuming func close() -> Int32 {
    flush()
    net.flush()
    threads.stop()
    guard let writer = store.writer.take(), let directory = store.directory.take() else { return 0 }
    do throws(StoreFault) {
      try writer.close()
    } catch {
      Log.warning("the store was not closed cleanly: \(error)")
      return DaemonFailure.inputOutput
    }
    do throws(StoreError) {
      try directory.close()
    } catch {
      Log.warning("the end was not marked clean: \(error)")
    }
    return 0
  }
}
