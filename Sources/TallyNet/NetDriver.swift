// Owns: everything this process has open towards the world, in one poller. Its owner is the daemon's turn:
//     let now = try net.poll(timeout: …, into: &events);  handle the events;  send, write, dial, close …;  repeat
// Refuses to know: sessions, frames, nodes. Its model is antirez' ae.c: one loop that can be read over coffee.
// Setting up is in this file, the turn in NetDriver+Turn, links in NetDriver+Links and NetDriver+Streams.
import CLinux
import Glibc
import TallyBase

/// One thread's network. Nothing in it blocks but `poll`.
public struct NetDriver: ~Copyable {
  /// What a slot of the poller stands for.
  enum Source {
    case wakeUp
    case signals(SignalSource)
    case datagrams(UDPSocket)
    case listener(Listener)
    case link(Link)
  }

  /// What may be waited for besides descriptors.
  enum Timer: Hashable, Sendable {
    case connect(Poller.Token)
    case finish(Poller.Token)
    case accept(Poller.Token)
    case buffers(Poller.Token)
  }

  public let settings: NetSettings
  /// Pokes this loop from any thread; `poll` then reports `.woken`.
  public let wakeUp: WakeUp
  var poller: Poller
  var sources: [Source?] = []
  var datagrams: (socket: UDPSocket, token: Poller.Token)?
  var timers = TimerTable<Timer>()
  /// Links that have bytes to be sent since the last flush.
  var dirty: [Poller.Token] = []
  /// What happened outside of a turn.
  var backlog: [NetEvent] = []
  /// What the last turn had no budget for.
  var carried: [Poller.Ready] = []
  var ready: [Poller.Ready] = []
  var readSlab = [UInt8](repeating: 0, count: NetLimits.linkTurnBytes)
  var turnBytesLeft = 0
  var linkCount = 0
  var unixCount = 0
  var tally = NetCounters()

  public init(_ settings: NetSettings = NetSettings()) throws(SystemError) {
    // A peer that closes is an errno, never a signal; standard output too may be a closed pipe.
    try required("sigaction") { clinux_ignore_sigpipe() }
    let wakeUp = try WakeUp()
    var poller = try Poller()
    let token = poller.makeToken()
    try wakeUp.register(in: poller, token)
    self.settings = settings
    self.wakeUp = wakeUp
    self.poller = poller
    place(.wakeUp, at: token)
  }

  // MARK: Setting up

  /// Opens UDP and TCP on one port. Port 0 takes a free one. `::` serves both families where the host has IPv6.
  /// Returns the endpoint with its port.
  public mutating func open(at endpoint: Endpoint) throws(SystemError) -> Endpoint {
    var attempts = endpoint.port == 0 ? 16 : 1
    while true {
      let listener = try Listener.tcp(at: endpoint)
      let bound = Endpoint(address: endpoint.address, port: try listener.localEndpoint().port)
      do throws(SystemError) {
        let socket = try UDPSocket(at: bound, bufferBytes: settings.datagramBufferBytes)
        try add(listener)
        try add(socket)
        return try socket.socket.localEndpoint()
      } catch {
        // The TCP port that was free may be taken on UDP.
        attempts -= 1
        guard attempts > 0, error.code == EADDRINUSE else { throw error }
      }
    }
  }

  /// Opens the UDP socket alone.
  public mutating func openDatagrams(at endpoint: Endpoint) throws(SystemError) -> Endpoint {
    let socket = try UDPSocket(at: endpoint, bufferBytes: settings.datagramBufferBytes)
    try add(socket)
    return try socket.socket.localEndpoint()
  }

  /// Opens a TCP listener alone.
  public mutating func listen(at endpoint: Endpoint) throws(SystemError) -> Endpoint {
    let listener = try Listener.tcp(at: endpoint)
    try add(listener)
    return try listener.localEndpoint()
  }

  /// Listens on a Unix socket; its connections arrive as `.unixAccepted(label:)`. The file gets `mode` and `group`
  /// without ever having been wider, and disappears with the driver or `closeListener`. EADDRINUSE: somebody answers.
  public mutating func listenUnix(
    path: String, mode: UInt32 = 0o600, group: UInt32? = nil, label: Int
  ) throws(SystemError) -> NetToken {
    try add(try UnixSocketFile.listen(path: path, mode: mode, group: group, label: label))
  }

  /// Takes over a socket from the service manager (`ServiceManager.sockets`): a Unix stream listener (under `label`), a
  /// TCP listener, or the one UDP socket. ENOTSUP: it is none of these.
  @discardableResult
  public mutating func adopt(_ descriptor: consuming Descriptor, label: Int) throws(SystemError) -> NetToken {
    let number = descriptor.number
    var kind = clinux_socket_kind()
    // Safe: the shim fills one struct.
    try required("getsockopt", outsideAddress: true) { unsafe clinux_describe_socket(number, &kind) }
    switch (kind.is_unix, kind.is_stream, kind.is_listening) {
    case (1, 1, 1): return try add(try Listener(.unix(label: label), descriptor))
    case (0, 1, 1): return try add(try Listener(.tcp, descriptor))
    case (0, 0, _) where datagrams == nil:
      return try add(UDPSocket(adopting: InternetSocket(adopting: descriptor, isV6: kind.is_v6 == 1)))
    default: throw SystemError(call: "LISTEN_FDS", code: ENOTSUP, about: "descriptor \(number) is no socket of ours")
    }
  }

  /// Reports `signals` as events from now on. On the main thread, before any other thread is started.
  public mutating func takeSignals(_ signals: [CInt] = [SIGTERM, SIGINT, SIGHUP, SIGCHLD]) throws(SystemError) {
    let source = try SignalSource(signals)
    let token = register(.signals(source))
    try poller.add(source.descriptor, token, .readable)
  }

  @discardableResult
  private mutating func add(_ listener: Listener) throws(SystemError) -> NetToken {
    let token = register(.listener(listener))
    try poller.add(listener.descriptor, token, .readable)
    return token.number
  }

  @discardableResult
  private mutating func add(_ socket: UDPSocket) throws(SystemError) -> NetToken {
    precondition(datagrams == nil, "a driver has one UDP socket")
    let token = register(.datagrams(socket))
    try poller.add(socket.socket.descriptor, token, .readable)
    datagrams = (socket, token)
    return token.number
  }

  /// Gives `source` a slot.
  mutating func register(_ source: Source) -> Poller.Token {
    let token = poller.makeToken()
    place(source, at: token)
    return token
  }

  mutating func place(_ source: Source, at token: Poller.Token) {
    let slot = Int(token.slot)
    while sources.count <= slot { sources.append(nil) }
    sources[slot] = source
  }

  /// Ends a token and lets go of what it named.
  mutating func unregister(_ token: Poller.Token) {
    poller.retire(token)
    sources[Int(token.slot)] = nil
  }

  // MARK: Queries

  public var counters: NetCounters {
    var counters = tally
    counters.stale += poller.staleEvents
    return counters
  }

  /// Datagrams the kernel dropped because we read too slowly.
  public var kernelDrops: UInt64 { datagrams?.socket.kernelDrops ?? 0 }
  /// Open TCP links and Unix connections.
  public var openLinks: Int { linkCount }
  public var openUnixConnections: Int { unixCount }
}
