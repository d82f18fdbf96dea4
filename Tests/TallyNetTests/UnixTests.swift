import CLinux
import Glibc
import TallyBase
import Testing

@testable import TallyNet

@Suite struct UnixTests {
  let scratch = Scratch()
  var path: String { scratch.path + "/admin.sock" }

  func mode() -> UInt32 {
    var mode: UInt32 = 0
    return unsafe clinux_mode_of(path, &mode) == 0 ? mode : 0
  }

  @Test func peersAreKnownByTheKernel() throws {
    let loop = try Loop()
    _ = try loop.net.listenUnix(path: path, label: 42)
    let caller = try rawUnixDial(path)
    try loop.run { $0.unixAccepted.count == 1 }
    var groups = [UInt32](repeating: 0, count: 256)
    let count = unsafe getgroups(256, &groups)
    guard case .unixAccepted(let token, 42, let peer)? = loop.events.first else {
      return #expect(Bool(false), "no connection was accepted")
    }
    #expect(peer.pid == getpid() && peer.uid == getuid() && peer.gid == getgid())
    #expect(peer.groups == groups.prefix(Int(count)).sorted())
    #expect(peer.isIn(group: getgid()) && !peer.isIn(group: 4_000_000_000))
    #expect(rawWrite(caller, [1, 2, 3]) == 3)
    try loop.run { $0.bytes(token) == [1, 2, 3] }
    loop.net.write(token, [4]).expect(.queued)
    loop.net.flush()
    #expect(rawRead(caller) == 1)
  }

  /// Groups are the peer's own, not ours: a child with other groups connects.
  @Test func supplementaryGroupsAreSeen() async {
    guard getuid() == 0 else { return print("SKIP UnixTests.supplementaryGroupsAreSeen: not root") }
    await #expect(processExitsWith: .success) {
      let scratch = Scratch()
      let groups: [UInt32] = [4242, 17]
      precondition(unsafe setgroups(groups.count, groups) == 0)
      let loop = try Loop()
      _ = try loop.net.listenUnix(path: scratch.path + "/s", label: 0)
      let caller = try rawUnixDial(scratch.path + "/s")
      try loop.run { $0.unixAccepted.count == 1 }
      guard case .unixAccepted(_, _, let peer)? = loop.events.first else { preconditionFailure("no connection") }
      precondition(peer.groups == [17, 4242] && peer.isIn(group: 4242))
      _ = consume caller
    }
  }

  @Test func theFileHasItsModeWhateverTheUmask() throws {
    for (wanted, group) in [(0o600, nil), (0o660, getgid()), (0o666, nil)] as [(UInt32, UInt32?)] {
      let loop = try Loop()
      _ = try loop.net.listenUnix(path: path, mode: wanted, group: group, label: 0)
      #expect(mode() == wanted)
    }
    // Before its mode and group are right, nobody else may enter.
    let socket = Descriptor(taking: clinux_unix_socket())
    #expect(unsafe clinux_unix_bind(socket.number, path, 0o600) == 0)
    #expect(mode() == 0o600)
    _ = unsafe clinux_unlink(path)
  }

  @Test func filesGoWithTheListener() throws {
    do {
      let loop = try Loop()
      let listener = try loop.net.listenUnix(path: path, label: 0)
      #expect(scratch.names == ["admin.sock", "admin.sock.lock"])
      loop.net.closeListener(listener)
      #expect(scratch.names.isEmpty)
      _ = try loop.net.listenUnix(path: path, label: 0)
    }
    #expect(scratch.names.isEmpty)
  }

  @Test func aForeignFileIsNotRemoved() throws {
    do {
      let loop = try Loop()
      _ = try loop.net.listenUnix(path: path, label: 0)
      _ = unsafe unlink(path)
      let other = Descriptor(taking: unsafe open(path, O_CREAT | O_WRONLY, 0o600))
      _ = consume other
    }
    #expect(scratch.names == ["admin.sock"])
    // Nor is something in the way that is no socket.
    let error = #expect(throws: SystemError.self) { _ = try Loop().net.listenUnix(path: path, label: 0) }
    #expect(error?.code == EADDRINUSE && error?.about == "\(path), which is no socket")
    #expect(scratch.names.contains("admin.sock"))
  }

  @Test func aStaleSocketIsReplacedAndALiveOneIsNot() throws {
    // Left by a killed process: a socket file on which nobody listens.
    do {
      let dead = Descriptor(taking: clinux_unix_socket())
      #expect(unsafe clinux_unix_bind(dead.number, path, 0o600) == 0)
    }
    #expect(scratch.names == ["admin.sock"])
    let loop = try Loop()
    _ = try loop.net.listenUnix(path: path, label: 0)
    let held = #expect(throws: SystemError.self) { _ = try Loop().net.listenUnix(path: path, label: 0) }
    #expect(held?.code == EADDRINUSE && held?.about == "\(path).lock is held by another process")
    // Somebody answers who knows nothing of our lock.
    let second = scratch.path + "/other.sock"
    let alive = Descriptor(taking: clinux_unix_socket())
    #expect(unsafe clinux_unix_bind(alive.number, second, 0o600) == 0)
    #expect(clinux_listen(alive.number, 4) == 0)
    let answered = #expect(throws: SystemError.self) { _ = try Loop().net.listenUnix(path: second, label: 0) }
    #expect(answered?.code == EADDRINUSE && answered?.about == "\(second), where somebody answers")
    let caller = try rawUnixDial(path)
    try loop.run { $0.unixAccepted.count == 1 }
    #expect(caller.number >= 0)
  }

  @Test func longPathsAreRefusedInWords() throws {
    let long = scratch.path + "/" + String(repeating: "x", count: 107 - scratch.path.utf8.count)
    let error = #expect(throws: SystemError.self) { _ = try Loop().net.listenUnix(path: long, label: 0) }
    #expect(error?.code == ENAMETOOLONG)
    #expect(error?.about == "\(long): a socket's path has 1 to 107 bytes, this one 108")
    _ = try Loop().net.listenUnix(path: String(long.dropLast()), label: 0)
    #expect(throws: SystemError.self) { _ = try Loop().net.listenUnix(path: "", label: 0) }
    #expect(throws: SystemError.self) { _ = try Loop().net.listenUnix(path: "/nonexistent/directory/s", label: 0) }
  }

  @Test(arguments: ["socket", "bind", "listen", "chmod", "open", "epoll_ctl"])
  func aFailedListenerLeavesNothing(_ call: String) throws {
    let loop = try Loop()
    let left = ForcedErrors.with([call: [ENOMEM]]) {
      let error = #expect(throws: SystemError.self) { _ = try loop.net.listenUnix(path: path, label: 0) }
      #expect(error?.code == ENOMEM && error?.call == call)
    }
    #expect(left == 0)
    if call != "epoll_ctl" { #expect(scratch.names.isEmpty || scratch.names == ["admin.sock.lock"]) }
  }

  /// `printf … | nc -N`: the caller has said everything and still wants the answer.
  @Test func aCallerMayEndItsHalf() throws {
    let loop = try Loop()
    _ = try loop.net.listenUnix(path: path, label: 0)
    let caller = try rawUnixDial(path)
    #expect(rawWrite(caller, [1]) == 1)
    #expect(clinux_shutdown_write(caller.number) == 0)
    try loop.run { $0.unixAccepted.count == 1 && $0.events.contains(.unixEnded($0.unixAccepted[0])) }
    let token = loop.unixAccepted[0]
    for _ in 0..<20 { try loop.turn() }
    #expect(loop.events.count == 3)
    loop.net.write(token, [9, 9]).expect(.queued)
    loop.net.close(token, afterFlush: true)
    try loop.run { $0.unixConnections == 0 }
    #expect(rawRead(caller) == 2)
    #expect(rawRead(caller) == 0)
  }

  @Test func aCallerThatLeavesIsToldOnce() throws {
    let loop = try Loop()
    _ = try loop.net.listenUnix(path: path, label: 0)
    do { _ = try rawUnixDial(path) }
    try loop.run { $0.unixConnections == 0 && !$0.unixAccepted.isEmpty }
    let token = loop.unixAccepted[0]
    #expect(loop.events.dropFirst() == [.unixEnded(token), .unixClosed(token, .ended)])
  }

  /// What a caller sent before it left is not lost while its reading is paused, and the loop does not spin on it.
  @Test func pausedConnectionsKeepTheirBytes() throws {
    let loop = try Loop()
    _ = try loop.net.listenUnix(path: path, label: 0)
    do {
      let caller = try rawUnixDial(path)
      try loop.run { $0.unixAccepted.count == 1 }
      loop.net.pauseReading(loop.unixAccepted[0])
      #expect(rawWrite(caller, [1, 2]) == 2)
    }
    let token = loop.unixAccepted[0]
    for _ in 0..<20 { try loop.turn() }
    #expect(loop.events.count == 1)
    #expect(loop.link(token)?.isParked == true)
    loop.net.resumeReading(token)
    try loop.run { $0.closed(token) == .ended }
    #expect(loop.bytes(token) == [1, 2])
  }

  @Test func slowReadersAreBounded() throws {
    let loop = try Loop { $0.unixQueueBytes = 50_000 }
    _ = try loop.net.listenUnix(path: path, label: 0)
    let caller = try rawUnixDial(path)
    try loop.run { $0.unixAccepted.count == 1 }
    let token = loop.unixAccepted[0]
    let line = [UInt8](repeating: 65, count: 10_000)
    var written = 0
    while loop.write(token, line) != .full {
      written += line.count
      loop.net.flush()
      try #require(written < 10_000_000)
    }
    var read = 0
    try loop.run { loop in
      while true {
        let count = rawRead(caller)
        if count <= 0 { break }
        read += Int(count)
      }
      return read == written && loop.drained == [token]
    }
    #expect(loop.counters.writesRefused == 1)
  }

  @Test func theTableOfConnectionsIsBounded() throws {
    let loop = try Loop { $0.unixLinksMax = 2 }
    _ = try loop.net.listenUnix(path: path, label: 0)
    let first = try rawUnixDial(path), second = try rawUnixDial(path), third = try rawUnixDial(path)
    try loop.run { $0.counters.shedOverLimit == 1 }
    #expect(loop.unixConnections == 2)
    let answers = [rawRead(first), rawRead(second), rawRead(third)]
    #expect(answers == [Int64(-EAGAIN), Int64(-EAGAIN), 0])
  }

  @Test func strangersWithoutCredentialsAreNotLetIn() throws {
    let loop = try Loop()
    _ = try loop.net.listenUnix(path: path, label: 0)
    let caller = try rawUnixDial(path)
    let left = try ForcedErrors.with(["getsockopt": [ERANGE]]) { try loop.run { $0.counters.acceptErrors == 1 } }
    #expect(left == 0)
    #expect(loop.unixConnections == 0 && loop.events.isEmpty)
    #expect(rawRead(caller) == 0)
  }
}
