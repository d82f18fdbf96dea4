// Owns: the fold's inner values. Refuses to know: how they change.

import TallyBase
import TallyWire

extension Fold {
  struct Place: Hashable, Comparable, Sendable {
    let feed: FeedID
    let index: UInt64
    static func < (left: Place, right: Place) -> Bool { (left.feed, left.index) < (right.feed, right.index) }
  }

  enum What: Sendable {
    indirect case post(JobPostBody)
    case cancel(JobCancelBody)
    case grant(LeaseGrantBody)
    case claim(WorkClaimBody)
    case fail(WorkFailBody)
    case accept(AcceptBody)
    case refuse(RefuseBody)
    case record(body: [UInt8], count: Int)
  }

  /// One element of the set.
  struct Statement: Sendable {
    let place: Place
    let leaf: Digest
    let author: PublicKey
    let timeMs: Int64
    let targets: [EntryLink]
    let what: What

    var link: EntryLink { EntryLink(feed: place.feed, index: place.index, leaf: leaf) }
  }

  /// A statement, or one item of an acceptance, that needs its target.
  struct Waiter: Sendable {
    let statement: Int32
    let part: UInt8
  }

  /// What is derived of one statement. Which fields mean something depends on its kind.
  struct Progress: Sendable {
    var counts = false
    /// Post, grant, claim, fail: index in `jobs`.
    var job: Int32 = -1
    /// Claim, fail: the grant's number.
    var grant: Int32 = -1
    /// Grant: a claim or a failure counts.
    var isEnded = false
    /// Claim: an acceptance, a refusal counts.
    var isAccepted = false
    var isRefused = false
    /// Claim: the largest counted amount.
    var amount: UInt64 = 0
    /// Claim: its element in the digest of the state.
    var fingerprint = Bytes32.zero
  }

  struct TaskKey: Hashable, Sendable {
    let job: Int32
    let index: UInt32
  }

  /// One task with at least one lease. Lists hold statement numbers in order of arrival and are sorted when shown.
  struct Cell: Sendable {
    var grants: [Int32] = []
    var claims: [Int32] = []
    var fails: [Int32] = []
    var openGrants = 0
    var pendingClaims = 0
    var acceptedClaims = 0
    /// As counted in the job; cancellation is applied when shown.
    var state = TaskState.posted

    var derivedState: TaskState {
      if acceptedClaims > 0 { return .accepted }
      if pendingClaims > 0 { return .claimed }
      if openGrants > 0 { return .leased }
      return grants.isEmpty ? .posted : .failed
    }
  }

  struct Decision: Sendable {
    let statement: Int32
    let claim: Int32
    let amount: UInt64
  }

  struct Job: Sendable {
    let statement: Int32
    let id: EntryID
    /// Tasks that have a cell.
    var touched: [UInt32] = []
    var cancels: [Int32] = []
    /// Counted acceptances and refusals.
    var decisions: [Decision] = []
    var counts = TaskCounts()
    var fingerprint = Bytes32.zero
  }

  struct PaidKey: Hashable, Sendable {
    let task: TaskKey
    let worker: PublicKey
  }

  struct AccountKey: Hashable, Sendable {
    let debtor: PublicKey
    let creditor: PublicKey
    let unit: UnitName
  }

  /// The exact sum: 2^31 statements of 12 items below 2^40 stay far below 2^128.
  struct Account: Sendable {
    var sum: UInt128 = 0
    var fingerprint = Bytes32.zero
    var shown: UInt64 { sum > UInt128(FoldLimits.shownAmountMax) ? FoldLimits.shownAmountMax : UInt64(sum) }
  }
}

/// A sum mod 2^256 over the fingerprints of a set: adding and removing in any order gives one value. It is no
/// commitment (generalised birthday attacks exist, Wagner 2002): it compares programs; the clock binds hosts.
struct SetSum: Hashable, Sendable {
  private var words: [4 of UInt64] = [0, 0, 0, 0]

  mutating func insert(_ element: Bytes32) {
    let other: [4 of UInt64] = [element.word0, element.word1, element.word2, element.word3]
    var carry: UInt64 = 0
    for index in 0..<4 {
      let (partial, first) = words[index].addingReportingOverflow(other[index])
      let (total, second) = partial.addingReportingOverflow(carry)
      words[index] = total
      carry = first || second ? 1 : 0
    }
  }

  mutating func remove(_ element: Bytes32) {
    let other: [4 of UInt64] = [element.word0, element.word1, element.word2, element.word3]
    var borrow: UInt64 = 0
    for index in 0..<4 {
      let (partial, first) = words[index].subtractingReportingOverflow(other[index])
      let (total, second) = partial.subtractingReportingOverflow(borrow)
      words[index] = total
      borrow = first || second ? 1 : 0
    }
  }

  /// Takes `old` out unless it is zero, puts `new` in.
  mutating func replace(_ old: Bytes32, with new: Bytes32) {
    if old != .zero { remove(old) }
    insert(new)
  }

  var value: Bytes32 { Bytes32(word0: words[0], word1: words[1], word2: words[2], word3: words[3]) }

  static func == (left: SetSum, right: SetSum) -> Bool { left.value == right.value }
  func hash(into hasher: inout Hasher) { hasher.combine(value) }
}
