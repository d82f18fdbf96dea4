// Owns: the 32-byte values that name everything in Tally (keys, hashes, hosts, feeds), each a type of its own.
// Refuses to know: what any of them means, and how they are made.

/// 32 bytes kept as four big-endian words, so that comparing words compares bytes and the leading zero
/// bits of an XOR are Kademlia's distance rank.
@frozen
public struct Bytes32: Hashable, Sendable, BitwiseCopyable {
  public var word0: UInt64
  public var word1: UInt64
  public var word2: UInt64
  public var word3: UInt64

  @inlinable
  public init(word0: UInt64, word1: UInt64, word2: UInt64, word3: UInt64) {
    self.word0 = word0
    self.word1 = word1
    self.word2 = word2
    self.word3 = word3
  }

  public static let zero = Bytes32(word0: 0, word1: 0, word2: 0, word3: 0)
  public static let byteCount = 32

  /// Takes exactly 32 bytes; nil for any other count.
  @inlinable
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == 32 else { return nil }
    var words: [4 of UInt64] = [0, 0, 0, 0]
    var position = 0
    for byte in bytes {
      words[position >> 3] = words[position >> 3] << 8 | UInt64(byte)
      position += 1
    }
    self.init(word0: words[0], word1: words[1], word2: words[2], word3: words[3])
  }

  /// The 32 bytes in order. Allocates.
  @inlinable
  public var bytes: [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(32)
    append(to: &result)
    return result
  }

  @inlinable
  public func append(to bytes: inout [UInt8]) {
    Self.append(word0, to: &bytes)
    Self.append(word1, to: &bytes)
    Self.append(word2, to: &bytes)
    Self.append(word3, to: &bytes)
  }

  @inlinable
  static func append(_ word: UInt64, to bytes: inout [UInt8]) {
    var shift = 56
    while shift >= 0 {
      bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      shift -= 8
    }
  }

  /// XOR, the metric of Kademlia (Maymounkov and Mazières 2002, section 2.1).
  @inlinable
  public func distance(to other: Bytes32) -> Bytes32 {
    Bytes32(
      word0: word0 ^ other.word0, word1: word1 ^ other.word1,
      word2: word2 ^ other.word2, word3: word3 ^ other.word3)
  }

  /// Zero bits before the first one, 0 to 256.
  @inlinable
  public var leadingZeroBitCount: Int {
    if word0 != 0 { return word0.leadingZeroBitCount }
    if word1 != 0 { return 64 + word1.leadingZeroBitCount }
    if word2 != 0 { return 128 + word2.leadingZeroBitCount }
    return 192 + word3.leadingZeroBitCount
  }
}

extension Bytes32: Comparable {
  /// Byte order.
  @inlinable
  public static func < (left: Bytes32, right: Bytes32) -> Bool {
    if left.word0 != right.word0 { return left.word0 < right.word0 }
    if left.word1 != right.word1 { return left.word1 < right.word1 }
    if left.word2 != right.word2 { return left.word2 < right.word2 }
    return left.word3 < right.word3
  }
}

/// A 32-byte value with a meaning. Conforming types differ only in name, so that none is passed for another.
public protocol Named32: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
  var raw: Bytes32 { get }
  init(raw: Bytes32)
}

extension Named32 {
  @inlinable public static func < (left: Self, right: Self) -> Bool { left.raw < right.raw }
  @inlinable public var bytes: [UInt8] { raw.bytes }
  @inlinable public static var zero: Self { Self(raw: .zero) }

  /// Takes exactly 32 bytes; nil for any other count.
  @inlinable
  public init?(_ bytes: some Collection<UInt8>) {
    guard let raw = Bytes32(bytes) else { return nil }
    self.init(raw: raw)
  }

  /// Takes exactly 64 lower-case hexadecimal digits; nil for anything else.
  public init?(hex: some StringProtocol) {
    guard let bytes = Hex.decode(hex), let raw = Bytes32(bytes) else { return nil }
    self.init(raw: raw)
  }

  /// 64 lower-case hexadecimal digits.
  public var hex: String { Hex.encode(raw.bytes) }
  public var description: String { hex }
}

/// An Ed25519 public key (RFC 8032): the identity of a host.
@frozen public struct PublicKey: Named32 {
  public let raw: Bytes32
  @inlinable public init(raw: Bytes32) { self.raw = raw }
}

/// A SHA-256 or BLAKE2b-256 value, as the place that uses it says.
@frozen public struct Digest: Named32 {
  public let raw: Bytes32
  @inlinable public init(raw: Bytes32) { self.raw = raw }
}

/// Names a mesh: BLAKE2b-256("tally/mesh/1" ‖ len(name) u8 ‖ name ‖ nonce 16).
@frozen public struct MeshID: Named32 {
  public let raw: Bytes32
  @inlinable public init(raw: Bytes32) { self.raw = raw }
}

/// A host's place in the XOR space of one mesh: BLAKE2b-256("tally/id/1" ‖ meshID ‖ publicKey).
@frozen public struct NodeID: Named32 {
  public let raw: Bytes32
  @inlinable public init(raw: Bytes32) { self.raw = raw }
}

/// Names a feed: BLAKE2b-256("tally/feed/1" ‖ meshID ‖ author ‖ incarnation 8).
@frozen public struct FeedID: Named32 {
  public let raw: Bytes32
  @inlinable public init(raw: Bytes32) { self.raw = raw }
}

/// Names an entry: BLAKE2b-256("tally/entry/1" ‖ feedID ‖ index u64 ‖ leaf hash).
@frozen public struct EntryID: Named32 {
  public let raw: Bytes32
  @inlinable public init(raw: Bytes32) { self.raw = raw }
}

/// Names content: the RFC 6962 root (SHA-256) over its 64 KiB leaves.
@frozen public struct ContentID: Named32 {
  public let raw: Bytes32
  @inlinable public init(raw: Bytes32) { self.raw = raw }
}

/// An Ed25519 signature: R in the first half, S in the second.
@frozen
public struct Signature: Hashable, Sendable, BitwiseCopyable {
  public let first: Bytes32
  public let second: Bytes32
  public static let byteCount = 64

  @inlinable
  public init(first: Bytes32, second: Bytes32) {
    self.first = first
    self.second = second
  }

  /// Takes exactly 64 bytes; nil for any other count.
  @inlinable
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == 64, let first = Bytes32(bytes.prefix(32)), let second = Bytes32(bytes.dropFirst(32)) else {
      return nil
    }
    self.init(first: first, second: second)
  }

  @inlinable
  public var bytes: [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(64)
    first.append(to: &result)
    second.append(to: &result)
    return result
  }
}
