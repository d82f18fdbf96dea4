// Owns: a measured number with its name and unit, the two clocks, and the rule that a figure is a median of rounds.
// Refuses to know: what is measured. Nothing here compares a time with a wish: a bench reports, it never fails.
import CBenchEcho

/// One line of the report.
public struct Figure: Sendable {
  public let name: String
  public let value: Double
  public let unit: String
  /// What the number is made of, or how it compares.
  public let note: String

  public init(_ name: String, _ value: Double, _ unit: String, _ note: String = "") {
    self.name = name
    self.value = value
    self.unit = unit
    self.note = note
  }

  /// Four significant digits at most.
  public var shown: String {
    let size = abs(value)
    if size >= 1000 { return "\(Int(value.rounded()))" }
    let scale: Double = size >= 100 ? 10 : size >= 10 ? 100 : 1000
    return "\((value * scale).rounded() / scale)"
  }

  public var json: String { #"{"name":"\#(name)","value":\#(value),"unit":"\#(unit)","note":"\#(note)"}"# }
}

/// What a stretch of work took.
struct Spent {
  /// Seconds on the clock.
  var wall: Double
  /// User and system seconds of the whole process, every thread.
  var cpu: Double
}

enum Meter {
  static func spent(_ body: () throws -> Void) rethrows -> Spent {
    let (wall, cpu) = (ContinuousClock.now, cbench_process_micros())
    try body()
    let used = cbench_process_micros() - cpu
    return Spent(wall: (ContinuousClock.now - wall) / .seconds(1), cpu: Double(used) / 1e6)
  }

  /// The middle of `rounds` values, after one round that is thrown away.
  static func median(rounds: Int = 5, _ round: () throws -> Double) rethrows -> Double {
    _ = try round()
    var values: [Double] = []
    for _ in 0..<rounds { values.append(try round()) }
    return middle(values)
  }

  /// Calls of `body` in a second of this thread's processor, median over rounds of about `seconds` each: what others
  /// do on the machine meanwhile costs cache, not time. For work that neither waits nor starts threads.
  static func rate(rounds: Int = 5, seconds: Double = 0.15, _ body: () throws -> Void) rethrows -> Double {
    try median(rounds: rounds) {
      var (count, step, cpu) = (0, 1, 0.0)
      while cpu < seconds {
        cpu += try spent { for _ in 0..<step { try body() } }.cpu
        count += step
        step = min(step * 2, 1 << 16)
      }
      return Double(count) / cpu
    }
  }

  static func middle(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    precondition(!sorted.isEmpty, "the median of nothing")
    return sorted.count % 2 == 1
      ? sorted[sorted.count / 2] : (sorted[sorted.count / 2 - 1] + sorted[sorted.count / 2]) / 2
  }
}

/// Keeps the optimiser from throwing a result away.
@inline(never)
func keep<Value>(_ value: Value) {}
