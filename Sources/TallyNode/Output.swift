// Owns: everything a node can ask of the world. There is no other way out.
import TallyBase
import TallyExchange
import TallyLog
import TallySession
import TallyWire

public enum Output: Sendable {
  // Network.
  case transmit(to: Endpoint, bytes: [UInt8])
  case dial(LinkID, Endpoint)
  case write(LinkID, [UInt8])
  case close(LinkID)

  // Slow work. Each is answered by exactly one input.
  case persist(Commit)
  case check(id: UInt64, RangeCheck)
  case read(ReadRequest)

  // Blobs.
  /// A leaf of a blob that somebody here waits for came in two parts from `from`: check it against `blob`, store it.
  case storeLeaf(LeafContent, leaf: UInt32, from: PublicKey)
  /// Read a leaf for a peer that may have it.
  case serveLeaf(ContentID, leaf: UInt32, to: PublicKey)
  /// Compute the SHA-256 of a complete blob (all its bytes, not the tree): does the file fit its manifest?
  case checkFile(BlobReference)

  // Admin.
  case reply(RequestID, Reply)
  case event(NodeEvent)
}

/// A queue of outputs in the order in which they were decided.
public struct Outbox: Sendable {
  public private(set) var outputs: [Output] = []

  public init() { outputs.reserveCapacity(64) }

  public mutating func append(_ output: Output) { outputs.append(output) }

  /// Takes everything and leaves the outbox empty, with its room kept.
  public mutating func drain(_ body: (Output) -> Void) {
    let batch = outputs
    outputs.removeAll(keepingCapacity: true)
    for output in batch { body(output) }
  }

  public var isEmpty: Bool { outputs.isEmpty }
}
