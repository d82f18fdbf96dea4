// Owns: which counters were seen: a ring of bits behind the highest one. RFC 6479.

struct ReplayWindow: Sendable {
  /// One word more than the window is wide: the word being filled holds bits ahead of the highest counter.
  private static let wordCount = SessionLimits.replayWindow / 64 + 1
  private var words = [UInt64](repeating: 0, count: wordCount)
  /// The highest counter accepted; nil before the first.
  private(set) var highest: UInt64?

  /// True when `counter` is new and not too old. Ask before opening, `accept` after.
  func isFresh(_ counter: UInt64) -> Bool {
    guard counter < SessionLimits.counterEnd else { return false }
    guard let highest, counter <= highest else { return true }
    guard highest - counter < UInt64(SessionLimits.replayWindow) else { return false }
    return words[Self.slot(counter)] & Self.bit(counter) == 0
  }

  /// Marks a counter of a packet that opened. Returns true when it is the highest so far.
  mutating func accept(_ counter: UInt64) -> Bool {
    precondition(isFresh(counter), "accepted counter \(counter) twice")
    let isHighest = highest.map { counter > $0 } ?? true
    if isHighest {
      let from = highest.map { $0 / 64 } ?? 0
      let steps = min(counter / 64 - from, UInt64(Self.wordCount))
      if steps > 0 {
        for step in 1...steps { words[Int((from + step) % UInt64(Self.wordCount))] = 0 }
      }
      highest = counter
    }
    words[Self.slot(counter)] |= Self.bit(counter)
    return isHighest
  }

  private static func slot(_ counter: UInt64) -> Int { Int(counter / 64 % UInt64(wordCount)) }
  private static func bit(_ counter: UInt64) -> UInt64 { 1 << (counter % 64) }
}
