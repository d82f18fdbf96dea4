// Owns: what the tests of the network share: a loop that runs until something is true, and raw sockets beside it.
import CLinux
import Glibc
import TallyBase
import Testing

@testable import TallyNet

let loopback4 = Endpoint(address: Address(v4: 0x7f00_0001), port: 0)
let loopback6 = Endpoint(address: Address(high: 0, low: 1), port: 0)
let everywhere = Endpoint(address: Address(high: 0, low: 0), port: 0)

/// A driver and everything it has said so far.
final class Loop {
  var net: NetDriver
  var events: [NetEvent] = []

  init(_ change: (inout NetSettings) -> Void = { _ in }) throws {
    var settings = NetSettings()
    change(&settings)
    net = try NetDriver(settings)
  }

  /// One turn that does not wait longer than `ms`.
  func turn(ms: Int64 = 0) throws { _ = try net.poll(timeout: .milliseconds(ms), into: &events) }

  /// Turns until `condition` holds. It waits on events, at most 500 × 20 ms in which nothing came: turns that bring
  /// something do not count, since a busy machine cuts the same mail into more of them.
  func run(_ comment: Comment? = nil, until condition: (Loop) -> Bool) throws {
    var idleTurns = 0
    var turns = 0
    while idleTurns < 500 && turns < 100_000 {
      if condition(self) { return }
      let known = events.count
      try turn(ms: 20)
      turns += 1
      if events.count == known { idleTurns += 1 }
    }
    try #require(condition(self), comment)
  }

  // Noncopyable values cannot stand inside `#expect`: these can.
  func send(_ bytes: [UInt8], to endpoint: Endpoint) -> Bool { net.send(bytes, to: endpoint) }
  func write(_ token: NetToken, _ bytes: [UInt8]) -> WriteOutcome { net.write(token, bytes) }
  var counters: NetCounters { net.counters }
  var links: Int { net.openLinks }
  var unixConnections: Int { net.openUnixConnections }
  func link(_ token: NetToken) -> Link? { net.link(Poller.Token(token)) }
  func queued(_ token: NetToken) -> Int { net.queuedBytes(token) }

  var opened: [NetToken] { events.compactMap { if case .linkOpened(let token, _) = $0 { token } else { nil } } }
  var accepted: [NetToken] { events.compactMap { if case .linkAccepted(let token, _) = $0 { token } else { nil } } }
  var unixAccepted: [NetToken] {
    events.compactMap { if case .unixAccepted(let token, _, _) = $0 { token } else { nil } }
  }
  var drained: [NetToken] {
    events.compactMap {
      switch $0 {
      case .linkDrained(let token), .unixDrained(let token): token
      default: nil
      }
    }
  }
  var datagrams: [[UInt8]] { events.compactMap { if case .datagram(_, let bytes) = $0 { bytes } else { nil } } }
  func bytes(_ token: NetToken) -> [UInt8] {
    events.flatMap { event -> [UInt8] in
      switch event {
      case .linkBytes(token, let bytes), .unixBytes(token, let bytes): bytes
      default: []
      }
    }
  }
  func closed(_ token: NetToken) -> CloseReason? {
    for event in events {
      switch event {
      case .linkClosed(token, let reason), .unixClosed(token, let reason): return reason
      default: continue
      }
    }
    return nil
  }

  /// Dials its own listener and returns both ends.
  func pair(_ endpoint: Endpoint) throws -> (dialled: NetToken, accepted: NetToken) {
    let (before, dialled) = (accepted.count, net.dial(endpoint))
    try run { $0.opened.contains(dialled) && $0.accepted.count > before }
    return (dialled, try #require(accepted.last))
  }
}

/// A TCP listener that the driver knows nothing of, and that accepts nothing by itself.
struct RawListener: ~Copyable {
  let descriptor: Descriptor
  let endpoint: Endpoint

  init(backlog: CInt, receiveBytes: CInt = 0) throws {
    let socket = try InternetSocket(isV6: false, isStream: true)
    let number = socket.descriptor.number
    _ = clinux_set_buffers(number, receiveBytes, 0)
    try socket.bind(loopback4)
    endpoint = try socket.localEndpoint()
    descriptor = socket.takeDescriptor()
    let code = clinux_listen(number, backlog)
    #expect(code == 0)
  }

  /// The next connection; the caller knows that there is one.
  func accept() -> Descriptor {
    var remote = clinux_endpoint()
    return Descriptor(taking: unsafe clinux_accept(descriptor.number, &remote))
  }
}

func rawDial(_ endpoint: Endpoint) throws -> Descriptor {
  let socket = try InternetSocket(isV6: !endpoint.address.isV4, isStream: true)
  let code = clinux_connect(socket.descriptor.number, socket.isV6 ? 1 : 0, endpoint.linux)
  #expect(code == 0 || code == -EINPROGRESS)
  return socket.takeDescriptor()
}

func rawUnixDial(_ path: String) throws -> Descriptor {
  let descriptor = Descriptor(taking: clinux_unix_socket())
  let code = unsafe clinux_unix_connect(descriptor.number, path)
  #expect(code == 0)
  return descriptor
}

func rawRead(_ descriptor: borrowing Descriptor) -> Int64 {
  var buffer = [UInt8](repeating: 0, count: 65_536)
  return unsafe clinux_receive(descriptor.number, &buffer, buffer.count)
}

func rawWrite(_ descriptor: borrowing Descriptor, _ bytes: [UInt8]) -> Int64 {
  unsafe clinux_send(descriptor.number, bytes, 0, bytes.count)
}

/// A directory of this test's own, removed at the end with what is in it.
final class Scratch {
  let path: String
  init() {
    var template = Array("/tmp/tally-net-XXXXXX".utf8CString)
    unsafe #expect(mkdtemp(&template) != nil)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
  deinit {
    for name in names { _ = unsafe unlink(path + "/" + name) }
    _ = unsafe rmdir(path)
  }
  var names: [String] { listing(path) }
}

/// The names in a directory, `.` and `..` left out, ascending.
func listing(_ path: String) -> [String] {
  guard let directory = unsafe opendir(path) else { return [] }
  var names: [String] = []
  while let row = unsafe readdir(directory) {
    let name = unsafe withUnsafePointer(to: &row.pointee.d_name) {
      unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
    }
    if name != "." && name != ".." { names.append(name) }
  }
  unsafe closedir(directory)
  return names.sorted()
}

/// Descriptors of this process, without the one that reads the list.
func openDescriptors() -> Int { listing("/proc/self/fd").count - 1 }

let hostHasIPv6: Bool = {
  guard let socket = try? InternetSocket(isV6: true, isStream: false) else { return false }
  return (try? socket.bind(loopback6)) != nil
}()
