// Owns: what an operator or a worker process can order. The admin module's method table maps names to these.
import TallyBase
import TallyExchange
import TallyGossip
import TallyLog
import TallyWire

public enum Command: Sendable {
  /// Write a record about `words`: the log gets a hash (salted unless `isPublic`), the words stay in the store.
  /// Answered when it is durable, or only when it may be known to others.
  case record(words: [UInt8], isPublic: Bool, waitReleased: Bool)
  case postJob(JobRequest)
  case cancelJob(EntryID)
  /// A person's decision about a held task.
  case decide(TaskID, accept: Bool)
  case ping(PublicKey)
  case lookup(NodeID)
  case addSeeds([Seed])
  case setPolicy(LendPolicy)
  case setAttributes(Attributes)
  case leave
  /// After a clone was found: never extend the old feed again.
  case beginIncarnation

  // The worker process.
  case workerHello(WorkerFacts)
  /// Answered with the next task, whenever there is one.
  case workerNext
  case workerBeat(TaskID, attempt: UInt16, stage: BeatMessage.Stage, cpuMs: UInt64)
  case workerOutput(TaskID, attempt: UInt16, stream: UInt8, offset: UInt64, bytes: [UInt8])
  case workerResult(WorkerResult)
  case workerGone
  /// Bring a leaf that a task needs; answered when it is stored here, or cannot be had.
  case fetchLeaf(ContentID, leaf: UInt32, for: TaskID)
}

public enum Reply: Sendable {
  case done
  /// Where a record stands; `released` tells whether others may know it already.
  case recorded(OwnRef, released: Bool)
  case posted(EntryID, OwnRef)
  case pong(roundTrip: Interval, observed: Endpoint)
  case found([NodeRecord], asked: Int)
  case task(WorkerTask)
  /// The worker process goes on (`true`), or stops this task (`false`).
  case goOn(Bool)
  case leafStored(BlobReference)
  case failed(CommandFault)
}

/// Why an order was not carried out: what, why, and what to do about it.
public struct CommandFault: Error, Hashable, Sendable {
  public enum Code: String, Hashable, Sendable, CaseIterable {
    case notFound = "not_found"
    case unreachable
    case timeout
    case conflict
    case limit
    case signingOff = "signing_off"
    case storeFull = "store_full"
    case refused
  }
  public let code: Code
  public let message: String
  public let fix: String

  public init(_ code: Code, _ message: String, fix: String) {
    self.code = code
    self.message = message
    self.fix = fix
  }
}

/// News for whoever subscribed. Nothing waits for a subscriber.
public enum NodeEvent: Sendable {
  case job(JobEvent)
  case member(PublicKey, MemberChange)
  case ledger(LedgerEvent)
  case entry(feed: FeedID, author: PublicKey, index: UInt64, kind: EntryKind, id: EntryID)
  case refused(from: Endpoint, reason: String)
  case fault(PublicKey, reason: String)
  /// The worker process must stop this task now.
  case stopTask(TaskID, attempt: UInt16)
  /// The own feed grew for others to see.
  case released(feed: FeedID, through: UInt64)
}

public enum MemberChange: Hashable, Sendable {
  case up, changed, left, unreachable, reachable, admitted
}
