// Owns: the body of `sighting`. Refuses to know: how a clock is digested.
import TallyBase

/// `sighting`: a digest of the author's whole clock. The feeds seen stand in the entry's links (≤ 4).
///
/// `digest 16`: the first half of BLAKE2b-256 as the ledger computes it.
public struct SightingBody: Hashable, Sendable, WireValue {
  /// Two big-endian words.
  public let high: UInt64
  public let low: UInt64

  /// The first 16 bytes of `digest`.
  public init(clock digest: Digest) {
    high = digest.raw.word0
    low = digest.raw.word1
  }

  /// Whether an entry of this kind may have these links: at most four, no feed twice. With others it is a no-op.
  public static func accepts(_ links: [EntryLink]) -> Bool {
    guard links.count <= WireLimits.sightingLinks else { return false }
    return links.indices.allSatisfy { index in !links[..<index].contains { $0.feed == links[index].feed } }
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    high = try reader.u64().byteSwapped
    low = try reader.u64().byteSwapped
  }

  public func write(into writer: inout ByteWriter) {
    writer.u64(high.byteSwapped)
    writer.u64(low.byteSwapped)
  }
}
