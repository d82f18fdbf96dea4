// Owns: quantiles of what was measured, and the one way they are printed.
import Foundation

/// Samples of one thing, in milliseconds unless the name says otherwise.
public struct Samples {
  public private(set) var values: [Double] = []
  public init() {}

  public mutating func add(_ value: Double) { values.append(value) }
  public var count: Int { values.count }

  /// The smallest sample that at least `fraction` of all are not above; 0 without samples.
  public func quantile(_ fraction: Double) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return 0 }
    return sorted[min(sorted.count - 1, max(0, Int((fraction * Double(sorted.count)).rounded(.up)) - 1))]
  }

  public var text: String {
    let parts = [0.5, 0.9, 0.99, 1].map { String(format: "%.2f", quantile($0)) }
    return "n \(count), p50 \(parts[0]), p90 \(parts[1]), p99 \(parts[2]), max \(parts[3]) ms"
  }
}

/// A measured figure on a line of its own, so that a script finds it.
public func figure(_ name: String, _ text: String) { print("FIGURE \(name): \(text)") }

/// A test that cannot run here says so, and passes.
public func skip(_ suite: String, _ why: String) { print("SKIP \(suite): \(why)") }
