// Owns: the digest of the derived state: equal for equal sets of entries, in any order. PROTOCOL.md, chapter "Work".

import TallyBase
import TallyCrypto
import TallyWire

extension Fold {
  /// BLAKE2b-256("tally/state/1" ‖ jobs u64 ‖ claims u64 ‖ balances u64 ‖ sum 32). O(1).
  public var digest: Digest {
    var writer = ByteWriter(capacity: 56)
    writer.u64(UInt64(tally.jobs))
    writer.u64(UInt64(tally.claims))
    writer.u64(UInt64(accounts.count))
    writer.bytes32(sum.value)
    return Digest(raw: Blake2b.hash256(tag: "tally/state/1", [writer.bytes]))
  }

  mutating func refreshJob(_ number: Int32) {
    let job = jobs[Int(number)]
    var writer = ByteWriter(capacity: 128)
    writer.u8(1)
    writer.named(job.id)
    writer.named(statements[Int(job.statement)].author)
    writer.u8(jobState(job).rawValue)
    writer.flag(!job.cancels.isEmpty)
    writer.u32(job.counts.accepted)
    writer.u32(job.counts.claimed)
    writer.u32(job.counts.leased)
    writer.u32(job.counts.failed)
    writer.u32(job.counts.posted)
    let fingerprint = Blake2b.hash256(writer.bytes)
    sum.replace(job.fingerprint, with: fingerprint)
    jobs[Int(number)].fingerprint = fingerprint
  }

  mutating func refreshClaim(_ number: Int32) {
    let statement = statements[Int(number)]
    let state = progress[Int(number)]
    guard case .claim(let body) = statement.what, let task = taskKey(ofClaim: number) else { return }
    var writer = ByteWriter(capacity: 256)
    writer.u8(2)
    writer.named(statement.place.feed)
    writer.u64(statement.place.index)
    writer.named(statement.leaf)
    writer.named(jobs[Int(task.job)].id)
    writer.u32(task.index)
    writer.named(statement.author)
    writer.named(body.digest)
    writer.u64(body.units)
    writer.u8(evidence(state).rawValue)
    writer.flag(state.isRefused)
    writer.u64(state.amount)
    let fingerprint = Blake2b.hash256(writer.bytes)
    sum.replace(state.fingerprint, with: fingerprint)
    progress[Int(number)].fingerprint = fingerprint
  }

  mutating func refreshAccount(_ key: AccountKey) {
    guard let account = accounts[key] else { return }
    var writer = ByteWriter(capacity: 96)
    writer.u8(3)
    writer.named(key.debtor)
    writer.named(key.creditor)
    writer.raw(key.unit.paddedBytes)
    writer.u64(account.shown)
    let fingerprint = Blake2b.hash256(writer.bytes)
    sum.replace(account.fingerprint, with: fingerprint)
    accounts[key, default: Account()].fingerprint = fingerprint
  }

  func evidence(_ state: Progress) -> Evidence { state.isAccepted ? .accepted : .claimed }

  func jobState(_ job: Job) -> TaskState {
    guard case .post(.known(let terms, _)) = statements[Int(job.statement)].what else { return .unknownRules }
    if job.counts.accepted == terms.tasks { return .accepted }
    if job.counts.claimed > 0 { return .claimed }
    if !job.cancels.isEmpty { return .cancelled }
    if job.counts.leased > 0 { return .leased }
    return job.counts.failed > 0 ? .failed : .posted
  }
}
