// Owns: the connections to the admin and worker sockets: their sessions, what they wait for, what they subscribed to.
// Refuses to know: what methods do.
import TallyAdmin
import TallyBase
import TallyNet
import TallyNode
import TallyStore
import TallyWire

/// One client.
struct AdminConnection {
  var session: AdminSession
  let isWorkerSocket: Bool
  /// Bytes wait in the kernel's queue beyond the mark: notifications are dropped meanwhile.
  var isCongested = false
  /// The client will send nothing more; it is closed when everything is answered.
  var hasEnded = false
  var stagings: [StagingID] = []
  /// Tasks that were given to it and have not come back: they are lost with it.
  var tasks: [TaskName] = []
  /// It has said `worker.hello`: when it goes, the worker process is gone.
  var isWorker = false
}

/// What a question to the node will be answered with.
enum PendingReply {
  case plain
  case ping(host: String)
  case lookup(target: String)
  case record
  case post
  case task
  case goOn
  /// A leaf is being fetched; then it is read again and given.
  case leaf(ContentID, UInt32)
}

enum PendingRead {
  case entries(FeedID)
  case proof(FeedID, UInt64)
}

struct PendingFetch {
  let id: ContentID
  let leaf: UInt32
  let task: TaskID
}

struct AdminDesk {
  var connections: [NetToken: AdminConnection] = [:]
  private var pending: [RequestID: (tag: AdminTag, reply: PendingReply)] = [:]
  private var nextRequest: UInt64 = 1
  /// What the reader's thread was asked for, by the answer's place.
  var reads: [AdminTag: PendingRead] = [:]
  /// Leaves that a worker wants: fetched from the requester when they are not here.
  var fetches: [AdminTag: PendingFetch] = [:]

  /// Sorted, so that everybody is told in one order.
  var tokens: [NetToken] { connections.keys.sorted() }
  var isQuiet: Bool { connections.values.allSatisfy { $0.session.isIdle || $0.isWorker } }

  /// Remembers a question that goes to the node.
  mutating func ask(_ tag: AdminTag, _ reply: PendingReply) -> RequestID {
    let request = RequestID(number: nextRequest)
    nextRequest += 1
    pending[request] = (tag, reply)
    return request
  }

  mutating func answered(_ request: RequestID) -> (tag: AdminTag, reply: PendingReply)? {
    pending.removeValue(forKey: request)
  }

  /// The connection is gone; the questions it had at the node.
  mutating func close(_ token: NetToken) -> (AdminConnection, [RequestID])? {
    guard let connection = connections.removeValue(forKey: token) else { return nil }
    let requests = pending.filter { $0.value.tag.connection == token }.map(\.key).sorted()
    for request in requests { pending[request] = nil }
    reads = reads.filter { $0.key.connection != token }
    fetches = fetches.filter { $0.key.connection != token }
    return (connection, requests)
  }
}
