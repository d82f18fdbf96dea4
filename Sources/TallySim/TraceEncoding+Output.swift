// Owns: one stable encoding of every output of a node. Refuses to know: who carries them out.
import TallyBase
import TallyLog
import TallyNode
import TallySession
import TallyWire

extension Output {
  var traceName: String {
    switch self {
    case .transmit: "transmit"
    case .dial: "dial"
    case .write: "write"
    case .close: "close"
    case .persist: "persist"
    case .check: "check"
    case .read: "read"
    case .storeLeaf: "storeLeaf"
    case .serveLeaf: "serveLeaf"
    case .checkFile: "checkFile"
    case .reply: "reply"
    case .event: "event"
    }
  }

  var traceBytes: [UInt8] {
    var writer = ByteWriter(capacity: 128)
    writer.text(traceName)
    switch self {
    case .transmit(let endpoint, let bytes):
      writer.endpoint(endpoint)
      writer.raw(bytes)
    case .dial(let link, let endpoint):
      writer.u64(link.number)
      writer.endpoint(endpoint)
    case .write(let link, let bytes):
      writer.u64(link.number)
      writer.raw(bytes)
    case .close(let link): writer.u64(link.number)
    case .persist(let commit): writer.commit(commit)
    case .check(let id, let check):
      writer.u64(id)
      writer.row(check.row)
      writer.u64(check.frontier.size)
      writer.digests(check.frontier.peaks)
      writer.entries(check.entries)
      writer.raw(check.head.encoded)
    case .read(let request):
      writer.u64(request.id)
      writer.text("\(request.question)")
    case .storeLeaf(let content, let leaf, let peer):
      writer.leaf(content)
      writer.u32(leaf)
      writer.named(peer)
    case .serveLeaf(let id, let leaf, let peer):
      writer.named(id)
      writer.u32(leaf)
      writer.named(peer)
    case .checkFile(let blob): blob.write(to: &writer)
    case .reply(let request, let reply):
      writer.u64(request.number)
      writer.text("\(reply)")
    case .event(let event): writer.event(event)
    }
    return writer.bytes
  }
}

extension ByteWriter {
  mutating func row(_ row: FeedRow) {
    named(row.feed)
    named(row.author)
    u64(row.incarnation)
    text("\(row.reason)")
  }

  mutating func commit(_ commit: Commit) {
    u64(commit.number)
    u32(UInt32(truncatingIfNeeded: commit.operations.count))
    for operation in commit.operations { self.operation(operation) }
    guard let mark = commit.guardMark else { return }
    u64(mark.incarnation)
    u64(mark.size)
    named(mark.root)
  }

  private mutating func operation(_ operation: StoreOperation) {
    switch operation {
    case .feed(let row):
      u8(1)
      self.row(row)
    case .entries(let feed, let from, let list, let head):
      u8(2)
      named(feed)
      u64(from)
      entries(list)
      raw(head.encoded)
    case .forkProof(let feed, let index, let proof):
      u8(3)
      named(feed)
      u64(index)
      block(proof)
    case .acknowledged(let feed, let by, let size):
      u8(4)
      named(feed)
      named(by)
      u64(size)
    case .put(let table, let key, let value):
      u8(5)
      u8(table.rawValue)
      block(key)
      block(value)
    case .delete(let table, let key):
      u8(6)
      u8(table.rawValue)
      block(key)
    }
  }

  /// The frequent ones by hand; the rest are plain values without dictionaries.
  mutating func event(_ event: NodeEvent) {
    switch event {
    case .entry(let feed, let author, let index, let kind, let id):
      named(feed)
      named(author)
      u64(index)
      u16(kind.rawValue)
      named(id)
    case .released(let feed, let through):
      named(feed)
      u64(through)
    case .member(let peer, let change):
      named(peer)
      text("\(change)")
    default: text("\(event)")
    }
  }
}
