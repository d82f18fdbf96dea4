// Owns: the hostile peer of the node target: real sessions, real signatures, and any bytes as messages.
// Refuses to know: what the node makes of them.
import TallyBase
import TallyCrypto
import TallyLog
import TallySession
import TallyWire

/// Not a node: it says whatever the script says.
final class NodePeer {
  let identity = Samples.identity(3)
  let endpoint = Endpoint(address: Address(v4: 0xc633_6403), port: 8255)
  var sessions: Sessions
  private let feed: FeedID
  private var entries: [Entry] = []
  private var leaves: [Digest] = []
  /// A second branch from entry 2 on.
  private var branch: [Entry] = []

  init(mesh: MeshKeys) {
    let seed = Bytes32(word0: 3, word1: 1, word2: 4, word3: 1)
    sessions = Sessions(mesh: mesh, me: identity.publicKey, generator: Generator(seed: seed, stream: 9))
    feed = Names.feedID(mesh: Samples.mesh, author: identity.publicKey, incarnation: 5)
    let begin = BeginBody(author: identity.publicKey, incarnation: 5, recovery: .zero, continues: nil)
    entries = [Entry(kind: .begin, timeMs: 1, links: [], body: begin.encoded)]
    for number in 1..<6 as Range<UInt8> {
      let body = [0] + SHA256Hash.hash([number]).bytes
      entries.append(Entry(kind: .record, timeMs: Int64(number), links: [], body: body))
    }
    leaves = LeafHasher.hashAll(entries)
    let other = Entry(kind: .record, timeMs: 99, links: [], body: [0] + SHA256Hash.hash([]).bytes)
    branch = Array(entries[..<2]) + [other]
  }

  var record: NodeRecord {
    let number = RecordNumber(epoch: 4, counter: 1)
    let attributes = ShortDigest(firstHalfOf: Blake2b.hash256(tag: "tally/attributes/1", [Attributes().encoded]))
    let text = NodeRecord.signedBytes(
      mesh: Samples.mesh, key: identity.publicKey, number: number, attributes: attributes, endpoints: [endpoint])
    return NodeRecord(
      key: identity.publicKey, number: number, attributes: attributes, endpoints: [endpoint],
      signature: identity.sign(text))
  }

  private func head(_ size: Int, _ all: [Entry]) -> Head {
    let root = MerkleTree.root(LeafHasher.hashAll(Array(all[..<size])))
    return Head.signed(by: identity, mesh: Samples.meshName, feed: feed, size: UInt64(size), root: root)
  }

  private func push(_ from: Int, _ to: Int, _ all: [Entry]) -> Push {
    let introduction =
      from == 0 ? FeedIntroduction(author: identity.publicKey, incarnation: 5, reason: .member) : nil
    return Push(
      head: head(to, all), from: UInt64(from), introduction: introduction, entries: Array(all[from..<to]))
  }

  static let messageCount = 32

  /// A message that an honest host could have sent; `own` is the node's feed, `task` one that it may have posted.
  func message(_ number: Int, own: FeedID, task: TaskID) -> [UInt8] {
    let place = number % Self.messageCount
    switch place {
    case 0:
      let item = RecordWithAttributes(record: record, block: Attributes().encoded)
      return Members(view: nil, items: [.record(item)]).message
    case 1...17: return log(place, own: own)?.encoded ?? [MessageType.forkProof.rawValue]
    case 18: return GetMembers(view: .zero).message
    default: return exchange(place, task)
    }
  }

  private func log(_ number: Int, own: FeedID) -> LogMessage? {
    let newest = head(6, entries)
    switch number {
    case 1: return .push(push(0, 3, entries))
    case 2: return .push(push(3, 6, entries))
    case 3: return .push(push(2, 3, branch))
    case 4: return .range(push(0, 6, entries))
    case 5: return .range(push(0, 3, branch))
    case 6: return .getRange(GetRange(feed: own, from: 0, to: 1))
    case 7: return .getPath(GetPath(feed: own, index: 0, size: 1))
    case 8: return .getHead(GetHead(feed: own))
    case 9: return .head(HeadAnswer(feed: feed, head: newest))
    case 10: return .head(HeadAnswer(feed: own, head: nil))
    case 11: return .ihave(IHave([IHave.Item(feed: feed, size: 6, root: newest.root)]))
    case 12: return .stored(Stored([Stored.Item(feed: own, size: 1)]))
    case 13: return .aboutYou(AboutYou(recordEpoch: 1, recordCounter: 1, feeds: []))
    case 14: return .clock(ClockMessage(question: Samples.hash))
    case 15:
      let entry = ClockEntry(feed: feed, size: 6, root: newest.root, forkIndex: nil)
      let page = ClockPage(cursor: .zero, isLast: true, entries: [entry])
      return .clock(ClockMessage(.answer, digest: Samples.hash, page: page))
    case 16:
      let path = MerkleTree.inclusionPath(Array(leaves[..<3]), index: 2)
      return .path(PathAnswer(GetPath(feed: feed, index: 2, size: 3), leaf: leaves[2], path: path))
    default:
      return ForkProof.make(newest, leaves: leaves, head(3, branch), leaves: LeafHasher.hashAll(branch)).map {
        .forkProof(ForkNotice(author: identity.publicKey, incarnation: 5, proof: $0))
      }
    }
  }

  private func exchange(_ number: Int, _ task: TaskID) -> [UInt8] {
    let blob = BlobReference(id: Samples.content, size: 70_000)
    switch number {
    case 19:
      return AskMessage(
        ask: 1, task: task, architecture: 1, sandbox: 1, cores: 1, memoryMiB: 1, diskMiB: 1, wallSeconds: 1
      ).message
    case 20: return BidMessage(ask: 0, refusal: nil, startMs: 0).message
    case 21:
      return LeaseMessage(
        task: task, attempt: 1, feed: feed, postIndex: 1, grantIndex: 2, postSalt: .zero, taskSalt: .zero,
        work: Samples.works[0]
      ).message
    case 22: return BeatMessage(task: task, attempt: 1, stage: .running, cpuMs: 5).message
    case 23: return OutputMessage(task: task, attempt: 1, stream: 1, offset: 0, bytes: [1, 2, 3]).message
    case 24:
      return ResultMessage(
        task: task, attempt: 1, claimIndex: 1, stdout: blob, stderr: blob, manifest: Samples.manifest,
        tree: Samples.tree
      ).message
    case 25: return TaskNotice(task: task, attempt: 1).message(.cancel)
    case 26: return TaskNotice(task: task, attempt: 1).message(.settled)
    case 27: return LeafRequest(id: Samples.content, leaf: 1).message(.getLeaf)
    case 28:
      let bytes = [UInt8](repeating: 1, count: 4464)
      return LeafMessage(blob: blob, leaf: 1, part: 0, path: [Samples.hash], bytes: bytes).message
    case 29: return Find(id: 1, target: NodeID(raw: Samples.hash.raw), count: 8).message
    case 30: return GetRecord(key: Samples.key).message
    default:
      let number = RecordNumber(epoch: 4, counter: 9)
      let text = Leave.signedBytes(mesh: Samples.mesh, key: identity.publicKey, number: number)
      return Leave(key: identity.publicKey, number: number, signature: identity.sign(text)).message
    }
  }
}
