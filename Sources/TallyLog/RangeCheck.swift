// Owns: the range rule: entries are accepted when a signed head and our peaks plus these entries give one root.
// Refuses to know: threads. The shell runs the value where it likes and brings the verdict back. DESIGN section 9.
import TallyBase
import TallyCrypto
import TallyWire

/// One signature and one recomputed root for a run of entries. A value: it may run on another thread.
public struct RangeCheck: Hashable, Sendable {
  /// The feed and its author, already checked against each other by the feed ID's derivation.
  public let row: FeedRow
  /// The mesh's name, which stands in the checkpoint's origin.
  public let mesh: String
  /// Our checked tree; the entries begin at its size.
  public let frontier: MerkleFrontier
  public let entries: [Entry]
  public let head: Head

  public var from: UInt64 { frontier.size }

  /// A head of another feed or entries that do not end at it are our own mistake: the decoder has refused them.
  public init(row: FeedRow, mesh: String, frontier: MerkleFrontier, entries: [Entry], head: Head) {
    precondition(head.feed == row.feed, "a head of another feed")
    precondition(
      frontier.size < head.size && head.size - frontier.size == UInt64(entries.count),
      "entries \(frontier.size) + \(entries.count) do not end at head \(head.size)")
    self.row = row
    self.mesh = mesh
    self.frontier = frontier
    self.entries = entries
    self.head = head
  }

  /// Costs one signature check, and when that holds one leaf and about one node hash per entry.
  public func run() -> RangeVerdict {
    guard head.isSigned(by: row.author, mesh: mesh) else { return .badSignature }
    var tree = frontier
    var hasher = LeafHasher()
    var leaves: [Digest] = []
    leaves.reserveCapacity(entries.count)
    for (offset, entry) in entries.enumerated() {
      guard entry.isWithinLimits, from > 0 || offset > 0 || isBegin(entry) else {
        return .badEntry(index: from + UInt64(offset))
      }
      let leaf = hasher.hash(entry)
      leaves.append(leaf)
      tree.append(leaf)
    }
    let root = tree.root
    return root == head.root ? .ok(frontier: tree, leaves: leaves) : .rootMismatch(computed: root)
  }

  /// Entry 0 names its own feed: with another `begin`, or none, there is no feed.
  private func isBegin(_ entry: Entry) -> Bool {
    guard entry.kind == .begin else { return false }
    do throws(DecodeError) {
      let body = try BeginBody(decoding: entry.body)
      return body.author == row.author && body.incarnation == row.incarnation
    } catch {
      return false
    }
  }
}

public enum RangeVerdict: Hashable, Sendable {
  /// Our tree after the range, and the range's leaf hashes.
  case ok(frontier: MerkleFrontier, leaves: [Digest])
  /// The author did not sign this head. The server's fault.
  case badSignature
  /// The signed head has another root: the server's fault, or a fork. Ask for the path.
  case rootMismatch(computed: Digest)
  /// An entry above its limits, or a first entry that is not this feed's `begin`.
  case badEntry(index: UInt64)
}
