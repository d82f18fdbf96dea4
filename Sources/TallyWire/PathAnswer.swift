// Owns: the layout of PATH (0x36). Refuses to know: where the path leads.
import TallyBase

/// PATH: the answer. The count of hashes follows from index and size.
///
/// `feed 32 · index varint · size varint · leaf 32 · path 32 each`.
public struct PathAnswer: Hashable, Sendable, WireValue {
  public let question: GetPath
  public let leaf: Digest
  public let path: [Digest]

  /// A path of the wrong length is our own mistake.
  public init(_ question: GetPath, leaf: Digest, path: [Digest]) {
    precondition(path.count == MerkleShape.pathCount(index: question.index, size: question.size), "a path's length")
    self.question = question
    self.leaf = leaf
    self.path = path
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    question = try GetPath(reading: &reader)
    leaf = try reader.named()
    path = try reader.digests(MerkleShape.pathCount(index: question.index, size: question.size))
  }

  public func write(into writer: inout ByteWriter) {
    question.write(into: &writer)
    writer.named(leaf)
    writer.digests(path)
  }
}
