// Owns: values on their way from one thread to another. Refuses to know: what they mean, and Dispatch.
import Glibc
import Synchronization
import TallyBase

/// A bounded queue that many threads may fill and one empties. The owner of the receiving end sleeps on `wakeUp`:
/// the loop's own for mail to the loop, one of its own for a worker thread.
public final class Mailbox<Value: Sendable>: Sendable {
  private struct State: Sendable {
    var values: [Value] = []
    var isClosed = false
  }

  private let state = Mutex(State())
  private let wakeUp: WakeUp
  /// The most values that may wait.
  public let capacity: Int

  public init(capacity: Int, waking wakeUp: WakeUp) {
    precondition(capacity > 0, "a mailbox of \(capacity)")
    self.capacity = capacity
    self.wakeUp = wakeUp
  }

  /// Leaves `value`. False when the mailbox is full or closed: then it was not taken. Whoever asks for work in bounded
  /// numbers can size the answer's mailbox so that this never happens.
  public func put(_ value: Value) -> Bool {
    let taken = state.withLock { state in
      guard !state.isClosed, state.values.count < capacity else { return false }
      state.values.append(value)
      return true
    }
    if taken { wakeUp.wake() }
    return taken
  }

  /// Everything that waits, oldest first; never blocks. Allowed after `close` too.
  public func takeAll() -> [Value] {
    state.withLock { state in
      let values = state.values
      state.values = []
      return values
    }
  }

  /// Sleeps until something waits, and takes it all; nil once the mailbox is closed and empty.
  /// Only the one thread that owns this mailbox's `WakeUp` may call it.
  public func waitAll() throws(SystemError) -> [Value]? {
    while true {
      let (values, isClosed) = state.withLock { state in
        let taken = (state.values, state.isClosed)
        state.values = []
        return taken
      }
      if !values.isEmpty { return values }
      if isClosed { return nil }
      try wakeUp.sleep(timeoutMs: -1)
    }
  }

  /// How many wait now.
  public var count: Int { state.withLock { $0.values.count } }

  /// Takes nothing more; what waits can still be taken.
  public func close() {
    state.withLock { $0.isClosed = true }
    wakeUp.wake()
  }
}
