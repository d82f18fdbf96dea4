// Owns: what happened to a job, one line an entry. Sorted by shown time, then by entry ID: the same on every host.

import TallyBase
import TallyWire

extension Fold {
  func timeline(_ number: Int32) -> [TimelineEvent] {
    let job = jobs[Int(number)]
    var events = [event(job.statement, task: nil, .posted)]
    for cancel in job.cancels {
      if case .cancel(let body) = statements[Int(cancel)].what {
        events.append(event(cancel, task: nil, .cancelled(body.reason)))
      }
    }
    for index in job.touched {
      guard let cell = cells[TaskKey(job: number, index: index)] else { continue }
      for entry in cell.grants + cell.claims + cell.fails {
        switch statements[Int(entry)].what {
        case .grant(let body): events.append(event(entry, task: index, .leased(body)))
        case .claim(let body): events.append(event(entry, task: index, .claimed(body)))
        case .fail(let body): events.append(event(entry, task: index, .failed(body)))
        default: preconditionFailure("statement \(entry) of a task is neither lease, claim nor failure")
        }
      }
    }
    for decision in job.decisions {
      let task = taskKey(ofClaim: decision.claim)?.index
      let claim = id(decision.claim)
      switch statements[Int(decision.statement)].what {
      case .refuse(let body): events.append(event(decision.statement, task: task, .refused(body.reason, claim: claim)))
      default:
        events.append(event(decision.statement, task: task, .accepted(amount: decision.amount, claim: claim)))
      }
    }
    return events.sorted { Self.sortKey($0) < Self.sortKey($1) }
  }

  private func event(_ number: Int32, task: UInt32?, _ what: TimelineEvent.What) -> TimelineEvent {
    let statement = statements[Int(number)]
    return TimelineEvent(
      id: id(number), link: statement.link, author: statement.author, timeMs: statement.timeMs, taskIndex: task,
      what: what)
  }

  /// An acceptance of several claims makes several events with one ID: the claim and the amount tell them apart.
  private static func sortKey(_ event: TimelineEvent) -> (Int64, EntryID, EntryID, UInt64) {
    switch event.what {
    case .accepted(let amount, let claim): (event.timeMs, event.id, claim, amount)
    case .refused(_, let claim): (event.timeMs, event.id, claim, 0)
    default: (event.timeMs, event.id, .zero, 0)
    }
  }
}
