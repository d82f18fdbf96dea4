// Owns: what comes back to the loop from the other threads. Values only; nothing is shared.
import TallyBase
import TallyLog
import TallyNet
import TallyNode
import TallyStore
import TallyWire

/// Names the answer's place on the admin socket: the connection, and the call within it.
struct AdminTag: Hashable, Sendable {
  let connection: NetToken
  let call: UInt64
}

enum ThreadResult: Sendable {
  case persisted(through: UInt64)
  case persistFailed(from: UInt64, StoreFault)
  case checked(id: UInt64, RangeVerdict)
  case read(ReadResult)
  case adminRead(AdminTag, Result<AdminReadAnswer, ReadFailure>)
  case blobStored(BlobReference, leaf: UInt32)
  case blobRefused(ContentID, leaf: UInt32, from: PublicKey)
  case leafRead(ContentID, leaf: UInt32, for: PublicKey, LeafContent?)
  case fileChecked(ContentID, Digest?)
  case blobAnswer(AdminTag, Result<BlobAnswer, BlobFault>)
}

/// History for the admin socket, read by the store's reader.
enum AdminRead: Sendable {
  case entries(feed: FeedID, from: UInt64, to: UInt64)
  case proof(feed: FeedID, index: UInt64, size: UInt64)
}

enum AdminReadAnswer: Sendable {
  case entries(from: UInt64, [Entry])
  case proof(Entry, head: Head, path: [Digest])
}

enum ReadFailure: Error, Sendable {
  case absent
  case failed(StoreFault)
}

/// Work for the blob thread.
enum BlobJob: Sendable {
  case arrive(LeafContent, leaf: UInt32, from: PublicKey)
  case serve(ContentID, leaf: UInt32, to: PublicKey)
  case check(BlobReference)
  case begin(AdminTag)
  case put(AdminTag, StagingID, [UInt8])
  case finish(AdminTag, StagingID)
  case get(AdminTag, ContentID, leaf: UInt32)
  case stat(AdminTag, ContentID)
  /// The connection that opened these is gone.
  case abandon([StagingID])
}

enum BlobAnswer: Sendable {
  case staging(StagingID)
  case done
  case reference(BlobReference)
  case leaf(BlobReference, leaf: UInt32, [UInt8])
  case status(ContentID, BlobStatus?)
}
