import CLinux
import Glibc
import TallyBase
import Testing

@testable import TallyNet

@Suite struct SignalTests {
  @Test func signalsAreEvents() async {
    await #expect(processExitsWith: .success) {
      let loop = try Loop()
      try loop.net.takeSignals()
      // To this thread: the test runner's other threads do not block them.
      for signal in [SIGTERM, SIGINT, SIGHUP, SIGCHLD] { precondition(pthread_kill(pthread_self(), signal) == 0) }
      try loop.run { $0.events.count == 4 }
      precondition(Set([SIGTERM, SIGINT, SIGHUP, SIGCHLD].map { "\($0)" }).count == 4)
      for signal in [SIGTERM, SIGINT, SIGHUP, SIGCHLD] { precondition(loop.events.contains(.signal(signal))) }
    }
  }

  @Test func theCallIsInTheFunnel() throws {
    let loop = try Loop()
    _ = ForcedErrors.with(["signalfd": [EMFILE]]) {
      #expect(throws: SystemError(call: "signalfd", code: EMFILE)) { try loop.net.takeSignals() }
    }
  }

  @Test func aClosedPipeIsNoSignal() async {
    await #expect(processExitsWith: .success) {
      let loop = try Loop()
      var (reading, writing): (CInt, CInt) = (-1, -1)
      precondition(unsafe clinux_pipe(&reading, &writing) == 0)
      _ = clinux_close(reading)
      precondition(unsafe write(writing, "x", 1) == -1 && errno == EPIPE)
      try loop.turn()
    }
  }
}

@Suite struct ClockTests {
  @Test func theMonotonicClockNeverGoesBack() {
    var last = SystemClock.now()
    for _ in 0..<10_000 {
      let now = SystemClock.now()
      #expect(now >= last)
      last = now
    }
    // 2020 to 2100: milliseconds, not seconds or microseconds.
    #expect((1_577_836_800_000...4_102_444_800_000).contains(last.wallMs))
    #expect(clinux_monotonic_micros() <= clinux_boot_micros())
  }

  @Test func seedsDiffer() throws {
    let seeds = try (0..<8).map { _ in try SystemEntropy.seed().seed }
    #expect(Set(seeds).count == 8)
    #expect(try SystemEntropy.bytes(1000).count == 1000)
    #expect(try Set(SystemEntropy.bytes(1000)).count > 200)
    let left = ForcedErrors.with(["getrandom": [EINTR, ENOSYS]]) {
      #expect(throws: SystemError(call: "getrandom", code: ENOSYS)) { try SystemEntropy.seed() }
    }
    #expect(left == 0)
  }

  @Test func pollSleepsUntilItsOwnDeadlineToo() throws {
    let loop = try Loop { $0.connectTimeout = .milliseconds(5) }
    let listener = try RawListener(backlog: 0)
    for _ in 0..<4 { _ = loop.net.dial(listener.endpoint) }
    // No time limit of the owner: only the driver's timers end the sleep.
    while !loop.events.contains(where: { if case .linkClosed = $0 { true } else { false } }) {
      _ = try loop.net.poll(timeout: nil, into: &loop.events)
    }
  }
}

@Suite struct ServiceManagerTests {
  func receiver(_ path: String) throws -> Descriptor {
    let descriptor = Descriptor(taking: socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0))
    let code = unsafe clinux_unix_bind(descriptor.number, path, 0o600)
    try #require(code == 0)
    return descriptor
  }

  func text(_ descriptor: borrowing Descriptor) -> String {
    var buffer = [UInt8](repeating: 0, count: 512)
    let count = unsafe clinux_receive(descriptor.number, &buffer, 512)
    return String(decoding: buffer.prefix(max(0, Int(count))), as: UTF8.self)
  }

  @Test func newsArriveAtAPathOrAnAbstractName() throws {
    let scratch = Scratch()
    for path in [scratch.path + "/notify", "@tally-net-test-\(getpid())"] {
      let manager = ServiceManager(notifyPath: path, watchdogInterval: nil)
      let listener = try receiver(path)
      try manager.notify(["READY=1", "STATUS=2 peers"])
      #expect(text(listener) == "READY=1\nSTATUS=2 peers")
      try manager.notifyReloading()
      #expect(text(listener).hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
    }
    let gone = ServiceManager(notifyPath: scratch.path + "/gone", watchdogInterval: nil)
    #expect(throws: SystemError(call: "sendto", code: ENOENT)) { try gone.notify(["READY=1"]) }
  }

  @Test func theEnvironmentSaysWhoListens() async {
    await #expect(processExitsWith: .success) {
      precondition(ServiceManager() == nil)
      unsafe setenv("NOTIFY_SOCKET", "@x", 1)
      guard let first = ServiceManager() else { preconditionFailure("nobody listens") }
      precondition(first.watchdogInterval == nil)
      unsafe setenv("WATCHDOG_USEC", "3000000", 1)
      precondition(ServiceManager()?.watchdogInterval == .microseconds(1_500_000))
      unsafe setenv("WATCHDOG_PID", "1", 1)
      guard let other = ServiceManager() else { preconditionFailure("nobody listens") }
      precondition(other.watchdogInterval == nil)
      unsafe setenv("NOTIFY_SOCKET", "relative", 1)
      precondition(ServiceManager() == nil)
    }
  }

  /// Sockets of `.socket` units: descriptors from 3 on. Here they are put there by hand.
  @Test func passedSocketsAreTakenOver() async {
    await #expect(processExitsWith: .success) {
      let scratch = Scratch()
      let unix = Descriptor(taking: clinux_unix_socket())
      precondition(unsafe clinux_unix_bind(unix.number, scratch.path + "/s", 0o600) == 0)
      precondition(clinux_listen(unix.number, 8) == 0)
      let tcp = try RawListener(backlog: 8)
      let udp = try InternetSocket(isV6: false, isStream: false)
      try udp.bind(loopback4)
      let at = try udp.localEndpoint()
      let sources = [unix.number, tcp.descriptor.number, udp.descriptor.number].map { fcntl($0, F_DUPFD, 100) }
      for (index, source) in sources.enumerated() { precondition(dup2(source, 3 + CInt(index)) == 3 + CInt(index)) }
      for (name, value) in [("LISTEN_PID", "\(getpid())"), ("LISTEN_FDS", "3"), ("LISTEN_FDNAMES", "admin:peer")] {
        unsafe setenv(name, value, 1)
      }
      let loop = try Loop()
      var names: [String] = []
      let count = try ServiceManager.sockets { (name, descriptor) throws(SystemError) in
        names.append(name)
        try loop.net.adopt(descriptor, label: 5)
      }
      precondition(count == 3 && names == ["admin", "peer", "unknown"])
      precondition(unsafe getenv("LISTEN_FDS") == nil)
      let caller = try rawUnixDial(scratch.path + "/s")
      _ = try loop.pair(tcp.endpoint)
      precondition(loop.send([1], to: at))
      try loop.run { $0.unixAccepted.count == 1 && $0.datagrams == [[1]] }
      precondition(fcntl(3, F_GETFD) & FD_CLOEXEC != 0)
      _ = consume caller
      // Another process' sockets are none of ours.
      unsafe setenv("LISTEN_PID", "1", 1)
      unsafe setenv("LISTEN_FDS", "1", 1)
      let others = try ServiceManager.sockets { (_, _) throws(SystemError) in preconditionFailure("taken") }
      precondition(others == 0)
      for name in scratch.names { _ = unsafe unlink(scratch.path + "/" + name) }
      _ = unsafe rmdir(scratch.path)
      // The copies at 3 to 5 replaced whatever this process had there: end without closing it again.
      exit(0)
    }
  }

  @Test func whatIsNoSocketIsRefused() throws {
    let loop = try Loop()
    var (first, second): (CInt, CInt) = (-1, -1)
    let code = unsafe clinux_socket_pair(&first, &second)
    try #require(code == 0)
    let peer = Descriptor(taking: second)
    let error = #expect(throws: SystemError.self) { try loop.net.adopt(Descriptor(taking: first), label: 0) }
    #expect(error?.code == ENOTSUP)
    _ = consume peer
  }

  @Test func theLimitOnOpenFilesCanBeRaised() throws {
    let now = try OpenFiles.raise(to: 0)
    #expect(try OpenFiles.raise(to: now) == now)
  }
}

@Suite struct ProcessTests {
  func words(_ words: [String]) -> [CChar] { words.flatMap { Array($0.utf8CString) } + [0] }

  /// Runs a shell line with its standard output in a pipe; the text it printed and how it ended.
  func run(_ line: String, directory: String? = nil, session: Bool = false) throws -> (String, clinux_exit) {
    var (reading, writing): (CInt, CInt) = (-1, -1)
    let piped = unsafe clinux_pipe(&reading, &writing)
    try #require(piped == 0)
    let inherited = [clinux_inherit(parent: writing, child: 1)]
    let pid = unsafe clinux_spawn(
      "/bin/sh", words(["sh", "-c", line]), 3, words(["A=1"]), 1, inherited, 1, directory, session ? 1 : 0)
    _ = clinux_close(writing)
    try #require(pid > 0)
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe read(reading, &buffer, 4096)
      if count <= 0 { break }
      output += buffer.prefix(count)
    }
    _ = clinux_close(reading)
    var exit = clinux_exit()
    let reaped = unsafe clinux_reap(pid, 0, &exit)
    #expect(reaped == 1 && exit.pid == pid)
    return (String(decoding: output, as: UTF8.self), exit)
  }

  @Test func childrenGetWhatTheyAreGiven() throws {
    // Open in us across exec, but not given: it must not be open in the child.
    let stray = Descriptor(taking: fcntl(2, F_DUPFD, 20))
    defer { _ = stray.number }
    let (text, exit) = try run("echo $A; pwd; ls /proc/$$/fd; exit 7", directory: "/tmp")
    #expect(text == "1\n/tmp\n0\n1\n2\n")
    #expect(exit.code == 7 && exit.signal == 0 && exit.resident_kib_max > 0)
  }

  @Test func signalsAndSessionsAreSeen() throws {
    let (session, _) = try run("cut -d' ' -f6 /proc/$$/stat; echo $$", session: true)
    let numbers = session.split(separator: "\n")
    #expect(numbers.count == 2 && numbers[0] == numbers[1])
    let (_, exit) = try run("kill -9 $$")
    #expect(exit.code == -1 && exit.signal == SIGKILL)
  }

  /// A blocked mask would make the child deaf to SIGTERM.
  @Test func childrenHearSignals() async {
    await #expect(processExitsWith: .success) {
      var net = try NetDriver()
      try net.takeSignals()
      let argument = ["sleep", "1000"].flatMap { Array($0.utf8CString) }
      let pid = unsafe clinux_spawn("/bin/sleep", argument, 2, [0], 0, [], 0, nil, 0)
      precondition(pid > 0)
      let process = Descriptor(taking: clinux_pidfd_open(pid))
      precondition(clinux_pidfd_signal(process.number, SIGTERM) == 0)
      precondition(clinux_wait_readable(process.number, -1) == 1)
      var exit = clinux_exit()
      precondition(unsafe clinux_reap(pid, 1, &exit) == 1 && exit.signal == SIGTERM)
      precondition(unsafe clinux_reap(pid, 1, &exit) == -ECHILD)
    }
  }

  @Test func whatCannotStartSaysWhy() throws {
    let code = unsafe clinux_spawn("/nonexistent", words(["x"]), 1, words([]), 0, [], 0, nil, 0)
    #expect(code == -ENOENT)
    let elsewhere = unsafe clinux_spawn("/bin/true", words(["x"]), 1, words([]), 0, [], 0, "/nonexistent", 0)
    #expect(elsewhere == -ENOENT)
  }
}

@Suite struct LeakTests {
  /// Everything this module opens is closed again: in a process of its own, where nobody else opens anything.
  @Test func noDescriptorIsLeaked() async {
    await #expect(processExitsWith: .success) {
      let round = {
        let scratch = Scratch()
        let loop = try Loop { $0.linksMax = 8 }
        let at = try loop.net.open(at: loopback4)
        _ = try loop.net.listenUnix(path: scratch.path + "/s", label: 0)
        for _ in 0..<4 {
          let (dialled, accepted) = try loop.pair(at)
          loop.net.write(dialled, [1]).expect(.queued)
          try loop.run { $0.bytes(accepted) == [1] }
        }
        let refused = loop.net.dial(Endpoint(address: loopback4.address, port: 1))
        try loop.run { $0.closed(refused) != nil }
        for call in ["socket", "connect", "setsockopt", "epoll_ctl"] {
          _ = try ForcedErrors.with([call: [ENOMEM]]) {
            let token = loop.net.dial(at)
            try loop.run { $0.closed(token) != nil }
          }
        }
        for call in ["socket", "bind", "listen", "open", "epoll_ctl", "setsockopt"] {
          _ = ForcedErrors.with([call: [ENOMEM]]) {
            do { _ = try loop.net.listen(at: loopback4) } catch { return }
            preconditionFailure("\(call) did not fail")
          }
        }
        let caller = try rawUnixDial(scratch.path + "/s")
        _ = try ForcedErrors.with(["accept4": [EMFILE]]) { try loop.run { $0.counters.shedNoDescriptor == 1 } }
        let mail = Mailbox<Int>(capacity: 1, waking: try WakeUp())
        let thread = try WorkerThread(name: "leak") { _ = mail.put(1) }
        thread.join()
        _ = consume caller
      }
      try round()
      let before = openDescriptors()
      for _ in 0..<10 { try round() }
      precondition(openDescriptors() == before, "\(openDescriptors()) descriptors, \(before) before")
    }
  }
}
