// Owns: the ways in which a blob cannot be stored or given.
import TallyBase
import TallyLog
import TallyWire

public enum BlobFault: Error, Hashable, Sendable {
  /// Not held, not being fetched, or no such upload.
  case unknown
  /// There is no such leaf in a blob of this size; or an upload goes on behind its short last leaf.
  case outOfRange(leaf: UInt64)
  /// A leaf that is neither 64 KiB nor the blob's shorter last one.
  case wrongLength(leaf: UInt64, bytes: Int)
  /// The leaf does not lead to the content ID by this path: the sender's fault.
  case notThisLeaf(leaf: UInt64)
  /// The same content ID is being fetched with another size; one of the two namings is wrong.
  case otherSize(known: UInt64)
  /// Larger than this host keeps: more leaves than `BlobStoreLimits.leaves`, or more than it may read at once.
  case tooLarge(bytes: UInt64, limit: UInt64)
  /// More uploads, fetches or blobs than the named limit.
  case tooMany(limit: Int)
  /// Everything that is not pinned has been evicted and there is still no room.
  case quota(needed: UInt64, limit: UInt64)
  /// What is on disk is not what was put there; the blob has been dropped and may be fetched again.
  case damaged(leaf: UInt64)
  case store(StoreFault)
}

extension BlobFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknown: "no such blob here"
    case .outOfRange(let leaf): "the blob has no leaf \(leaf)"
    case .wrongLength(let leaf, let bytes): "leaf \(leaf) cannot have \(bytes) bytes"
    case .notThisLeaf(let leaf): "the bytes of leaf \(leaf) do not lead to the blob's name"
    case .otherSize(let known): "the blob is being fetched as \(known) bytes long"
    case .tooLarge(let bytes, let limit): "\(bytes) bytes are more than the limit of \(limit)"
    case .tooMany(let limit): "more than \(limit) at one time"
    case .quota(let needed, let limit): "\(needed) bytes do not fit: the quota is \(limit) and the rest is pinned"
    case .damaged(let leaf): "leaf \(leaf) is damaged on disk; the blob was dropped"
    case .store(.full(let detail)): "no space: \(detail)"
    case .store(.broken(let detail)): detail
    }
  }
}

/// How far a blob has come.
public enum BlobStatus: Hashable, Sendable {
  /// Every leaf is here and synced.
  case whole(size: UInt64)
  /// `held` of `count` leaves are here; they survive a restart, each checked again.
  case partial(size: UInt64, held: UInt64, count: UInt64)
}

/// One leaf with what proves it.
public struct BlobLeaf: Hashable, Sendable {
  public let reference: BlobReference
  public let index: UInt64
  public let bytes: [UInt8]
  public let path: [Digest]
}

/// Names an upload in this process.
public struct StagingID: Hashable, Comparable, Sendable {
  public let number: UInt64
  public init(number: UInt64) { self.number = number }
  public static func < (left: StagingID, right: StagingID) -> Bool { left.number < right.number }
}
