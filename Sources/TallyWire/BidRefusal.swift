// Owns: the reasons for which a host does not take a task.

/// Why a host does not take a task. Numbers are for ever.
public enum BidRefusal: UInt8, Sendable, CaseIterable {
  case notLending = 1
  case notTrusted = 2
  case busy = 3
  case architecture = 4
  case cores = 5
  case memory = 6
  case disk = 7
  case sandbox = 8
  case noWorker = 9
  case blocked = 10

  /// In a person's words, for `tally why`.
  public var text: String {
    switch self {
    case .notLending: "lends nothing (tally lend on that host)"
    case .notTrusted: "does not trust this requester with native jobs (tally trust NAME on that host)"
    case .busy: "is busy"
    case .architecture: "has another processor architecture"
    case .cores: "has fewer cores than the task asks for"
    case .memory: "has less memory than the task asks for"
    case .disk: "has less disk than the task asks for"
    case .sandbox: "has no working sandbox for this kind of job"
    case .noWorker: "has no worker process running"
    case .blocked: "has blocked this requester"
    }
  }
}
