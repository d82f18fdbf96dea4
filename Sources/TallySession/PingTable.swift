// Owns: pings that wait for their answer, and the smoothed round trip (RFC 6298's first filter).

import TallyBase

struct PingTable: Sendable {
  private var outstanding: [(nonce: UInt64, sent: Instant)] = []
  private(set) var smoothed: Interval?

  mutating func sent(_ nonce: UInt64, now: Instant) {
    if outstanding.count == SessionLimits.outstandingPings { outstanding.removeFirst() }
    outstanding.append((nonce, now))
  }

  /// The round trip of an answered ping; nil when nobody asked.
  mutating func answered(_ nonce: UInt64, now: Instant) -> Interval? {
    guard let index = outstanding.firstIndex(where: { $0.nonce == nonce }) else { return nil }
    let sample = Interval(micros: max(0, now.micros - outstanding.remove(at: index).sent.micros))
    smoothed = smoothed.map { ($0 * 7 + sample) / 8 } ?? sample
    return sample
  }
}
