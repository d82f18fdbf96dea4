// Owns: how often what went wrong, by name, for the operator's eyes.

struct FaultTallies: Sendable {
  private var counts: [String: UInt64] = [:]
  private(set) var lastRefusal: String?
  /// Names are ours and few; a bound all the same, since some carry a number.
  static let namesMax = 256

  mutating func count(_ name: String) {
    guard counts[name] != nil || counts.count < Self.namesMax else { return }
    counts[name, default: 0] += 1
  }

  mutating func refused(_ text: String) { lastRefusal = text }

  var sorted: [Counter] { counts.keys.sorted().map { Counter(name: $0, count: counts[$0, default: 0]) } }
}
