// Owns: one noncopyable value that is opened on the main thread, used by one other thread, and closed on the main one.
import Synchronization

/// Behind a lock that nobody contends, so that a thread's body can hold what was made before it began.
final class Owned<Value: ~Copyable & Sendable>: Sendable {
  private let value: Mutex<Value?>

  init(_ value: consuming sending Value) { self.value = Mutex(value) }

  /// Calls `body` with the value. Using it after `take` is our own mistake and traps.
  func use<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
    value.withLock { (optional: inout sending Value?) -> Result in
      guard var held = optional.take() else { preconditionFailure("used after it was taken") }
      let result = body(&held)
      optional = consume held
      return result
    }
  }

  /// Gives the value back; nil the second time.
  func take() -> Value? { value.withLock { (optional: inout sending Value?) -> sending Value? in optional.take() } }
}
