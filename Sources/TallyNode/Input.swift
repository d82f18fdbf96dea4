// Owns: everything that can happen to a node. There is no other way in.
import TallyBase
import TallyExchange
import TallyLog
import TallySession
import TallyWire

/// Names a question that came over the admin socket; its answer carries it back.
public struct RequestID: Hashable, Comparable, Sendable {
  public let number: UInt64
  public init(number: UInt64) { self.number = number }
  public static func < (left: RequestID, right: RequestID) -> Bool { left.number < right.number }
}

public enum Input: Sendable {
  // At the start: everything stored, feed by feed, before anything else.
  case replay(feed: FeedID, from: UInt64, entries: [Entry])
  /// The last of the history has been replayed; the node begins to act.
  case start

  // Network. The shell knows descriptors, the node knows links.
  case datagram(from: Endpoint, bytes: [UInt8])
  /// A link that a peer opened. The shell numbers it with an odd number; the node numbers its own with even ones.
  case linkAccepted(LinkID, remote: Endpoint)
  /// A link that this node asked for with `.dial` stands.
  case linkOpened(LinkID, remote: Endpoint)
  case linkBytes(LinkID, [UInt8])
  /// The link's outgoing queue is above its mark (`true`) or has drained (`false`).
  case linkCongested(LinkID, Bool)
  case linkClosed(LinkID)
  /// The addresses under which this host listens, as far as it can tell itself.
  case listening([Endpoint])

  // Slow work that came back.
  case persisted(through: UInt64)
  case persistFailed(from: UInt64, StoreFault)
  case checked(id: UInt64, RangeVerdict)
  case readDone(ReadResult)

  // Blobs: the node sees that they moved, never what they hold.
  /// A leaf arrived and fits its blob; `size` is the blob's.
  case blobStored(BlobReference, leaf: UInt32)
  /// A leaf did not fit, or could not be stored.
  case blobRefused(ContentID, leaf: UInt32, from: PublicKey)
  /// What `.serveLeaf` asked for; nil when it is not held.
  case leafRead(ContentID, leaf: UInt32, for: PublicKey, LeafContent?)
  /// What `.checkFile` asked for; nil when the blob is not complete.
  case fileChecked(ContentID, sha256: Digest?)

  case command(Command, RequestID)
  /// The asker is gone; its waiting questions need no answer.
  case requestGone(RequestID)
  /// `nextDeadline` has come.
  case wake
  /// The process is about to end: peers are told, so that they need not find out.
  case stop
}

/// One leaf with the path that proves it, on its way through the session layer.
public struct LeafContent: Hashable, Sendable {
  public let blob: BlobReference
  public let path: [Digest]
  public let bytes: [UInt8]

  public init(blob: BlobReference, path: [Digest], bytes: [UInt8]) {
    self.blob = blob
    self.path = path
    self.bytes = bytes
  }
}
