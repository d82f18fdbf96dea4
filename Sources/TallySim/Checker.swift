// Owns: the laws that hold at every step, judged from what stores and operators saw. Its own bookkeeping is plain sets
// and arrays: it never asks a ledger whether the ledger is right.
// Refuses to know: how nodes decide.
import TallyBase
import TallyLog
import TallyNode
import TallyWire

struct Checker {
  struct Broken {
    let law: String
    let text: String
  }

  /// A record whose asker was told that it is durable.
  struct Acknowledged {
    let host: Int
    let author: PublicKey
    let ref: OwnRef
    var isReleased: Bool
    /// A disk that was put back to before this record need not hold it, unless others had it.
    var isExcused = false
  }

  /// The leaf that anybody but the author was ever shown at an index of a feed.
  private var known: [FeedID: [UInt64: Digest]] = [:]
  private(set) var acknowledged: [Acknowledged] = []
  /// Authors that are run twice on purpose.
  var mayFork: Set<PublicKey> = []
  private(set) var forkProofs = 0
  /// What has happened at least once: a scenario that never met what it is about has shown nothing.
  var marks: Set<Mark> = []
  /// The clock of a host as last looked at: it never goes back while its disk is left alone.
  private var clocks: [Int: [FeedID: UInt64]] = [:]

  // Stores.

  /// S2 and S5: whoever stores an entry of another stores the same as everybody before.
  mutating func onCommit(_ commit: Commit, _ host: SimHost) -> Broken? {
    for operation in commit.operations {
      switch operation {
      case .entries(let feed, let from, let entries, _):
        guard let row = row(feed, commit, host), row.author != host.key else { continue }
        if let broken = see(feed, row.author, from, LeafHasher.hashAll(entries)) { return broken }
      case .forkProof(let feed, _, _):
        forkProofs += 1
        guard let row = row(feed, commit, host), !mayFork.contains(row.author) else { continue }
        return Broken(law: "S5", text: "an honest host's feed \(feed) forked: a proof is held")
      default: continue
      }
    }
    return nil
  }

  private func row(_ feed: FeedID, _ commit: Commit, _ host: SimHost) -> FeedRow? {
    if let held = host.disk.feeds[feed] { return held.row }
    for case .feed(let row) in commit.operations where row.feed == feed { return row }
    return nil
  }

  private mutating func see(_ feed: FeedID, _ author: PublicKey, _ from: UInt64, _ leaves: [Digest]) -> Broken? {
    for (offset, leaf) in leaves.enumerated() {
      let index = from + UInt64(offset)
      if let old = known[feed]?[index], old != leaf, !mayFork.contains(author) {
        return Broken(law: "S5", text: "two entries at \(index) of \(feed), whose author is honest")
      }
      known[feed, default: [:]][index] = leaf
    }
    return nil
  }

  // Answers.

  mutating func onRecorded(_ ref: OwnRef, released: Bool, host: SimHost) {
    acknowledged.append(Acknowledged(host: host.number, author: host.key, ref: ref, isReleased: released))
  }

  mutating func onEvent(_ event: NodeEvent, _ host: SimHost, _ time: Int64) {
    if let mark = Mark(event) { marks.insert(mark) }
    guard case .released(let feed, let through) = event else { return }
    for place in acknowledged.indices where acknowledged[place].host == host.number {
      let ref = acknowledged[place].ref
      if ref.feed == feed, ref.index < through { acknowledged[place].isReleased = true }
    }
  }

  // Lives.

  /// The disk was put back: what only this host held may be gone, and its clock may go back.
  mutating func onRestore(_ host: SimHost, holds: (FeedID, UInt64) -> Bool) {
    clocks[host.number] = nil
    for place in acknowledged.indices where acknowledged[place].host == host.number {
      let ref = acknowledged[place].ref
      if !holds(ref.feed, ref.index) { acknowledged[place].isExcused = true }
    }
  }

  /// S3: a clock grows, line by line, but for a fork.
  mutating func onClock(_ clock: [ClockEntry], _ host: SimHost) -> Broken? {
    var sizes: [FeedID: UInt64] = [:]
    for line in clock where line.forkIndex == nil { sizes[line.feed] = line.size }
    let forked = Set(clock.filter { $0.forkIndex != nil }.map(\.feed))
    let before = clocks[host.number] ?? [:]
    clocks[host.number] = sizes
    // While the restore guard asks, the own feed is not told: that line alone may be missing.
    for feed in before.keys.sorted() where !forked.contains(feed) {
      guard let now = sizes[feed] else {
        if host.disk.feeds[feed]?.row.author == host.key { continue }
        return Broken(law: "S3", text: "feed \(feed) went from the clock")
      }
      if now < before[feed] ?? 0 {
        return Broken(law: "S3", text: "feed \(feed) went back from \(before[feed] ?? 0) to \(now)")
      }
    }
    return nil
  }

  /// S4: what was acknowledged is on its disk, and what was released is on every disk.
  func lost(_ hosts: [SimHost]) -> Broken? {
    for record in acknowledged where !record.isExcused && !mayFork.contains(record.author) {
      let ref = record.ref
      if record.isReleased, let without = hosts.first(where: { !holds($0.disk, ref) }) {
        let text = "record \(ref.index) of host \(record.host) was released and host \(without.number) lacks it"
        return Broken(law: "S4", text: text)
      }
      if !hosts.contains(where: { holds($0.disk, ref) || $0.disk.holdsElsewhere(ref.leaf, author: record.author) }) {
        return Broken(
          law: "S4", text: "record \(ref.index) of \(ref.feed) of host \(record.host) was acknowledged and is lost")
      }
    }
    return nil
  }

  /// At a start: S4 for one disk.
  func lost(_ host: SimHost) -> Broken? {
    for record in acknowledged where record.host == host.number && !record.isExcused && host.isHonest {
      if !holds(host.disk, record.ref), !host.disk.holdsElsewhere(record.ref.leaf, author: host.key) {
        return Broken(law: "S4", text: "record \(record.ref.index) was acknowledged and is not on the disk")
      }
    }
    return nil
  }

  private func holds(_ disk: ModelDisk, _ ref: OwnRef) -> Bool {
    guard let feed = disk.feeds[ref.feed], ref.index < UInt64(feed.leaves.count) else { return false }
    return feed.leaves[Int(ref.index)] == ref.leaf
  }
}
