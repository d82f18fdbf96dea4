// Owns: one task that this host posted: what it asks for, how far it is, and how that is kept over a restart.
import TallyBase
import TallyLog
import TallyWire
import TallyWork

/// A task of this requester that is not settled yet.
struct Request: Sendable {
  struct Bid: Sendable {
    let worker: PublicKey
    let startMs: UInt32
  }
  /// The worker's claim, as it stands in its feed.
  struct Claim: Sendable {
    let link: EntryLink
    let author: PublicKey
    let body: WorkClaimBody
  }

  let task: TaskID
  /// Where `job.post` stands in the own feed.
  let post: EntryLink
  let work: [UInt8]
  let terms: Terms
  let isPublic: Bool
  let hold: Bool
  let local: Bool
  let postSalt: Bytes32
  let taskSalt: Bytes32
  let needs: WorkNeeds

  var stage: RequestStage = .posting
  var attempt: UInt16 = 0
  var worker: PublicKey?
  var grant: EntryLink?
  /// Workers that lost an attempt: asked again only when nobody else can.
  var lost: [PublicKey] = []
  /// Why the last attempt was lost, as its worker said; what a client is told when there are no more attempts.
  var lastReason = FailReason.lost

  // Of the round of asking that runs now.
  var ask: UInt64 = 0
  var asked: [PublicKey] = []
  var bids: [Bid] = []
  var refusals: [JobProgress.Refusal] = []
  var pause = ExchangeLimits.askPauseMin

  /// Acceptance or refusal: where it stands, until it may be known to others.
  var decision: Decision?
  struct Decision: Sendable {
    var place: EntryLink
    let isAcceptance: Bool
  }

  // Of the attempt that runs now.
  var claim: Claim?
  var result: ResultMessage?
  /// Files still to arrive or to be checked, by content ID, with the SHA-256 the manifest demands; nil for streams.
  var pending: [ContentID: PendingFile] = [:]
  var outputSeen: [UInt64] = [0, 0]

  struct PendingFile: Sendable {
    let blob: BlobReference
    let sha256: Digest?
    /// Leaves that have not come yet.
    var leavesLeft: UInt64
    var nextLeaf: UInt64 = 0
  }

  init(
    task: TaskID, post: EntryLink, request: JobRequest, postSalt: Bytes32, taskSalt: Bytes32
  ) {
    self.task = task
    self.post = post
    work = request.work
    terms = request.terms
    isPublic = request.isPublic
    hold = request.hold
    local = request.local
    self.postSalt = postSalt
    self.taskSalt = taskSalt
    needs = WorkNeeds(of: request.work)
  }

  // The row in the store: post link 32+8+32 · flags u8 (1 public, 2 hold, 4 local) · post salt 32 · task salt 32 ·
  // counted body of job.post (the terms) · counted work · attempt u16 · has-grant u8 · [worker 32 · grant index u64 ·
  // grant leaf 32] · n u8 · n × lost worker 32.

  init(task: TaskID, row: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(row)
    self.task = task
    post = EntryLink(feed: try reader.named(), index: try reader.u64(), leaf: try reader.named())
    let flags = try reader.u8()
    guard flags < 8 else { throw .notCanonical(field: "request.flags") }
    isPublic = flags & 1 != 0
    hold = flags & 2 != 0
    local = flags & 4 != 0
    postSalt = try reader.bytes32()
    taskSalt = try reader.bytes32()
    let body = try reader.take(Int(try reader.u16()))
    guard case .known(let terms, _) = try JobPostBody.decode(body) else { throw .notCanonical(field: "request.terms") }
    self.terms = terms
    work = try reader.take(Int(try reader.u16()))
    needs = WorkNeeds(of: work)
    attempt = try reader.u16()
    if try reader.flag("request.granted") {
      worker = try reader.named()
      grant = EntryLink(feed: post.feed, index: try reader.u64(), leaf: try reader.named())
      stage = .leased
    }
    for _ in 0..<(try reader.u8()) { lost.append(try reader.named()) }
    try reader.finish()
  }

  var row: [UInt8] {
    var writer = ByteWriter(capacity: 512 + work.count)
    writer.named(post.feed)
    writer.u64(post.index)
    writer.named(post.leaf)
    writer.u8((isPublic ? 1 : 0) | (hold ? 2 : 0) | (local ? 4 : 0))
    writer.bytes32(postSalt)
    writer.bytes32(taskSalt)
    writer.counted16(postBody)
    writer.counted16(work)
    writer.u16(attempt)
    if let worker, let grant {
      writer.flag(true)
      writer.named(worker)
      writer.u64(grant.index)
      writer.named(grant.leaf)
    } else {
      writer.flag(false)
    }
    let kept = lost.suffix(Int(ExchangeLimits.attemptsMax))
    writer.u8(UInt8(kept.count))
    for key in kept { writer.named(key) }
    return writer.bytes
  }

  /// What was accepted, or is about to be; nil before claim and words are both here.
  var outcome: JobOutcome? {
    guard let claim, let result else { return nil }
    return JobOutcome(
      worker: claim.author, exit: claim.body.exit, units: min(claim.body.units, terms.mostUnits),
      stdout: result.stdout, stderr: result.stderr, manifest: result.manifest, tree: result.tree)
  }

  /// The body of this task's `job.post`.
  var postBody: [UInt8] { Self.postBody(work: work, terms: terms, isPublic: isPublic, salt: postSalt) }

  static func postBody(work: [UInt8], terms: Terms, isPublic: Bool, salt: Bytes32) -> [UInt8] {
    let hash = WorkHash.work(work)
    let reference: WorkReference =
      isPublic
      ? .open(salt: salt, workHash: hash) : .hidden(commitment: WorkHash.postCommitment(salt: salt, workHash: hash))
    return JobPostBody.known(terms, reference).encode()
  }

  /// The words beside the grant.
  func leaseMessage(grant: EntryLink) -> LeaseMessage {
    LeaseMessage(
      task: task, attempt: attempt, feed: post.feed, postIndex: post.index, grantIndex: grant.index,
      postSalt: postSalt, taskSalt: taskSalt, work: work)
  }
}
