// Owns: the estimate of a path's round-trip time (RFC 6298, section 2). Refuses to know: which path, and clocks.

/// Smoothed round-trip time and its variation. The zero value has no sample yet.
@frozen
public struct RoundTrip: Hashable, Sendable {
  /// Microseconds; nil before the first sample.
  public private(set) var smoothedMicros: Int64?
  public private(set) var variationMicros: Int64 = 0

  public init() {}

  public var smoothed: Interval? { smoothedMicros.map { Interval(micros: $0) } }

  /// Takes one measured round trip. A negative one is our own mistake and traps.
  public mutating func sample(_ interval: Interval) {
    precondition(interval.micros >= 0, "a round trip of \(interval.micros) µs")
    guard let old = smoothedMicros else {
      smoothedMicros = interval.micros
      variationMicros = interval.micros / 2
      return
    }
    variationMicros += (abs(old - interval.micros) - variationMicros) / 4
    smoothedMicros = old + (interval.micros - old) / 8
  }

  /// srtt + 4 · rttvar within `least ... most`; `unknown` before the first sample.
  public func timeout(least: Interval, most: Interval, unknown: Interval) -> Interval {
    guard let smoothedMicros else { return unknown }
    return min(max(Interval(micros: smoothedMicros + 4 * variationMicros), least), most)
  }
}
