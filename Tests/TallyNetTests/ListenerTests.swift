import CLinux
import Glibc
import TallyBase
import Testing

@testable import TallyNet

@Suite struct ListenerTests {
  @Test func oneOpenPortServesBothProtocols() throws {
    let loop = try Loop()
    let at = try loop.net.open(at: loopback4)
    #expect(at.port != 0)
    _ = try loop.pair(at)
    #expect(loop.send([1], to: at))
    try loop.run { $0.datagrams == [[1]] }
    let error = #expect(throws: SystemError.self) { _ = try Loop().net.open(at: at) }
    #expect(error?.code == EADDRINUSE)
    #expect(error?.description == "bind \(at): Address already in use (EADDRINUSE)")
  }

  /// The free TCP port may be taken on UDP: another one is tried.
  @Test func openTriesAnotherPort() throws {
    let loop = try Loop()
    // Socket, bind of TCP; socket, bind of UDP.
    let left = try ForcedErrors.with(["bind": [EADDRINUSE]]) {
      #expect(throws: SystemError.self) { _ = try loop.net.listen(at: loopback4) }
      _ = try loop.net.open(at: loopback4)
    }
    #expect(left == 0)
  }

  @Test(arguments: [ECONNABORTED, EPROTO, EPERM, EHOSTUNREACH, ENETDOWN])
  func passingErrorsOfAcceptAreCounted(_ code: CInt) throws {
    let loop = try Loop()
    let at = try loop.net.listen(at: loopback4)
    let left = try ForcedErrors.with(["accept4": [EINTR, code]]) { _ = try loop.pair(at) }
    #expect(left == 0)
    #expect(loop.counters.acceptErrors == 1)
    #expect(loop.counters.acceptPauses == 0)
  }

  @Test(arguments: [EMFILE, ENFILE]) func withoutDescriptorsOneCallerIsShed(_ code: CInt) throws {
    let loop = try Loop()
    let at = try loop.net.listen(at: loopback4)
    let caller = try rawDial(at)
    let left = try ForcedErrors.with(["accept4": [code]]) { try loop.run { $0.counters.shedNoDescriptor == 1 } }
    #expect(left == 0)
    #expect(loop.counters.acceptPauses == 0)
    let answer = rawRead(caller)
    #expect(answer == 0 || answer == Int64(-ECONNRESET))
    _ = try loop.pair(at)
  }

  /// Not even the reserve helps (ENFILE: the host has none), or the kernel has no memory: rest, then go on.
  @Test(arguments: [[EMFILE, EMFILE], [ENFILE, ENFILE], [ENOBUFS], [ENOMEM]])
  func aListenerThatCannotAcceptRests(_ codes: [CInt]) throws {
    let loop = try Loop { $0.acceptPause = .milliseconds(10) }
    let at = try loop.net.listen(at: loopback4)
    let caller = try rawDial(at)
    let left = try ForcedErrors.with(["accept4": codes]) { try loop.run { $0.counters.acceptPauses == 1 } }
    #expect(left == 0)
    #expect(loop.accepted.isEmpty)
    try loop.run { $0.accepted.count == 1 }
    let answer = rawRead(caller)
    #expect(answer == Int64(-EAGAIN))
  }

  /// With a real limit, in a process of its own.
  @Test func aListenerSurvivesARealEMFILE() async {
    await #expect(processExitsWith: .success) {
      let loop = try Loop { $0.acceptPause = .milliseconds(10) }
      let at = try loop.net.listen(at: loopback4)
      var callers: [CInt] = []
      for _ in 0..<8 { callers.append(try rawDial(at).release()) }
      var (soft, hard): (UInt64, UInt64) = (0, 0)
      _ = unsafe clinux_get_limit(0, CInt(CLINUX_LIMIT_OPEN_FILES), &soft, &hard)
      let first = clinux_open_null()
      precondition(clinux_set_limit(0, CInt(CLINUX_LIMIT_OPEN_FILES), UInt64(first) + 4, hard) == 0)
      var fillers: [CInt] = [first]
      while true {
        let filler = clinux_open_null()
        if filler == -EMFILE { break }
        precondition(filler >= 0, "open failed with errno \(-filler)")
        fillers.append(filler)
      }
      // Each caller is shed with the reserve. The test runner's own threads open and close files meanwhile: one may
      // leave a descriptor for a caller, or take the reserve, and then the listener rests.
      try loop.run { $0.counters.shedNoDescriptor + $0.counters.accepted == 8 || $0.counters.acceptPauses > 0 }
      precondition(loop.counters.shedNoDescriptor + loop.counters.acceptPauses > 0)
      let before = loop.accepted.count
      for caller in callers { _ = clinux_close(caller) }
      for filler in fillers { _ = clinux_close(filler) }
      precondition(clinux_set_limit(0, CInt(CLINUX_LIMIT_OPEN_FILES), soft, hard) == 0)
      try loop.run { $0.counters.shedNoDescriptor + $0.counters.accepted == 8 }
      _ = try loop.pair(at)
      precondition(loop.accepted.count > before && loop.opened.count == 1)
    }
  }

  /// The reserve itself is lost to another thread: the listener rests until it has one again.
  @Test func theReserveIsTakenBack() async {
    await #expect(processExitsWith: .success) {
      let loop = try Loop { $0.acceptPause = .milliseconds(10) }
      let at = try loop.net.listen(at: loopback4)
      let caller = try rawDial(at).release()
      // Shedding fails with EMFILE too, and then there is no descriptor left for the reserve: fill the gap it leaves.
      _ = try ForcedErrors.with(["accept4": [EMFILE, EMFILE]]) { try loop.run { $0.counters.acceptPauses == 1 } }
      try loop.run { $0.accepted.count == 1 }
      precondition(caller >= 0)
    }
  }

  @Test func closingAListenerKeepsItsLinks() throws {
    let loop = try Loop()
    let at = try loop.net.listen(at: loopback4)
    let (dialled, accepted) = try loop.pair(at)
    // The listener's token is the second one given out, after the wake-up's.
    loop.net.closeListener(Poller.Token(slot: 1, generation: 1).number)
    loop.net.closeListener(Poller.Token(slot: 1, generation: 1).number)
    loop.net.write(dialled, [1]).expect(.queued)
    try loop.run { $0.bytes(accepted) == [1] }
    let late = loop.net.dial(at)
    try loop.run { $0.closed(late) == .refused }
  }
}
