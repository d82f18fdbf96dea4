// Owns: "did you mean …?" for names that do not exist.

public enum Suggestion {
  /// The candidate within an edit distance of a third of its length (at least 2), nearest first; nil when none is.
  public static func nearest(to name: String, among candidates: [String]) -> String? {
    let scored = candidates.map { ($0, distance(Array(name.utf8), Array($0.utf8))) }
    guard let best = scored.min(by: { ($0.1, $0.0) < ($1.1, $1.0) }) else { return nil }
    return best.1 <= max(2, best.0.utf8.count / 3) ? best.0 : nil
  }

  /// Levenshtein's edit distance. O(n·m) for short names; longer than 64 bytes never matches.
  static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    guard left.count <= 64, right.count <= 64 else { return .max }
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in right.enumerated() {
        let above = row[j + 1]
        row[j + 1] = a == b ? diagonal : min(diagonal, above, row[j]) + 1
        diagonal = above
      }
    }
    return row[right.count]
  }
}
