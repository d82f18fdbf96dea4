// Owns: the name of one task.
import TallyBase

/// One task of one job: the entry that posted it, and its index in the job.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 32 | entry ID of `job.post` |
/// | 32 | 4 | index u32 |
@frozen
public struct TaskID: Hashable, Comparable, Sendable {
  public let post: EntryID
  public let index: UInt32

  public init(post: EntryID, index: UInt32) {
    self.post = post
    self.index = index
  }

  public static func < (left: TaskID, right: TaskID) -> Bool { (left.post, left.index) < (right.post, right.index) }

  public init(from reader: inout ByteReader) throws(DecodeError) {
    post = try reader.named()
    index = try reader.u32()
  }

  public func write(to writer: inout ByteWriter) {
    writer.named(post)
    writer.u32(index)
  }

  /// 36 bytes: the key of this task in the store's small tables.
  public var bytes: [UInt8] {
    var writer = ByteWriter(capacity: 36)
    write(to: &writer)
    return writer.bytes
  }
}
