// The life of a job told entry by entry, and the rules of accounts one by one.

import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import TallyWork
import Testing

/// Feeds without signatures: the fold never looks at one.
struct Scene {
  let requester = PublicKey(raw: Bytes32([UInt8](repeating: 1, count: 32))!)
  let worker = PublicKey(raw: Bytes32([UInt8](repeating: 2, count: 32))!)
  let other = PublicKey(raw: Bytes32([UInt8](repeating: 3, count: 32))!)
  var fold = Fold()
  var sizes: [PublicKey: UInt64] = [:]
  var time: Int64 = 1000

  func feed(_ author: PublicKey) -> FeedID { FeedID(raw: author.raw) }

  @discardableResult
  mutating func put(_ author: PublicKey, _ kind: EntryKind, _ links: [EntryLink], _ body: [UInt8]) -> EntryLink {
    time += 1
    let entry = Entry(kind: kind, timeMs: time, links: links, body: body)
    let index = sizes[author, default: 0]
    sizes[author] = index + 1
    fold.apply(feed: feed(author), author: author, index: index, leaf: entry.leafHash, entry: entry)
    return EntryLink(feed: feed(author), index: index, leaf: entry.leafHash)
  }

  mutating func post(most: UInt64 = 100, tasks: UInt32 = 1, unit: UnitName = .cpuSeconds) -> EntryLink {
    let hash = Digest(raw: Bytes32(word0: UInt64(time), word1: 0, word2: 0, word3: 0))
    let terms = Terms(unit: unit, mostUnits: most, tasks: tasks)
    return put(requester, .jobPost, [], JobPostBody.known(terms, .hidden(commitment: hash)).encode())
  }

  mutating func grant(_ post: EntryLink, to worker: PublicKey, task: UInt32 = 0, attempt: UInt16 = 1) -> EntryLink {
    let body = LeaseGrantBody(
      taskIndex: task, attempt: attempt, worker: worker, ttlSeconds: 60, saltCommitment: Digest(raw: .zero))
    return put(requester, .leaseGrant, [post], body.encode())
  }

  mutating func claim(_ grant: EntryLink, by worker: PublicKey, units: UInt64) -> EntryLink {
    let body = WorkClaimBody(
      digest: Digest(raw: .zero), exit: 0, units: units, sandbox: .bubblewrap, root: .made, cpuMs: 1, wallMs: 1)
    return put(worker, .workClaim, [grant], body.encode())
  }

  mutating func accept(_ claims: [EntryLink], _ amounts: [UInt64], by author: PublicKey? = nil) {
    put(author ?? requester, .accept, claims, AcceptBody(amounts: amounts).encode())
  }

  func id(_ link: EntryLink) -> EntryID { Names.entryID(feed: link.feed, index: link.index, leaf: link.leaf) }

  func words(_ post: EntryLink) -> String {
    fold.summary(id(post))?.words { $0 == worker ? "bob" : $0 == other ? "eve" : "ann" } ?? "absent"
  }

  func move(_ post: EntryLink) -> NextMove? { fold.summary(id(post))?.nextMove }
}

struct FoldTests {
  @Test func a_job_goes_from_posted_to_accepted() throws {
    var scene = Scene()
    let post = scene.post()
    #expect(scene.words(post) == "posted" && scene.move(post) == .requester(scene.requester))
    let grant = scene.grant(post, to: scene.worker)
    #expect(scene.words(post) == "leased to bob" && scene.move(post) == .workers([scene.worker]))
    let claim = scene.claim(grant, by: scene.worker, units: 7)
    #expect(scene.words(post) == "claimed" && scene.move(post) == .requester(scene.requester))
    #expect(scene.fold.claim(claim)?.evidence == .claimed)
    scene.accept([claim], [5])
    #expect(scene.words(post) == "accepted" && scene.move(post) == .nobody)
    #expect(scene.fold.claim(claim)?.evidence == .accepted)
    #expect(
      scene.fold.balances == [
        Balance(debtor: scene.requester, creditor: scene.worker, unit: .cpuSeconds, amount: 5)
      ])
    let detail = try #require(scene.fold.job(scene.id(post)))
    #expect(detail.timeline.map(\.author) == [scene.requester, scene.requester, scene.worker, scene.requester])
    #expect(detail.timeline.last?.what == .accepted(amount: 5, claim: scene.id(claim)))
    #expect(scene.fold.find(prefix: String(scene.id(post).hex.prefix(6))) == [scene.id(post)])
  }

  @Test func a_failed_attempt_is_followed_by_another_and_counted_once() {
    var scene = Scene()
    let post = scene.post()
    let first = scene.grant(post, to: scene.worker)
    scene.put(scene.worker, .workFail, [first], WorkFailBody(reason: .lost).encode())
    #expect(scene.words(post) == "failed" && scene.move(post) == .requester(scene.requester))
    let second = scene.grant(post, to: scene.other, attempt: 2)
    let third = scene.grant(post, to: scene.worker, attempt: 3)
    #expect(scene.words(post) == "leased to bob, eve")
    let claims = [
      scene.claim(third, by: scene.worker, units: 9), scene.claim(first, by: scene.worker, units: 8),
      scene.claim(second, by: scene.other, units: 1),
    ]
    scene.accept([claims[0], claims[1]], [3, 8])
    scene.accept([claims[0]], [4])
    scene.accept([claims[2]], [1])
    // (task, worker) is paid once, whatever its attempts: 8, not 3 + 8 + 4.
    #expect(scene.fold.balances.map(\.amount) == [8, 1])
    #expect(scene.fold.claim(claims[0])?.amount == 4)
  }

  @Test func refusals_and_cancellations_show() {
    var scene = Scene()
    let post = scene.post()
    let claim = scene.claim(scene.grant(post, to: scene.worker), by: scene.worker, units: 1)
    scene.put(scene.worker, .refuse, [claim], RefuseBody(reason: .byAPerson).encode())
    #expect(scene.words(post) == "claimed", "only the requester refuses")
    scene.put(scene.requester, .refuse, [claim], RefuseBody(reason: .byAPerson).encode())
    #expect(scene.words(post) == "failed" && scene.fold.claim(claim)?.isRefused == true)
    scene.put(scene.other, .jobCancel, [post], JobCancelBody(reason: .askedFor).encode())
    #expect(scene.words(post) == "failed")
    scene.put(scene.requester, .jobCancel, [post], JobCancelBody(reason: .askedFor).encode())
    #expect(scene.words(post) == "cancelled" && scene.move(post) == .nobody)
    scene.accept([claim], [1])
    #expect(scene.words(post) == "accepted")
  }

  @Test func only_the_posts_author_pays_and_only_within_claim_and_terms() {
    var scene = Scene()
    let post = scene.post(most: 10)
    let claim = scene.claim(scene.grant(post, to: scene.worker), by: scene.worker, units: 20)
    scene.accept([claim], [11])
    scene.accept([claim], [10], by: scene.other)
    scene.accept([claim], [10], by: scene.worker)
    #expect(scene.fold.balances.isEmpty && scene.words(post) == "claimed")
    let small = scene.claim(scene.grant(post, to: scene.worker, attempt: 2), by: scene.worker, units: 2)
    scene.accept([small], [3])
    #expect(scene.fold.balances.isEmpty)
    // An item that does not count spoils no other.
    scene.accept([claim, small], [11, 2])
    #expect(scene.fold.balances.map(\.amount) == [2])
  }

  @Test func a_map_counts_its_tasks() {
    var scene = Scene()
    let post = scene.post(tasks: 5)
    let claims = (0..<3 as Range<UInt32>).map { task in
      scene.claim(scene.grant(post, to: scene.worker, task: task), by: scene.worker, units: 1)
    }
    _ = scene.grant(post, to: scene.other, task: 3)
    scene.accept([claims[0], claims[1]], [1, 1])
    #expect(scene.words(post) == "2 accepted, 1 claimed, 1 leased, 1 posted of 5")
    #expect(scene.fold.balances.map(\.amount) == [2])
    _ = scene.grant(post, to: scene.other, task: 5)
    #expect(scene.fold.job(scene.id(post))?.tasks.count == 4, "a lease of a task that is not there counts nothing")
    #expect(scene.fold.task(TaskID(post: scene.id(post), index: 5)) == nil)
    #expect(scene.fold.task(TaskID(post: scene.id(post), index: 4))?.state == .posted)
  }

  @Test func unknown_rules_are_shown_as_unknown() {
    var scene = Scene()
    let post = scene.put(scene.requester, .jobPost, [], [2, 0, 0])
    let claim = scene.claim(scene.grant(post, to: scene.worker), by: scene.worker, units: 1)
    #expect(scene.words(post) == "rules 2, newer than I know" && scene.move(post) == .nobody)
    #expect(scene.fold.summary(scene.id(post))?.state == .unknownRules)
    #expect(scene.fold.claim(claim) == nil)
  }

  @Test func shown_sums_saturate_and_recover_nothing_in_between() {
    var scene = Scene()
    let most = (UInt64(1) << 40) - 1
    let post = scene.post(most: most, tasks: 8194)
    for task in 0..<8194 as Range<UInt32> {
      let claim = scene.claim(scene.grant(post, to: scene.worker, task: task), by: scene.worker, units: most)
      scene.accept([claim], [most])
    }
    #expect(scene.fold.balances.map(\.amount) == [FoldLimits.shownAmountMax])
  }

  @Test func records_are_listed_newest_last() {
    var scene = Scene()
    scene.put(scene.requester, .record, [], [1])
    let long = [UInt8](repeating: 9, count: FoldLimits.recordBodyBytes + 1)
    scene.put(scene.worker, .record, [], long)
    scene.put(scene.requester, .record, [], [2])
    #expect(scene.fold.records(last: 2).map(\.bodyCount) == [FoldLimits.recordBodyBytes + 1, 1])
    #expect(scene.fold.records(last: 10).map(\.body) == [[1], [], [2]])
  }

  @Test func a_second_entry_at_one_place_changes_nothing_until_the_fork_is_known() {
    var scene = Scene()
    let post = scene.post()
    let digest = scene.fold.digest
    let rival = Entry(kind: .record, timeMs: 1, links: [], body: [])
    scene.fold.apply(
      feed: post.feed, author: scene.requester, index: post.index, leaf: rival.leafHash, entry: rival)
    #expect(scene.fold.digest == digest)
    scene.fold.dropFrom(feed: post.feed, index: post.index)
    #expect(scene.fold.jobs(last: 9).isEmpty && scene.fold.digest == Fold().digest)
  }

  /// 100,000 entries, in order and wholly reversed (everything waits): each is looked at a bounded number of times.
  @Test func a_hundred_thousand_entries_fold_both_ways_to_one_digest() {
    var scene = Scene()
    var entries: [(FeedID, PublicKey, UInt64, Digest, Entry)] = []
    var sizes: [PublicKey: UInt64] = [:]
    func put(_ author: PublicKey, _ kind: EntryKind, _ links: [EntryLink], _ body: [UInt8]) -> EntryLink {
      let entry = Entry(kind: kind, timeMs: Int64(entries.count), links: links, body: body)
      let index = sizes[author, default: 0]
      sizes[author] = index + 1
      entries.append((scene.feed(author), author, index, entry.leafHash, entry))
      return EntryLink(feed: scene.feed(author), index: index, leaf: entry.leafHash)
    }
    let terms = JobPostBody.known(Terms(mostUnits: 9), .hidden(commitment: Digest(raw: .zero))).encode()
    let lease = LeaseGrantBody(
      taskIndex: 0, attempt: 1, worker: scene.worker, ttlSeconds: 9, saltCommitment: Digest(raw: .zero)
    ).encode()
    let done = WorkClaimBody(
      digest: Digest(raw: .zero), exit: 0, units: 4, sandbox: .wasm, root: .made, cpuMs: 1, wallMs: 1
    ).encode()
    for _ in 0..<25_000 {
      let grant = put(scene.requester, .leaseGrant, [put(scene.requester, .jobPost, [], terms)], lease)
      let claim = put(scene.worker, .workClaim, [grant], done)
      _ = put(scene.requester, .accept, [claim], AcceptBody(amounts: [4]).encode())
    }
    for entry in entries {
      scene.fold.apply(feed: entry.0, author: entry.1, index: entry.2, leaf: entry.3, entry: entry.4)
    }
    var reversed = Fold()
    for entry in entries.reversed() {
      reversed.apply(feed: entry.0, author: entry.1, index: entry.2, leaf: entry.3, entry: entry.4)
    }
    #expect(scene.fold.digest == reversed.digest)
    #expect(reversed.balances.map(\.amount) == [100_000])
    #expect(reversed.counts.waiting == 0 && reversed.counts.claims == 25_000)
  }
}
