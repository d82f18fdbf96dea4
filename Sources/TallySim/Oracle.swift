// Owns: what every host must hold at the end, from a plain union of entries; and what each host owes, counted anew.
// Refuses to know: Ledger and Fold. It reads bodies with the wire's decoders and nothing else.
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import TallyWork

/// The union of all disks: per feed the longest run of leaves that anybody holds.
struct Oracle {
  struct Feed {
    let author: PublicKey
    var entries: [Entry]
    var leaves: [Digest]
  }
  private(set) var feeds: [FeedID: Feed] = [:]
  /// Two disks that differ within one feed.
  private(set) var clash: (feed: FeedID, index: Int)?

  init(_ disks: [ModelDisk]) {
    for disk in disks {
      for id in disk.feedIDs {
        guard let feed = disk.feeds[id] else { continue }
        add(id, feed)
      }
    }
  }

  private mutating func add(_ id: FeedID, _ feed: ModelDisk.Feed) {
    guard let known = feeds[id] else {
      feeds[id] = Feed(author: feed.row.author, entries: feed.entries, leaves: feed.leaves)
      return
    }
    for (index, pair) in zip(known.leaves, feed.leaves).enumerated() where pair.0 != pair.1 {
      clash = clash ?? (id, index)
      return
    }
    if feed.leaves.count > known.leaves.count {
      feeds[id] = Feed(author: feed.row.author, entries: feed.entries, leaves: feed.leaves)
    }
  }

  /// What a clock must say: every feed that holds something, with the root over all its leaves.
  var clock: [ClockEntry] {
    feeds.keys.sorted().compactMap { id in
      guard let feed = feeds[id], !feed.leaves.isEmpty else { return nil }
      return ClockEntry(feed: id, size: UInt64(feed.leaves.count), root: Self.root(feed.leaves[...]), forkIndex: nil)
    }
  }

  /// RFC 6962 section 2.1, as it is written there.
  static func root(_ leaves: ArraySlice<Digest>) -> Digest {
    guard let first = leaves.first else { return SHA256Hash.hash([]) }
    if leaves.count == 1 { return first }
    var split = 1
    while split * 2 < leaves.count { split *= 2 }
    return SHA256Hash.node(root(leaves.prefix(split)), root(leaves.dropFirst(split)))
  }

  /// debt(requester, worker) = Σ over distinct (task, worker) of the largest amount that the requester accepted.
  /// DESIGN section 10, in thirty lines.
  var debts: [Debt] {
    var paid: [Debt.Key: [TaskID: UInt64]] = [:]
    for id in feeds.keys.sorted() {
      guard let feed = feeds[id] else { continue }
      for entry in feed.entries where entry.kind == .accept {
        for (claim, amount) in accepted(entry) {
          guard let found = task(of: claim), found.requester == feed.author else { continue }
          let key = Debt.Key(debtor: feed.author, creditor: found.worker)
          let old = paid[key]?[found.task] ?? 0
          paid[key, default: [:]][found.task] = max(old, amount)
        }
      }
    }
    return paid.keys.sorted().map { key in
      Debt(key: key, amount: (paid[key] ?? [:]).values.reduce(0, +))
    }.filter { $0.amount > 0 && $0.key.debtor != $0.key.creditor }
  }

  struct Debt: Hashable {
    struct Key: Hashable, Comparable {
      let debtor: PublicKey
      let creditor: PublicKey
      static func < (left: Key, right: Key) -> Bool {
        (left.debtor, left.creditor) < (right.debtor, right.creditor)
      }
    }
    let key: Key
    let amount: UInt64
  }

  /// A task that was leased more than once.
  var hasSecondAttempt: Bool {
    feeds.values.contains { feed in
      feed.entries.contains { entry in
        guard entry.kind == .leaseGrant else { return false }
        do throws(DecodeError) { return try LeaseGrantBody.decode(entry.body).attempt > 1 } catch { return false }
      }
    }
  }

  private func accepted(_ entry: Entry) -> [(EntryLink, UInt64)] {
    do throws(DecodeError) {
      let body = try AcceptBody.decode(entry.body, links: entry.links.count)
      return body.items.map { (entry.links[Int($0.link)], $0.amount) }
    } catch {
      return []
    }
  }

  private func entry(_ link: EntryLink, _ kind: EntryKind) -> (Entry, PublicKey)? {
    guard let feed = feeds[link.feed], link.index < UInt64(feed.leaves.count),
      feed.leaves[Int(link.index)] == link.leaf, feed.entries[Int(link.index)].kind == kind
    else { return nil }
    return (feed.entries[Int(link.index)], feed.author)
  }

  /// Claim → grant → post.
  private func task(of claim: EntryLink) -> (task: TaskID, worker: PublicKey, requester: PublicKey)? {
    guard let (claimed, worker) = entry(claim, .workClaim), let grantLink = claimed.links.first,
      let (grant, _) = entry(grantLink, .leaseGrant), let post = grant.links.first,
      let (_, requester) = entry(post, .jobPost)
    else { return nil }
    do throws(DecodeError) {
      let body = try LeaseGrantBody.decode(grant.body)
      let id = Names.entryID(feed: post.feed, index: post.index, leaf: post.leaf)
      return (TaskID(post: id, index: body.taskIndex), worker, requester)
    } catch {
      return nil
    }
  }
}
