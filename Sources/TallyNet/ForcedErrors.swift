// Owns: the tests' way to make a named call fail. Refuses to know: production; there it costs one relaxed load.
import Glibc
import Synchronization

/// Errors to be returned instead of making a call, first come first served, on the calling thread only: suites that
/// run beside one another never see each other's.
enum ForcedErrors {
  private static let armed = Atomic<Int>(0)
  private static let rows = Mutex<[UInt: [String: [CInt]]]>([:])

  /// The negated errno to use instead of the call, if one is waiting.
  @inline(__always)
  static func next(_ call: StaticString) -> Int? {
    guard armed.load(ordering: .relaxed) > 0 else { return nil }
    return take(call.description)
  }

  private static func take(_ call: String) -> Int? {
    let thread = UInt(pthread_self())
    return rows.withLock { rows in
      guard let code = rows[thread]?[call]?.first else { return nil }
      rows[thread]?[call]?.removeFirst()
      return -Int(code)
    }
  }

  /// Runs `body` while the calls named fail with the errors listed. Returns how many were left unused.
  static func with(_ errors: [String: [CInt]], _ body: () throws -> Void) rethrows -> Int {
    let thread = UInt(pthread_self())
    rows.withLock { $0[thread] = errors }
    armed.add(1, ordering: .relaxed)
    defer {
      armed.subtract(1, ordering: .relaxed)
      rows.withLock { $0[thread] = nil }
    }
    try body()
    return rows.withLock { $0[thread]?.values.reduce(0) { $0 + $1.count } ?? 0 }
  }
}
