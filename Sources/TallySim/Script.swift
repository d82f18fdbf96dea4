// Owns: how far a scenario is. Refuses to know: what it does.
import TallyBase
import TallyLog
import TallyWire

struct Script {
  static let lookPeriod: Int64 = 250_000
  /// After convergence, before the quiet time is measured: last acknowledgements, second clocks.
  static let settleTime: Int64 = 15_000_000
  static let quietTime: Int64 = 30_000_000

  var nextLook: Int64 = Script.lookPeriod
  var quietFrom: Int64 = 0
  var quietUntil: Int64?
  var bytesBefore: UInt64 = 0

  // What was asked of hosts.
  /// Records that were ordered and not yet answered well.
  var openRecords: Set<Int> = []
  var openJobs: Set<Int> = []
  var records: [RecordOrder] = []
  var jobs: [JobOrder] = []
  /// Faults that are still to come.
  var faultsLeft = 0

  struct RecordOrder {
    let host: Int
    let words: [UInt8]
    let isPublic: Bool
    let waitReleased: Bool
    /// Nobody waits for its answer: a host that found a copy of itself does not sign.
    let isOptional: Bool
    var tries = 0
  }

  struct JobOrder {
    let host: Int
    let words: [UInt8]
    var post: EntryID?
    var tries = 0
  }
}
