// Owns: all levels of one whole blob's tree, for paths in O(log n). RFC 6962 section 2.1: a last node without a
// sibling rises unchanged.
import TallyBase
import TallyCrypto

struct BlobTree: Sendable {
  private let levels: [[Digest]]

  init(_ leaves: [Digest]) {
    var levels = [leaves]
    while let last = levels.last, last.count > 1 {
      var next: [Digest] = []
      next.reserveCapacity((last.count + 1) / 2)
      for index in stride(from: 0, to: last.count, by: 2) {
        next.append(index + 1 < last.count ? SHA256Hash.node(last[index], last[index + 1]) : last[index])
      }
      levels.append(next)
    }
    self.levels = levels
  }

  /// Inclusion path of leaf `index`, from its sibling up.
  func path(_ index: Int) -> [Digest] {
    var path: [Digest] = []
    var place = index
    for level in levels.dropLast() {
      if place ^ 1 < level.count { path.append(level[place ^ 1]) }
      place >>= 1
    }
    return path
  }
}
