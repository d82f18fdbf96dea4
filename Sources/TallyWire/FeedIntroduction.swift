// Owns: whose feed it is and why it is carried, as told with entry 0.
import TallyBase

/// Why a host carries a feed.
@frozen
public enum CarryReason: UInt8, Hashable, Sendable {
  case own = 0
  /// The author is or was a member here.
  case member = 1
  /// An entry of an admitted feed names the author.
  case named = 2
}

/// Whose feed it is, told with entry 0. The feed ID is derived from it, so it needs no signature of its own.
///
/// ```
/// 0   32  author
/// 32  8   incarnation
/// 40  1   reason: 0 own, 1 member, 2 named
/// ```
@frozen
public struct FeedIntroduction: Hashable, Sendable, WireValue {
  public let author: PublicKey
  public let incarnation: UInt64
  /// The sender's. A hint: the receiver decides by its own members and entries whether it carries the feed.
  public let reason: CarryReason

  public init(author: PublicKey, incarnation: UInt64, reason: CarryReason) {
    self.author = author
    self.incarnation = incarnation
    self.reason = reason
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    author = try reader.named()
    incarnation = try reader.u64()
    let number = try reader.u8()
    guard let reason = CarryReason(rawValue: number) else {
      throw .unknown(field: "carry reason", value: Int(number))
    }
    self.reason = reason
  }

  public func write(into writer: inout ByteWriter) {
    writer.named(author)
    writer.u64(incarnation)
    writer.u8(reason.rawValue)
  }
}
