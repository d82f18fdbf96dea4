import CLinux
import Glibc
import TallyBase
import Testing

@testable import TallyNet

@Suite struct LinkFaultTests {
  @Test func nobodyListens() throws {
    let loop = try Loop()
    let free: Endpoint
    do {
      let listener = try RawListener(backlog: 1)
      free = listener.endpoint
    }
    let dialled = loop.net.dial(free)
    try loop.run { $0.closed(dialled) != nil }
    #expect(loop.closed(dialled) == .refused)
    #expect(loop.links == 0)
  }

  @Test(arguments: [
    (ECONNREFUSED, CloseReason.refused), (ENETUNREACH, .unreachable), (EHOSTUNREACH, .unreachable),
    (ETIMEDOUT, .connectTimedOut), (EINVAL, .failed(SystemError(call: "connect", code: EINVAL))),
    (EADDRNOTAVAIL, .failed(SystemError(call: "connect", code: EADDRNOTAVAIL))),
  ]) func dialsThatFailAtOnceAreEvents(_ code: CInt, _ reason: CloseReason) throws {
    let loop = try Loop()
    var token: NetToken = 0
    let there = Endpoint(address: loopback4.address, port: 9)
    let left = ForcedErrors.with(["connect": [code]]) { token = loop.net.dial(there) }
    #expect(left == 0)
    #expect(loop.events.isEmpty)
    try loop.turn()
    #expect(loop.closed(token) == reason)
    #expect(loop.write(token, [1]) == .gone)
  }

  @Test(arguments: ["socket", "setsockopt", "epoll_ctl"]) func dialsWithoutResourcesAreEvents(_ call: String) throws {
    let loop = try Loop()
    let listener = try RawListener(backlog: 4)
    let code = call == "socket" ? EMFILE : ENOMEM
    var token: NetToken = 0
    let left = ForcedErrors.with([call: [code]]) { token = loop.net.dial(listener.endpoint) }
    #expect(left == 0)
    try loop.turn()
    #expect(loop.closed(token) == .failed(SystemError(call: call, code: code)))
    #expect(loop.links == 0)
  }

  @Test func placesThatAreNoneAreUnreachable() throws {
    let loop = try Loop()
    for text in ["127.0.0.1:0", "0.0.0.0:9", "[ff02::1]:9", "[::]:9"] {
      let token = loop.net.dial(try #require(Endpoint(text)))
      try loop.turn()
      #expect(loop.closed(token) == .unreachable)
    }
  }

  /// A listener whose backlog is full drops the SYN: the dial hangs, as to a host that is off.
  @Test func dialsThatAreNotAnsweredTimeOut() throws {
    let loop = try Loop { $0.connectTimeout = .milliseconds(40) }
    let listener = try RawListener(backlog: 0)
    var tokens: [NetToken] = []
    for _ in 0..<4 { tokens.append(loop.net.dial(listener.endpoint)) }
    try loop.run { loop in tokens.contains { loop.closed($0) == .connectTimedOut } }
    #expect(loop.links < 4)
  }

  /// TCP_USER_TIMEOUT cuts off a peer that takes nothing any more: gone, or not reading.
  @Test func halfOpenLinksAreFound() throws {
    let loop = try Loop { settings in
      settings.linkBufferBytes = 4096
      settings.userTimeoutMs = 60
    }
    let listener = try RawListener(backlog: 4, receiveBytes: 4096)
    let dialled = loop.net.dial(listener.endpoint)
    try loop.run { $0.opened == [dialled] }
    _ = loop.write(dialled, [UInt8](repeating: 1, count: 2_000_000))
    try loop.run { $0.closed(dialled) != nil }
    #expect(loop.closed(dialled) == .timedOut)
    #expect(loop.counters.halfOpen == 1)
  }

  @Test func linksAreTunedAsConfigured() throws {
    let loop = try Loop { settings in
      settings.userTimeoutMs = 12_345
      settings.keepIdleSeconds = 7
      settings.keepIntervalSeconds = 3
      settings.keepProbes = 2
    }
    let at = try loop.net.listen(at: loopback4)
    let (dialled, accepted) = try loop.pair(at)
    for token in [dialled, accepted] {
      let link = try #require(loop.link(token))
      var options = clinux_tcp_options()
      #expect(unsafe clinux_read_tcp_options(link.descriptor.number, &options) == 0)
      #expect(options.no_delay == 1 && options.keep_alive == 1 && options.user_timeout_ms == 12_345)
      #expect(options.idle_s == 7 && options.interval_s == 3 && options.probes == 2)
    }
  }

  @Test(arguments: [
    (ECONNRESET, CloseReason.reset), (EPIPE, .reset), (ETIMEDOUT, .timedOut), (EHOSTUNREACH, .unreachable),
    (EIO, .failed(SystemError(call: "recv", code: EIO))),
  ]) func readErrorsEndTheLink(_ code: CInt, _ reason: CloseReason) throws {
    let loop = try Loop()
    let at = try loop.net.listen(at: loopback4)
    let (dialled, accepted) = try loop.pair(at)
    loop.net.write(dialled, [1]).expect(.queued)
    loop.net.flush()
    let left = try ForcedErrors.with(["recv": [EINTR, EAGAIN, code]]) {
      try loop.run { $0.closed(accepted) != nil }
    }
    #expect(left == 0)
    #expect(loop.closed(accepted) == reason)
    #expect(loop.counters.halfOpen == (code == ETIMEDOUT ? 1 : 0))
  }

  @Test(arguments: [(ECONNRESET, CloseReason.reset), (EPIPE, .reset), (ETIMEDOUT, .timedOut)])
  func writeErrorsEndTheLink(_ code: CInt, _ reason: CloseReason) throws {
    let loop = try Loop()
    let at = try loop.net.listen(at: loopback4)
    let (dialled, _) = try loop.pair(at)
    loop.net.write(dialled, [1]).expect(.queued)
    let left = ForcedErrors.with(["send": [code]]) { loop.net.flush() }
    #expect(left == 0)
    try loop.turn()
    #expect(loop.closed(dialled) == reason)
  }

  /// The poller refuses a change: the link ends with a word instead of hanging for ever.
  @Test func aPollerWithoutMemoryEndsTheLink() throws {
    let loop = try Loop()
    let at = try loop.net.listen(at: loopback4)
    let (dialled, accepted) = try loop.pair(at)
    let left = ForcedErrors.with(["epoll_ctl": [ENOMEM]]) { loop.net.pauseReading(dialled) }
    #expect(left == 0)
    try loop.run { $0.closed(dialled) != nil && $0.closed(accepted) != nil }
    #expect(loop.closed(dialled) == .failed(SystemError(call: "epoll_ctl", code: ENOMEM)))
  }

  /// RST while reading is paused: told at once, and never in a circle.
  @Test func resetsArriveWhilePaused() throws {
    let loop = try Loop()
    let listener = try RawListener(backlog: 4)
    let dialled = loop.net.dial(listener.endpoint)
    try loop.run { $0.opened == [dialled] }
    loop.net.pauseReading(dialled)
    loop.net.write(dialled, [1]).expect(.queued)
    loop.net.flush()
    do { _ = listener.accept() }  // Closed with a byte unread: RST.
    try loop.run { $0.closed(dialled) != nil }
    #expect(loop.closed(dialled) == .reset)
  }

  @Test func theTableOfLinksIsBounded() throws {
    let loop = try Loop { $0.linksMax = 3 }
    let at = try loop.net.listen(at: loopback4)
    let (_, _) = try loop.pair(at)
    let third = try rawDial(at)
    try loop.run { $0.links == 3 }
    let fourth = try rawDial(at)
    try loop.run { $0.counters.shedOverLimit == 1 }
    let answer = rawRead(fourth)
    #expect(answer == 0 || answer == Int64(-ECONNRESET))
    let token = loop.net.dial(at)
    try loop.run { $0.closed(token) != nil }
    #expect(loop.closed(token) == .tooManyLinks)
    let waiting = rawRead(third)
    #expect(waiting == Int64(-EAGAIN))
  }
}
