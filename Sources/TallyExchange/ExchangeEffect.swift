// Owns: what the exchange asks of the node. Siblings never call each other; the node routes.
import TallyBase
import TallyLog
import TallyWire
import TallyWork

public enum ExchangeEffect: Sendable {
  /// A message for a peer's link.
  case send(to: PublicKey, [UInt8])
  /// Write an entry into the own feed. The node calls `onAppended(tag:_:)` at once with its place.
  case append(AppendTag, kind: EntryKind, links: [EntryLink], body: [UInt8])
  /// Goes into the commit of this turn, together with the entries of this turn.
  case store(StoreOperation)
  case event(JobEvent)
  /// The worker process asked for work; here it is.
  case give(WorkerTask)
  /// The worker process must stop this task.
  case stopTask(TaskID, attempt: UInt16)
  case storeLeaf(BlobReference, leaf: UInt32, path: [Digest], bytes: [UInt8], from: PublicKey)
  case serveLeaf(ContentID, leaf: UInt32, to: PublicKey)
  case checkFile(BlobReference)
  /// A leaf that a local reader waited for is stored, or cannot be had.
  case leafReady(ContentID, leaf: UInt32, BlobReference?)
  /// A peer broke the rules: counted, and shown.
  case fault(PublicKey, ExchangeFault)
}

/// Why an entry was written; comes back with its place.
public enum AppendTag: Hashable, Sendable {
  case post(UInt64)
  case grant(TaskID)
  case claim(TaskID)
  case fail(TaskID)
  case accept(TaskID)
  case refuse(TaskID)
  case cancel(EntryID)
}

/// What a peer did wrong in its dealings.
public enum ExchangeFault: Hashable, Sendable {
  case malformed(DecodeError)
  case unexpected(MessageType)
  case workDoesNotMatch
  case saltDoesNotMatch
  case manifestDoesNotMatch
  case fileDoesNotMatch
  case leafDoesNotMatch
  case aboveLimit(MessageType)
}
