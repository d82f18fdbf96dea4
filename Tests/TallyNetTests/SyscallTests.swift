import CLinux
import Glibc
import TallyBase
import Testing

@testable import TallyNet

@Suite struct SyscallTests {
  @Test func interruptedCallsAreMadeAgain() throws {
    var calls = 0
    let left = try ForcedErrors.with(["read": [EINTR, EINTR, EINTR]]) {
      let progress = try syscall("read") { () -> CInt in
        calls += 1
        return 7
      }
      #expect(progress == .done(7))
    }
    #expect(calls == 1)
    #expect(left == 0)
  }

  @Test func tryAgainIsAValueOrAnErrorAsTheCallerAsked() throws {
    #expect(try syscall("read") { -EAGAIN } == .wouldBlock)
    #expect(throws: SystemError(call: "eventfd", code: EAGAIN)) { try required("eventfd") { -EAGAIN } }
  }

  @Test func otherErrorsAreThrownWithNameAndText() {
    let error = #expect(throws: SystemError.self) { try required("connect") { -ECONNREFUSED } }
    #expect(error?.description == "connect: Connection refused (ECONNREFUSED)")
    #expect(error?.about("192.0.2.1:1").description == "connect 192.0.2.1:1: Connection refused (ECONNREFUSED)")
    #expect(SystemError(call: "x", code: 4095).description.hasSuffix("(errno)"))
  }

  /// A peer's address must never be able to stop the daemon.
  @Test func invalidAddressesOfOthersAreThrown() {
    #expect(throws: SystemError(call: "connect", code: EINVAL)) {
      try required("connect", outsideAddress: true) { -EINVAL }
    }
  }

  @Test func ourOwnMistakesStopTheProcess() async {
    await #expect(processExitsWith: .failure) { _ = try syscall("read") { -EBADF } }
    await #expect(processExitsWith: .failure) { _ = try syscall("read") { -EFAULT } }
    await #expect(processExitsWith: .failure) { _ = try syscall("read") { -EINVAL } }
    await #expect(processExitsWith: .failure) {
      let descriptor = Descriptor(taking: clinux_open_null())
      _ = clinux_close(descriptor.number)
    }
    await #expect(processExitsWith: .failure) {
      var net = try NetDriver()
      _ = try net.openDatagrams(at: loopback4)
      net.send([UInt8](repeating: 0, count: NetLimits.datagramBytes + 1), to: loopback4)
    }
  }

  @Test func forcedErrorsStayOnTheirThread() throws {
    let answers = Mailbox<Bool>(capacity: 1, waking: try WakeUp())
    _ = try ForcedErrors.with(["read": [EPERM]]) {
      let thread = try WorkerThread(name: "other") { _ = answers.put(ForcedErrors.next("read") == nil) }
      thread.join()
      #expect(answers.takeAll() == [true])
    }
  }
}

@Suite struct PollerTests {
  @Test func tokensOutliveTheirSlots() throws {
    var poller = try Poller()
    let first = poller.makeToken()
    poller.retire(first)
    let second = poller.makeToken()
    #expect(second.slot == first.slot)
    #expect(second != first)
    let isCurrent = [first, second, Poller.Token(.max)].map { poller.isCurrent($0) }
    #expect(isCurrent == [false, true, false])
    #expect(Poller.Token(second.number) == second)
    #expect(second.number != 0)
  }

  /// A copy of the descriptor (as a child between fork and exec has) keeps a closed registration alive in the kernel.
  @Test func eventsOfAnEndedRegistrationAreRecognised() throws {
    var poller = try Poller()
    var (first, second): (CInt, CInt) = (-1, -1)
    let code = unsafe clinux_socket_pair(&first, &second)
    #expect(code == 0)
    let peer = Descriptor(taking: second)
    var watched: Descriptor? = Descriptor(taking: first)
    let copy = Descriptor(taking: dup(first))
    let token = poller.makeToken()
    if let open = watched.take() { try poller.add(open, token, .readable) }
    poller.retire(token)
    let heir = poller.makeToken()
    #expect(heir.slot == token.slot)
    let written = rawWrite(peer, [1])
    #expect(written == 1)
    var ready: [Poller.Ready] = []
    try poller.wait(timeoutMs: 1000, into: &ready)
    #expect(!ready.contains { $0.token == heir })
    let stale = poller.staleEvents
    #expect(stale == 1)
    _ = consume copy
  }

  @Test func waitingFailsOnlyWithEpoll() throws {
    var net = try NetDriver()
    var events: [NetEvent] = []
    let left = ForcedErrors.with(["epoll_wait": [EINTR, ENOMEM]]) {
      #expect(throws: SystemError(call: "epoll_wait", code: ENOMEM)) {
        _ = try net.poll(timeout: .milliseconds(0), into: &events)
      }
    }
    #expect(left == 0)
    for call in ["epoll_create1", "eventfd"] {
      _ = ForcedErrors.with([call: [EMFILE]]) {
        #expect(throws: SystemError(call: call, code: EMFILE)) { _ = try NetDriver() }
      }
    }
  }
}
