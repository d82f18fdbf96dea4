// Owns: what a run can meet: properties of the kind "sometimes". Refuses to know: whether that is good.
import TallyExchange
import TallyLog
import TallyNode

public enum Mark: String, CaseIterable, Comparable, Sendable {
  case rollbackByGuardFile = "rollback-by-guard-file"
  case rollbackByPeers = "rollback-by-peers"
  case newIncarnation = "new-incarnation"
  case cloneFound = "clone-found"
  case forkFound = "fork-found"
  case guardSettled = "guard-settled"
  case signingOff = "signing-off"
  case signingOn = "signing-on"
  case unreachable
  case reachable
  case leased
  case secondAttempt = "second-attempt"
  case accepted
  case jobFailed = "job-failed"
  case taskStopped = "task-stopped"

  public static func < (left: Mark, right: Mark) -> Bool { left.rawValue < right.rawValue }

  init?(_ event: NodeEvent) {
    switch event {
    case .ledger(.rollbackFound(_, .guardFile)): self = .rollbackByGuardFile
    case .ledger(.rollbackFound(_, .seen)): self = .rollbackByPeers
    case .ledger(.feedBegun(_, _, let continues)) where continues != nil: self = .newIncarnation
    case .ledger(.cloneFound): self = .cloneFound
    case .ledger(.forkFound): self = .forkFound
    case .ledger(.guardSettled): self = .guardSettled
    case .ledger(.signingOff): self = .signingOff
    case .ledger(.signingOn): self = .signingOn
    case .member(_, .unreachable): self = .unreachable
    case .member(_, .reachable): self = .reachable
    case .job(.leaseTaken): self = .leased
    case .job(.stage(_, .accepted, _)): self = .accepted
    case .job(.stage(_, .failed, _)): self = .jobFailed
    case .stopTask: self = .taskStopped
    default: return nil
    }
  }
}
