// Owns: the name and size of a blob.
import TallyBase

/// A blob and its size.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 32 | content ID |
/// | 32 | 8 | size in bytes u64, ≤ 2^40 |
@frozen
public struct BlobReference: Hashable, Sendable {
  public let id: ContentID
  public let size: UInt64

  public init(id: ContentID, size: UInt64) {
    self.id = id
    self.size = size
  }

  public init(from reader: inout ByteReader) throws(DecodeError) {
    id = try reader.named()
    size = try reader.u64()
    guard size <= BlobLimits.blobSizeMax else {
      throw .aboveLimit(field: "blob.size", value: Int(clamping: size), limit: Int(BlobLimits.blobSizeMax))
    }
  }

  public func write(to writer: inout ByteWriter) {
    writer.named(id)
    writer.u64(size)
  }
}
