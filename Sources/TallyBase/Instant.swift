// Owns: time as a value. Refuses to know: how to read a clock. Whoever calls a state machine passes `now`.

/// A moment on both of a host's clocks. The monotonic one decides; the wall clock is written down and shown only.
@frozen
public struct Instant: Hashable, Sendable {
  /// Microseconds on a clock that never goes back; its zero is arbitrary.
  public let micros: Int64
  /// Milliseconds since 1970-01-01 UTC, as this host believes.
  public let wallMs: Int64

  @inlinable
  public init(micros: Int64, wallMs: Int64) {
    self.micros = micros
    self.wallMs = wallMs
  }

  /// Both clocks moved on by `interval`. Saturates instead of wrapping.
  @inlinable
  public static func + (left: Instant, right: Interval) -> Instant {
    let (micros, overflow) = left.micros.addingReportingOverflow(right.micros)
    let (wall, wallOverflow) = left.wallMs.addingReportingOverflow(right.micros / 1000)
    return Instant(micros: overflow ? .max : micros, wallMs: wallOverflow ? .max : wall)
  }

  @inlinable
  public static func - (left: Instant, right: Instant) -> Interval { Interval(micros: left.micros - right.micros) }
}

extension Instant: Comparable {
  /// By the monotonic clock alone.
  @inlinable
  public static func < (left: Instant, right: Instant) -> Bool { left.micros < right.micros }
}

/// A length of time in microseconds; may be negative.
@frozen
public struct Interval: Hashable, Comparable, Sendable {
  public let micros: Int64

  @inlinable public init(micros: Int64) { self.micros = micros }
  @inlinable public static func microseconds(_ count: Int64) -> Interval { Interval(micros: count) }
  @inlinable public static func milliseconds(_ count: Int64) -> Interval { Interval(micros: count * 1000) }
  @inlinable public static func seconds(_ count: Int64) -> Interval { Interval(micros: count * 1_000_000) }
  @inlinable public static func < (left: Interval, right: Interval) -> Bool { left.micros < right.micros }
  @inlinable public static func + (left: Interval, right: Interval) -> Interval {
    Interval(micros: left.micros + right.micros)
  }
  @inlinable public static func * (left: Interval, right: Int64) -> Interval { Interval(micros: left.micros * right) }
  @inlinable public static func / (left: Interval, right: Int64) -> Interval { Interval(micros: left.micros / right) }

  /// Whole milliseconds, rounded up: a poll that sleeps this long never wakes before its deadline.
  @inlinable public var millisecondsRoundedUp: Int64 { micros <= 0 ? 0 : (micros + 999) / 1000 }
}
