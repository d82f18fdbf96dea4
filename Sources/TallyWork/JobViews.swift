// Owns: what the fold answers about jobs: values with words, ready to be shown. Refuses to know: how they are derived.

import TallyBase
import TallyWire

/// How far a task is. The first that fits, in this order. A pure function of the entries; nothing expires.
public enum TaskState: UInt8, Hashable, Sendable, CaseIterable {
  case accepted = 0
  case claimed = 1
  case cancelled = 2
  case leased = 3
  case failed = 4
  case posted = 5
  /// The post names rules that this version does not know.
  case unknownRules = 6

  public var word: String {
    switch self {
    case .accepted: "accepted"
    case .claimed: "claimed"
    case .cancelled: "cancelled"
    case .leased: "leased"
    case .failed: "failed"
    case .posted: "posted"
    case .unknownRules: "unknown rules"
    }
  }
}

/// Whose move it is.
public enum NextMove: Hashable, Sendable {
  case nobody
  case requester(PublicKey)
  /// Sorted, distinct: the holders of open leases.
  case workers([PublicKey])
}

/// Evidence counts keys, in words, the same for all. `agreed`, `audited` and `contested` are reserved: nothing derives
/// them yet.
public enum Evidence: UInt8, Hashable, Sendable, CaseIterable {
  case claimed = 1
  case accepted = 2
  case agreed = 3
  case audited = 4
  case contested = 5

  public var word: String {
    switch self {
    case .claimed: "claimed"
    case .accepted: "accepted"
    case .agreed: "agreed"
    case .audited: "audited"
    case .contested: "contested"
    }
  }
}

/// How many tasks of a job are in which state. They sum to the post's tasks.
public struct TaskCounts: Hashable, Sendable {
  public var accepted: UInt32 = 0
  public var claimed: UInt32 = 0
  public var leased: UInt32 = 0
  public var failed: UInt32 = 0
  public var posted: UInt32 = 0
  public init() {}
}

/// One line of `tally jobs`.
public struct JobSummary: Hashable, Sendable {
  public let id: EntryID
  public let link: EntryLink
  public let requester: PublicKey
  /// The requester's clock: shown, never trusted.
  public let timeMs: Int64
  public let rules: UInt8
  /// nil when the rules are unknown.
  public let terms: Terms?
  public let work: WorkReference?
  public let state: TaskState
  public let isCancelled: Bool
  public let counts: TaskCounts
  public let nextMove: NextMove

  /// The state in words; `name` turns a key into what the reader calls it.
  public func words(name: (PublicKey) -> String) -> String {
    if state == .unknownRules { return "rules \(rules), newer than I know" }
    if let terms, terms.tasks > 1 {
      var parts: [String] = []
      let groups = [
        (counts.accepted, "accepted"), (counts.claimed, "claimed"), (counts.leased, "leased"),
        (counts.failed, "failed"), (counts.posted, "posted"),
      ]
      for (count, word) in groups where count > 0 { parts.append("\(count) \(word)") }
      return parts.joined(separator: ", ") + " of \(terms.tasks)" + (isCancelled ? ", cancelled" : "")
    }
    if state == .leased, case .workers(let keys) = nextMove {
      return "leased to " + keys.map(name).joined(separator: ", ")
    }
    return state.word
  }
}

/// One lease with what became of it.
public struct LeaseView: Hashable, Sendable {
  public let id: EntryID
  public let link: EntryLink
  public let timeMs: Int64
  public let body: LeaseGrantBody
  /// No claim and no failure yet.
  public let isOpen: Bool
}

/// One claim with what became of it.
public struct ClaimView: Hashable, Sendable {
  public let id: EntryID
  public let link: EntryLink
  public let task: TaskID
  public let worker: PublicKey
  public let attempt: UInt16
  public let timeMs: Int64
  public let body: WorkClaimBody
  public let evidence: Evidence
  /// The largest amount of any counted acceptance of this claim; 0 when there is none.
  public let amount: UInt64
  public let isRefused: Bool
  public let grant: EntryID
}

/// One failure.
public struct FailView: Hashable, Sendable {
  public let id: EntryID
  public let link: EntryLink
  public let worker: PublicKey
  public let attempt: UInt16
  public let timeMs: Int64
  public let body: WorkFailBody
  public let grant: EntryID
}

/// One task of a job. Lists are in the order (feed, index), the same on every host.
public struct TaskView: Hashable, Sendable {
  public let index: UInt32
  public let state: TaskState
  public let leases: [LeaseView]
  public let claims: [ClaimView]
  public let fails: [FailView]
  /// Holders of open leases, sorted.
  public let waitingFor: [PublicKey]
}

/// One line of a job's timeline.
public struct TimelineEvent: Hashable, Sendable {
  public enum What: Hashable, Sendable {
    case posted
    case cancelled(JobCancelBody.Reason)
    case leased(LeaseGrantBody)
    case claimed(WorkClaimBody)
    case failed(WorkFailBody)
    case accepted(amount: UInt64, claim: EntryID)
    case refused(RefuseBody.Reason, claim: EntryID)
  }
  public let id: EntryID
  /// Where the entry stands.
  public let link: EntryLink
  public let author: PublicKey
  /// The author's clock: shown, never trusted.
  public let timeMs: Int64
  /// nil for what concerns the whole job.
  public let taskIndex: UInt32?
  public let what: What
}

/// Everything about a job. `timeline` is sorted by shown time, then by entry ID.
public struct JobDetail: Hashable, Sendable {
  public let summary: JobSummary
  /// Tasks with at least one lease, ascending; the others are merely posted.
  public let tasks: [TaskView]
  public let timeline: [TimelineEvent]
}

/// What one key owes another, in one unit.
public struct Balance: Hashable, Sendable {
  public let debtor: PublicKey
  public let creditor: PublicKey
  public let unit: UnitName
  /// More than 0; shown sums saturate at 2^53 - 1, which JSON holds exactly.
  public let amount: UInt64

  public init(debtor: PublicKey, creditor: PublicKey, unit: UnitName, amount: UInt64) {
    self.debtor = debtor
    self.creditor = creditor
    self.unit = unit
    self.amount = amount
  }
}

/// One `record` entry.
public struct RecordView: Hashable, Sendable {
  public let id: EntryID
  public let link: EntryLink
  public let author: PublicKey
  /// The author's clock: shown, never trusted.
  public let timeMs: Int64
  /// The entry's body: at most `FoldLimits.recordBodyBytes`, else empty (read it from the store).
  public let body: [UInt8]
  public let bodyCount: Int
}

/// How much the fold holds.
public struct FoldCounts: Hashable, Sendable {
  public var jobs = 0
  public var grants = 0
  public var claims = 0
  public var fails = 0
  public var accepts = 0
  public var records = 0
  /// Entries (or items of an acceptance) whose link target is not here, or does not count.
  public var waiting = 0
  public init() {}
}
