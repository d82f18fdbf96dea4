// Owns: how meshes, hosts, feeds and entries get their names. DESIGN sections 4 and 9.
// Refuses to know: who uses them. Every derivation begins with a tag of its own, so no value is two things.

import TallyBase

public enum Names {
  /// `[a-z0-9][a-z0-9.-]{0,62}`.
  public static func isMeshName(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    guard (1...63).contains(bytes.count), let first = bytes.first, isAlphanumeric(first) else { return false }
    return bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x2e || $0 == 0x2d }
  }

  /// BLAKE2b-256("tally/mesh/1" ‖ len(name) u8 ‖ name ‖ nonce). `nonce` is 16 bytes; another count, or a name that
  /// is not a mesh name, traps.
  public static func meshID(name: String, nonce: [UInt8]) -> MeshID {
    precondition(isMeshName(name), "not a mesh name: \(name)")
    precondition(nonce.count == 16, "a mesh nonce of \(nonce.count) bytes")
    let text = Array(name.utf8)
    return MeshID(raw: Blake2b.hash256(tag: "tally/mesh/1", [[UInt8(text.count)], text, nonce]))
  }

  /// BLAKE2b-256("tally/id/1" ‖ meshID ‖ publicKey).
  public static func nodeID(mesh: MeshID, key: PublicKey) -> NodeID {
    NodeID(raw: Blake2b.hash256(tag: "tally/id/1", [mesh.bytes, key.bytes]))
  }

  /// How much work a key shows for its place in an open mesh: leading zero bits of
  /// BLAKE2b-256("tally/pow/1" ‖ nodeID). Open meshes ask for 16 (S/Kademlia's static puzzle).
  public static func puzzleBits(_ node: NodeID) -> Int {
    Blake2b.hash256(tag: "tally/pow/1", [node.bytes]).leadingZeroBitCount
  }

  /// BLAKE2b-256("tally/feed/1" ‖ meshID ‖ author ‖ incarnation u64 little-endian).
  public static func feedID(mesh: MeshID, author: PublicKey, incarnation: UInt64) -> FeedID {
    FeedID(raw: Blake2b.hash256(tag: "tally/feed/1", [mesh.bytes, author.bytes, little(incarnation)]))
  }

  /// BLAKE2b-256("tally/entry/1" ‖ feedID ‖ index u64 little-endian ‖ leaf hash).
  public static func entryID(feed: FeedID, index: UInt64, leaf: Digest) -> EntryID {
    EntryID(raw: Blake2b.hash256(tag: "tally/entry/1", [feed.bytes, little(index), leaf.bytes]))
  }

  private static func little(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte)
  }
}
