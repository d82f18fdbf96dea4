import CLinux
import Glibc
import TallyBase
import Testing

@testable import TallyNet

@Suite struct UDPTests {
  /// Two drivers; returns them with their endpoints.
  func two(_ endpoint: Endpoint = loopback4) throws -> (Loop, Endpoint, Loop, Endpoint) {
    let (left, right) = (try Loop(), try Loop())
    return (left, try left.net.openDatagrams(at: endpoint), right, try right.net.openDatagrams(at: endpoint))
  }

  @Test func echoUnderLoadComesInBatches() throws {
    let (client, clientAt, server, serverAt) = try two()
    let total = 2048
    var (sent, echoed) = (0, 0)
    while client.events.count < total {
      while sent < total && sent - client.events.count < 200 {
        let number = [UInt8(sent >> 8), UInt8(sent & 255)]
        #expect(client.send(number + [UInt8](repeating: 9, count: 198), to: serverAt))
        sent += 1
      }
      try client.turn()
      try server.run { $0.events.count > echoed }
      for case .datagram(let from, let bytes) in server.events[echoed...] {
        #expect(from == clientAt)
        server.net.send(bytes, to: from)
      }
      echoed = server.events.count
      try server.turn()
      let before = client.events.count
      try client.run { $0.events.count > before }
    }
    let numbers = client.datagrams.map { Int($0[0]) << 8 | Int($0[1]) }
    #expect(numbers.sorted() == Array(0..<total))
    for counters in [client.counters, server.counters] {
      #expect(counters.datagramsReceived == UInt64(total))
      #expect(counters.datagramsSent == UInt64(total))
      #expect(counters.datagramsReceived >= 8 * counters.receiveCalls)
      #expect(counters.datagramsSent >= 8 * counters.sendCalls)
      #expect(counters.datagramBytesReceived == UInt64(total) * 200)
    }
  }

  @Test func aTurnTakesAtMost256() throws {
    let (client, _, server, serverAt) = try two()
    for number in 0..<300 { client.net.send([UInt8(number & 255)], to: serverAt) }
    client.net.flush()
    try server.turn(ms: 1000)
    #expect(server.events.count == NetLimits.turnDatagrams)
    try server.turn(ms: 1000)
    #expect(server.events.count == 300)
    #expect(server.counters.receiveCalls <= 7)
  }

  @Test(arguments: [EAGAIN, ENOBUFS, ENOMEM]) func aFullKernelLosesNothing(_ code: CInt) throws {
    let (client, _, server, serverAt) = try two()
    client.net.send([1, 2, 3], to: serverAt)
    let left = ForcedErrors.with(["sendmmsg": [EINTR, code]]) { client.net.flush() }
    #expect(left == 0)
    #expect(client.counters.sendStalls == 1)
    #expect(client.counters.datagramsSent == 0)
    // EPOLLOUT, or for want of buffers the timer, sends it now.
    try client.run { $0.counters.datagramsSent == 1 }
    try server.run { $0.datagrams == [[1, 2, 3]] }
  }

  @Test func theSendQueueIsBounded() throws {
    let (client, _, _, serverAt) = try two()
    let left = ForcedErrors.with(["sendmmsg": [EAGAIN]]) {
      client.net.send([0], to: serverAt)
      client.net.flush()
      for _ in 1..<NetLimits.sendQueueDatagrams { #expect(client.send([1], to: serverAt)) }
      #expect(!client.send([2], to: serverAt))
    }
    #expect(left == 0)
    #expect(client.counters.datagramsDropped == 1)
    try client.run { $0.counters.datagramsSent == UInt64(NetLimits.sendQueueDatagrams) }
  }

  @Test(arguments: [ENETUNREACH, EPERM, EACCES, EMSGSIZE, EINVAL, EADDRNOTAVAIL, EIO])
  func oneBadDestinationDoesNotStopTheOthers(_ code: CInt) throws {
    let (client, _, server, serverAt) = try two()
    client.net.send([1], to: serverAt)
    client.net.send([2], to: serverAt)
    let left = ForcedErrors.with(["sendmmsg": [code]]) { client.net.flush() }
    #expect(left == 0)
    try server.run { $0.datagrams == [[2]] }
    #expect(client.counters.datagramsUnsendable == 1)
  }

  /// ECONNREFUSED and EHOSTUNREACH may be news of an earlier datagram: the present one is tried once more.
  @Test(arguments: [ECONNREFUSED, EHOSTUNREACH]) func oldNewsDropNothing(_ code: CInt) throws {
    let (client, _, server, serverAt) = try two()
    client.net.send([1], to: serverAt)
    client.net.send([2], to: serverAt)
    var left = ForcedErrors.with(["sendmmsg": [code]]) { client.net.flush() }
    #expect(left == 0)
    try server.run { $0.datagrams == [[1], [2]] }
    #expect(client.counters.datagramsUnsendable == 0)
    client.net.send([3], to: serverAt)
    client.net.send([4], to: serverAt)
    left = ForcedErrors.with(["sendmmsg": [code, code]]) { client.net.flush() }
    #expect(left == 0)
    try server.run { $0.datagrams == [[1], [2], [4]] }
    #expect(client.counters.datagramsUnsendable == 1)
  }

  @Test(arguments: [ECONNREFUSED, EHOSTUNREACH, ENOMEM, ENOBUFS, EINTR, EAGAIN])
  func receivingGoesOnAfter(_ code: CInt) throws {
    let (client, _, server, serverAt) = try two()
    client.net.send([1], to: serverAt)
    client.net.flush()
    let left = try ForcedErrors.with(["recvmmsg": [code]]) {
      try server.run { $0.events.count == 1 }
    }
    #expect(left == 0)
    #expect(server.counters.receiveErrors == (code == EINTR || code == EAGAIN ? 0 : 1))
  }

  /// A socket that only ever says no must not hold the loop.
  @Test func errorsInARowEndTheTurn() throws {
    let (client, _, server, serverAt) = try two()
    client.net.send([1], to: serverAt)
    client.net.flush()
    let left = try ForcedErrors.with(["recvmmsg": [CInt](repeating: ECONNREFUSED, count: 6)]) {
      try server.turn(ms: 1000)
      #expect(server.counters.receiveErrors == 4)
      try server.run { $0.events.count == 1 }
    }
    #expect(left == 0)
  }

  @Test func oversizedDatagramsAreCountedAndDropped() throws {
    let server = try Loop()
    let at = try server.net.openDatagrams(at: loopback4)
    let raw = try InternetSocket(isV6: false, isStream: false)
    try raw.bind(loopback4)
    let slab = [UInt8](repeating: 5, count: 4000)
    let sizes: [UInt32] = [1233, 4000, 1232, 0]
    let slots = sizes.map { clinux_datagram(remote: at.linux, offset: 0, length: $0, truncated: 0) }
    let sent = unsafe clinux_send_batch(raw.descriptor.number, 0, slab, slots, 4)
    #expect(sent == 4)
    try server.run { $0.datagrams.map(\.count) == [1232, 0] }
    #expect(server.counters.datagramsMalformed == 2)
  }

  @Test func placesThatAreNoneAreCounted() throws {
    let loop = try Loop()
    #expect(!loop.send([1], to: loopback4))
    _ = try loop.net.openDatagrams(at: loopback4)
    for text in ["127.0.0.1:0", "0.0.0.0:9", "224.0.0.1:9", "[::]:9", "[ff02::1]:9", "[2001:db8::1]:9"] {
      let endpoint = try #require(Endpoint(text))
      #expect(!loop.send([1], to: endpoint))
    }
    #expect(loop.counters.datagramsUnsendable == 6)
    try loop.turn()
  }

  @Test func bothFamiliesShareOneSocket() throws {
    guard hostHasIPv6 else { return print("SKIP UDPTests.bothFamiliesShareOneSocket: no IPv6 on this host") }
    let server = try Loop()
    let bound = try server.net.openDatagrams(at: everywhere)
    for start in [loopback4, loopback6] {
      let client = try Loop()
      let from = try client.net.openDatagrams(at: start)
      client.net.send([7], to: Endpoint(address: start.address, port: bound.port))
      client.net.flush()
      let seen = server.events.count
      try server.run { $0.events.count > seen }
      #expect(server.events.last == .datagram(from: from, [7]))
      server.net.send([8], to: from)
      server.net.flush()
      try client.run { $0.datagrams == [[8]] }
    }
    // An unroutable link-local address without a zone is a peer's word, not our mistake.
    server.net.send([1], to: try #require(Endpoint("[fe80::1]:9")))
    try server.turn()
  }

  @Test func hostsWithoutIPv6FallBackOnIPv4() throws {
    let loop = try Loop()
    _ = try ForcedErrors.with(["socket": [EAFNOSUPPORT]]) {
      let bound = try loop.net.openDatagrams(at: everywhere)
      #expect(bound.address.isV4)
    }
    _ = ForcedErrors.with(["socket": [EAFNOSUPPORT]]) {
      #expect(throws: SystemError(call: "socket", code: EAFNOSUPPORT)) { _ = try Loop().net.listen(at: loopback6) }
    }
  }
}
