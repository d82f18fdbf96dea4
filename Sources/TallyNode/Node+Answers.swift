// Owns: answers from memory. None of them changes anything.
import TallyBase
import TallyCrypto
import TallyExchange
import TallyGossip
import TallyLog
import TallySession
import TallyTable
import TallyWire
import TallyWork

extension Node {
  public var key: PublicKey { me }

  /// A signed token for an invite, good for 24 hours; its text. Nothing redeems it yet: the mesh key admits.
  public mutating func issueInviteToken(now: Instant) -> String {
    let expires = UInt64(clamping: now.wallMs / 1000) + NodeLimits.inviteSeconds
    return InviteToken.issue(
      mesh: config.meshKeys.meshID, expires: expires, identity: identity, generator: &generator
    ).text
  }
  /// What two hosts compare to know that they hold the same: the vector clock, and what is derived from it.
  public var clockDigest: Digest { ledger.clockDigest }
  public var stateDigest: Digest { fold.digest }

  public var status: NodeStatus {
    let feeds = ledger.allFeeds
    let members = membership.members
    return NodeStatus(
      key: me, node: table.id, meshName: config.meshName, meshID: config.meshKeys.meshID,
      isMember: membership.isMember(me), memberCount: membership.memberCount,
      aliveCount: members.count { $0.state == .alive }, linkCount: sessions.linkPeers.count,
      sessionCount: sessions.sessionPeers.count, tableCount: table.count, ownFeed: ledger.ownFeed,
      ownSize: ledger.ownSize, signing: ledger.signing, feedCount: feeds.count,
      entryCount: feeds.reduce(0) { $0 + $1.size }, forkedCount: feeds.count { $0.forkIndex != nil },
      clockDigest: ledger.clockDigest, stateDigest: fold.digest, worker: exchange.worker, policy: exchange.policy,
      openTasks: exchange.progress.count, leasedTasks: exchange.leasedTasks.count,
      refusals: sessions.counters.filter { $0.count > 0 }.map { Counter(name: $0.name, count: $0.count) },
      faults: tallies.sorted, lastRefusal: tallies.lastRefusal)
  }

  public var members: [MemberView] { membership.members }
  public var ownRecord: RecordWithAttributes? { membership.own }
  public var buckets: [BucketView] { table.buckets }
  public var clock: [ClockEntry] { ledger.clock }
  public var feeds: [FeedStatus] { ledger.allFeeds }
  public func feed(_ id: FeedID) -> FeedStatus? { ledger.feed(id) }
  public func forkProof(_ id: FeedID) -> [UInt8]? { ledger.forkProof(id) }
  public var acknowledgements: [RecoveredFeed.Acknowledgement] { ledger.acknowledgements }

  public func jobs(last: Int) -> [JobSummary] { fold.jobs(last: last) }
  public func job(_ id: EntryID) -> JobDetail? { fold.job(id) }
  public func records(last: Int) -> [RecordView] { fold.records(last: last) }
  public func find(prefix: String) -> [EntryID] { fold.find(prefix: prefix) }
  public var balances: [Balance] { fold.balances }
  public var progress: [JobProgress] { exchange.progress }
  public func progress(of task: TaskID) -> JobProgress? { exchange.progress(of: task) }
  public func words(of task: TaskID) -> TaskWords? { exchange.words(of: task) }
  public var leasedTasks: [(task: TaskID, requester: PublicKey, stage: String)] { exchange.leasedTasks }
}
