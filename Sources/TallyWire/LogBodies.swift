// Owns: the bodies of the entry kinds that belong to the log itself: begin, sighting, evidence, record.
// Refuses to know: what follows from them. A body that does not decode is a no-op, the same for everyone.
import TallyBase

/// `begin`, entry 0 of every feed.
///
/// ```
/// 0   32  author
/// 32  8   incarnation
/// 40  32  recovery commitment; zero = none
/// 72  1   1 when the feed continues another, else 0
/// 73  32  predecessor feed            (only when 1)
/// 105 8   size of its last known head; 0 = none known
/// 113 32  root of its last known head; zero when the size is 0
/// ```
public struct BeginBody: Hashable, Sendable, WireValue {
  public let author: PublicKey
  public let incarnation: UInt64
  public let recovery: Bytes32
  public let continues: Predecessor?

  @frozen
  public struct Predecessor: Hashable, Sendable {
    public let feed: FeedID
    public let size: UInt64
    public let root: Digest

    public init(feed: FeedID, size: UInt64, root: Digest) {
      self.feed = feed
      self.size = size
      self.root = root
    }
  }

  public init(author: PublicKey, incarnation: UInt64, recovery: Bytes32, continues: Predecessor?) {
    if let continues {
      precondition(continues.size <= WireLimits.feedEntries, "a predecessor of size \(continues.size)")
      precondition(continues.size > 0 || continues.root == .zero, "a root without a size")
    }
    self.author = author
    self.incarnation = incarnation
    self.recovery = recovery
    self.continues = continues
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    author = try reader.named()
    incarnation = try reader.u64()
    recovery = try reader.bytes32()
    guard try reader.flag("begin continues") else {
      continues = nil
      return
    }
    let before = Predecessor(feed: try reader.named(), size: try reader.u64(), root: try reader.named())
    guard before.size <= WireLimits.feedEntries else {
      throw .aboveLimit(
        field: "begin size", value: Int(clamping: before.size), limit: Int(WireLimits.feedEntries))
    }
    guard before.size > 0 || before.root == .zero else { throw .notCanonical(field: "begin root") }
    continues = before
  }

  public func write(into writer: inout ByteWriter) {
    writer.named(author)
    writer.u64(incarnation)
    writer.bytes32(recovery)
    writer.flag(continues != nil)
    guard let continues else { return }
    writer.named(continues.feed)
    writer.u64(continues.size)
    writer.named(continues.root)
  }
}

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

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    high = UInt64(byteSwapping: try reader.u64())
    low = UInt64(byteSwapping: try reader.u64())
  }

  public func write(into writer: inout ByteWriter) {
    writer.u64(high.byteSwapped)
    writer.u64(low.byteSwapped)
  }
}

extension UInt64 {
  fileprivate init(byteSwapping value: UInt64) { self = value.byteSwapped }
}

/// `evidence`: an entry of a forked feed at or above the fork, put into the feed of the host that it favours.
///
/// ```
/// 0    136     head under which the entry stands
/// 136  varint  index, below the head's size
///      2       len, at most 1,024
///      len     the entry's preimage
///      32 each inclusion path; its length follows from index and size
/// ```
public struct EvidenceBody: Hashable, Sendable, WireValue {
  public let head: Head
  public let index: UInt64
  public let entry: Entry
  public let path: [Digest]

  /// A path of the wrong length or too large an entry is our own mistake.
  public init(head: Head, index: UInt64, entry: Entry, path: [Digest]) {
    precondition(index < head.size, "entry \(index) of \(head.size)")
    precondition(path.count == MerkleShape.pathCount(index: index, size: head.size), "a path's length")
    precondition(entry.preimageCount <= WireLimits.evidenceEntryBytes, "evidence of \(entry.preimageCount) bytes")
    self.head = head
    self.index = index
    self.entry = entry
    self.path = path
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    head = try Head(reading: &reader)
    index = try reader.feedNumber("evidence index")
    guard index < head.size else { throw .notCanonical(field: "evidence index") }
    let count = Int(try reader.u16())
    guard count <= WireLimits.evidenceEntryBytes else {
      throw .aboveLimit(field: "evidence entry", value: count, limit: WireLimits.evidenceEntryBytes)
    }
    entry = try Entry(preimage: try reader.take(count))
    path = try reader.digests(MerkleShape.pathCount(index: index, size: head.size))
  }

  public func write(into writer: inout ByteWriter) {
    head.write(into: &writer)
    writer.varint(index)
    writer.counted16(entry.preimage)
    writer.digests(path)
  }
}

/// `record`: any statement of the author's about bytes that stay outside the log.
///
/// ```
/// 0  1   form: 0 salted, 1 plain
/// 1  32  salted: SHA-256("tally/words/1" ‖ salt 32 ‖ bytes); plain: SHA-256(bytes)
/// ```
public struct RecordBody: Hashable, Sendable, WireValue {
  @frozen
  public enum Form: UInt8, Hashable, Sendable {
    case salted = 0
    case plain = 1
  }

  public let form: Form
  public let digest: Digest

  public init(form: Form, digest: Digest) {
    self.form = form
    self.digest = digest
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    let number = try reader.u8()
    guard let form = Form(rawValue: number) else { throw .unknown(field: "record form", value: Int(number)) }
    self.form = form
    digest = try reader.named()
  }

  public func write(into writer: inout ByteWriter) {
    writer.u8(form.rawValue)
    writer.named(digest)
  }
}
