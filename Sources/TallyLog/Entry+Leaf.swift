// Owns: the leaf hash of an entry. RFC 6962 section 2.1 over the preimage of TallyWire/Entry+Preimage.swift.
import TallyBase
import TallyCrypto
import TallyWire

extension Entry {
  /// SHA-256(0x00 ‖ preimage). For many entries use `LeafHasher`.
  public var leafHash: Digest { SHA256Hash.leaf(preimage) }
}

/// Hashes entries one after the other in one buffer.
public struct LeafHasher: Sendable {
  private var writer = ByteWriter(capacity: 512)

  public init() {}

  public mutating func hash(_ entry: Entry) -> Digest {
    writer.bytes.removeAll(keepingCapacity: true)
    entry.write(into: &writer)
    return SHA256Hash.leaf(writer.bytes)
  }

  /// The leaf hashes of all `entries`, in order.
  public static func hashAll(_ entries: [Entry]) -> [Digest] {
    var hasher = LeafHasher()
    var leaves: [Digest] = []
    leaves.reserveCapacity(entries.count)
    for entry in entries { leaves.append(hasher.hash(entry)) }
    return leaves
  }
}
