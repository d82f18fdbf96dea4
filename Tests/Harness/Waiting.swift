// Owns: waiting on conditions. There is no fixed sleep anywhere: a condition is asked again until a deadline.
import CLinux
import Foundation
import Glibc

public enum Patience {
  /// Deadlines are multiplied by this: `TALLY_TEST_PATIENCE`, for slow machines and sanitizers.
  public static let factor: Double =
    ProcessInfo.processInfo.environment["TALLY_TEST_PATIENCE"].flatMap(Double.init) ?? 1
}

/// Microseconds of the monotonic clock.
public func microsNow() -> Int64 { clinux_monotonic_micros() }

/// Asks until `condition` holds. Throws at the deadline, with `state` in the text.
public func eventually(
  _ what: String, within seconds: Double = 20, everyMs: UInt32 = 5, state: () throws -> String = { "" },
  _ condition: () throws -> Bool
) throws {
  let deadline = microsNow() + Int64(seconds * Patience.factor * 1_000_000)
  while true {
    if try condition() { return }
    if microsNow() > deadline {
      let last = try state()
      throw HarnessError("never within \(seconds) s: \(what)\(last.isEmpty ? "" : "; last: \(last)")")
    }
    usleep(everyMs * 1000)
  }
}

/// Milliseconds that `body` takes.
public func milliseconds(_ body: () throws -> Void) rethrows -> Double {
  let start = microsNow()
  try body()
  return Double(microsNow() - start) / 1000
}
