// Owns: draws that a simulation needs and a node does not. Integers only: one seed, one run, on every machine.
import TallyBase

extension Generator {
  /// A delay with an exponential tail of about this mean, in microseconds: leading zeros of a word are geometric, and
  /// the bits behind them fill the steps.
  mutating func exponential(mean: Int64) -> Int64 {
    guard mean > 0 else { return 0 }
    let word = next64()
    let halvings = Int64(word.leadingZeroBitCount)
    let fraction = Int64(next32() >> 16)
    // ln 2 = 0.693; a step of one halving, filled evenly.
    return mean * 693 / 1000 * (halvings * 65_536 + fraction) / 65_536
  }

  /// True with probability `percent` / 100.
  mutating func percent(_ percent: Int) -> Bool { percent > 0 && below(100) < percent }

  mutating func within(_ range: ClosedRange<Int64>) -> Int64 {
    range.lowerBound + Int64(below(UInt64(range.upperBound - range.lowerBound) + 1))
  }
}
