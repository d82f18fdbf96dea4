// Owns: which records were verified, so that each signature is checked once (62 µs) however often it is told.
// Refuses to know: what a record is used for.

import TallyBase
import TallyCrypto
import TallyWire

/// The newest verified record of each host that was met, bounded; the oldest host goes first.
struct RecordCache: Sendable {
  enum Verdict: Hashable {
    /// Verified now, newer than any before.
    case newer
    /// Byte for byte the newest one known.
    case same
    /// Below the newest number known: not looked at.
    case older
    /// The signature does not hold.
    case bad
    /// Signed, of the newest known number, with other bytes. The first one stays.
    case equivocation
  }

  private let mesh: MeshID
  private let limit: Int
  private var records: [PublicKey: NodeRecord] = [:]
  private var order: [PublicKey] = []
  private var oldest = 0
  /// Signatures checked: for tests and counters.
  private(set) var verifications = 0

  init(mesh: MeshID, limit: Int) {
    self.mesh = mesh
    self.limit = limit
  }

  subscript(key: PublicKey) -> NodeRecord? { records[key] }
  var count: Int { records.count }

  mutating func check(_ record: NodeRecord) -> Verdict {
    let known = records[record.key]
    if let known {
      if known == record { return .same }
      if record.number < known.number { return .older }
    }
    verifications += 1
    guard Ed25519.verify(record.signature, of: record.signedBytes(mesh: mesh), by: record.key) else { return .bad }
    if let known, known.number == record.number { return .equivocation }
    if known == nil { makeRoom(for: record.key) }
    records[record.key] = record
    return .newer
  }

  private mutating func makeRoom(for key: PublicKey) {
    if records.count == limit {
      records[order[oldest]] = nil
      order[oldest] = key
      oldest = (oldest + 1) % limit
    } else {
      order.append(key)
    }
  }
}
