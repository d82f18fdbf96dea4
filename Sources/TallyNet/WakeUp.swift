// Owns: an eventfd that any thread may poke to wake the one that sleeps on it. Refuses to know: why.
import CLinux
import Glibc
import Synchronization

/// Wakes one sleeper: the loop (which has it in its poller), or a worker thread that waits for its mailbox.
public final class WakeUp: Sendable {
  private let descriptor: Descriptor
  /// True from the first poke until the drain: further pokes cost no system call.
  private let isPending = Atomic<Bool>(false)

  public init() throws(SystemError) {
    descriptor = Descriptor(taking: try required("eventfd") { clinux_event_descriptor() })
  }

  /// Makes the sleeper's next or present sleep end. From any thread; never blocks.
  public func wake() {
    guard !isPending.exchange(true, ordering: .acquiringAndReleasing) else { return }
    // EAGAIN would mean a counter of 2^64-2 pokes, all undrained: the sleeper is awake then anyway.
    var code = clinux_event_poke(descriptor.number)
    while code == -EINTR { code = clinux_event_poke(descriptor.number) }
    precondition(code == 0 || code == -EAGAIN, "write to an eventfd failed with errno \(-code)")
  }

  /// Forgets all pokes so far. The sleeper calls it before it looks at its mailboxes: a poke that comes later than
  /// this is not lost, and one that came earlier has its value in the mailbox already.
  func drain() {
    _ = clinux_event_drain(descriptor.number)
    isPending.store(false, ordering: .sequentiallyConsistent)
  }

  /// Sleeps until a poke, at most `timeoutMs` (-1: for ever), and drains.
  func sleep(timeoutMs: CInt) throws(SystemError) {
    let number = descriptor.number
    try required("poll") { clinux_wait_readable(number, timeoutMs) }
    drain()
  }

  func register(in poller: borrowing Poller, _ token: Poller.Token) throws(SystemError) {
    try poller.add(descriptor, token, .readable)
  }
}
