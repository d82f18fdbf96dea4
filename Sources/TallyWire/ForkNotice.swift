// Owns: the layout of FORK_PROOF (0x37).
import TallyBase

/// FORK_PROOF: the proof and whose feed it is, so that a host that never carried the feed can check it.
///
/// `author 32 · incarnation u64 · proof`.
public struct ForkNotice: Hashable, Sendable, WireValue {
  public let author: PublicKey
  public let incarnation: UInt64
  public let proof: ForkProof

  public init(author: PublicKey, incarnation: UInt64, proof: ForkProof) {
    self.author = author
    self.incarnation = incarnation
    self.proof = proof
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    author = try reader.named()
    incarnation = try reader.u64()
    proof = try ForkProof(reading: &reader)
  }

  public func write(into writer: inout ByteWriter) {
    writer.named(author)
    writer.u64(incarnation)
    proof.write(into: &writer)
  }
}
