// Owns: what the writer remembers of one feed between transactions: its row's changing half.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

struct FeedState {
  let row: FeedRow
  /// The feed's number in row keys.
  let number: Int64
  var frontier: MerkleFrontier
  /// The newest kept head; the tail always ends at it.
  var head: Head?
  /// Index of the tail's first entry; equal to the size when the tail is empty.
  var tailFrom: UInt64
  /// Upper bound of the tail's packed bytes.
  var tailBytes: Int
  let forkIndex: UInt64?
  let forkProof: [UInt8]?

  var size: UInt64 { frontier.size }
  var tailCount: Int { Int(size - tailFrom) }

  /// From a row of `Query.feedColumns`. A row that does not hold together is damage.
  init(_ row: borrowing SQLiteRow) throws(StoreFault) {
    guard let feed = FeedID(row.blob(1)), let author = PublicKey(row.blob(2)),
      let reason = CarryReason(rawValue: UInt8(truncatingIfNeeded: row.integer(4)))
    else { throw .broken(detail: "feed row \(row.integer(0)) is damaged") }
    number = row.integer(0)
    self.row = FeedRow(
      feed: feed, author: author, incarnation: UInt64(bitPattern: row.integer(3)), reason: reason)
    let size = UInt64(bitPattern: row.integer(5))
    guard let frontier = MerkleFrontier(size: size, peaks: Self.digests(row.blob(8))) else {
      throw .broken(detail: "feed \(feed): its peaks do not fit its size \(size)")
    }
    self.frontier = frontier
    if size > 0 {
      guard let root = Digest(row.blob(6)), let signature = Signature(row.blob(7)), frontier.root == root else {
        throw .broken(detail: "feed \(feed): its peaks do not give its head's root")
      }
      head = Head(feed: feed, size: size, root: root, signature: signature)
    }
    tailFrom = UInt64(bitPattern: row.integer(9))
    tailBytes = Int(row.integer(10))
    guard tailFrom <= size else { throw .broken(detail: "feed \(feed): its tail begins behind its end") }
    forkIndex = row.isNull(11) ? nil : UInt64(bitPattern: row.integer(11))
    forkProof = row.isNull(12) ? nil : row.blob(12)
  }

  static func digests(_ bytes: [UInt8]) -> [Digest] {
    stride(from: 0, to: bytes.count, by: 32).compactMap { Digest(bytes[$0..<min($0 + 32, bytes.count)]) }
  }

  var peakBytes: [UInt8] {
    var writer = ByteWriter(capacity: 32 * frontier.peaks.count)
    for peak in frontier.peaks { writer.named(peak) }
    return writer.bytes
  }
}
