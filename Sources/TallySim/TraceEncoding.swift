// Owns: one stable encoding of every input of a node. Refuses to know: how a node reads them.
// Values without a layout of their own are spelled out by the standard library; none of them holds a dictionary.
import TallyBase
import TallyExchange
import TallyLog
import TallyNode
import TallySession
import TallyWire

extension Input {
  /// For people who read a trace.
  var traceName: String {
    switch self {
    case .replay: "replay"
    case .start: "start"
    case .datagram: "datagram"
    case .linkAccepted: "linkAccepted"
    case .linkOpened: "linkOpened"
    case .linkBytes: "linkBytes"
    case .linkCongested: "linkCongested"
    case .linkClosed: "linkClosed"
    case .listening: "listening"
    case .persisted: "persisted"
    case .persistFailed: "persistFailed"
    case .checked: "checked"
    case .readDone: "readDone"
    case .blobStored: "blobStored"
    case .blobRefused: "blobRefused"
    case .leafRead: "leafRead"
    case .fileChecked: "fileChecked"
    case .command: "command"
    case .requestGone: "requestGone"
    case .wake: "wake"
    case .stop: "stop"
    }
  }

  var traceBytes: [UInt8] {
    var writer = ByteWriter(capacity: 128)
    writer.text(traceName)
    switch self {
    case .replay(let feed, let from, let entries):
      writer.named(feed)
      writer.u64(from)
      writer.entries(entries)
    case .start, .wake, .stop: break
    case .datagram(let source, let bytes):
      writer.endpoint(source)
      writer.raw(bytes)
    case .linkAccepted(let link, let remote), .linkOpened(let link, let remote):
      writer.u64(link.number)
      writer.endpoint(remote)
    case .linkBytes(let link, let bytes):
      writer.u64(link.number)
      writer.raw(bytes)
    case .linkCongested(let link, let isCongested):
      writer.u64(link.number)
      writer.flag(isCongested)
    case .linkClosed(let link): writer.u64(link.number)
    case .listening(let endpoints): for endpoint in endpoints { writer.endpoint(endpoint) }
    case .persisted(let through): writer.u64(through)
    case .persistFailed(let from, let fault):
      writer.u64(from)
      writer.text("\(fault)")
    case .checked(let id, let verdict):
      writer.u64(id)
      writer.verdict(verdict)
    case .readDone(let result):
      writer.u64(result.id)
      writer.answer(result.answer)
    default: traceRest(&writer)
    }
    return writer.bytes
  }

  private func traceRest(_ writer: inout ByteWriter) {
    switch self {
    case .blobStored(let blob, let leaf):
      blob.write(to: &writer)
      writer.u32(leaf)
    case .blobRefused(let id, let leaf, let peer):
      writer.named(id)
      writer.u32(leaf)
      writer.named(peer)
    case .leafRead(let id, let leaf, let peer, let content):
      writer.named(id)
      writer.u32(leaf)
      writer.named(peer)
      if let content { writer.leaf(content) }
    case .fileChecked(let id, let sha256):
      writer.named(id)
      if let sha256 { writer.named(sha256) }
    case .command(let command, let request):
      writer.u64(request.number)
      writer.command(command)
    case .requestGone(let request): writer.u64(request.number)
    default: preconditionFailure("an input without an encoding: \(traceName)")
    }
  }
}

extension ByteWriter {
  mutating func text(_ text: String) {
    let bytes = Array(text.utf8)
    u32(UInt32(truncatingIfNeeded: bytes.count))
    raw(bytes)
  }

  mutating func block(_ bytes: [UInt8]) {
    u32(UInt32(truncatingIfNeeded: bytes.count))
    raw(bytes)
  }

  mutating func endpoint(_ endpoint: Endpoint) {
    u64(endpoint.address.high)
    u64(endpoint.address.low)
    u16(endpoint.port)
  }

  mutating func entries(_ entries: [Entry]) {
    u32(UInt32(truncatingIfNeeded: entries.count))
    for entry in entries { block(entry.preimage) }
  }

  mutating func digests(_ digests: [Digest]) {
    u32(UInt32(truncatingIfNeeded: digests.count))
    for digest in digests { named(digest) }
  }

  mutating func leaf(_ content: LeafContent) {
    content.blob.write(to: &self)
    digests(content.path)
    block(content.bytes)
  }

  mutating func verdict(_ verdict: RangeVerdict) {
    switch verdict {
    case .ok(let frontier, let leaves):
      u64(frontier.size)
      digests(frontier.peaks)
      digests(leaves)
    case .badSignature: text("badSignature")
    case .rootMismatch(let computed): named(computed)
    case .badEntry(let index): u64(index)
    }
  }

  mutating func answer(_ answer: ReadResult.Answer) {
    switch answer {
    case .range(let feed, let from, let list, let head):
      named(feed)
      u64(from)
      entries(list)
      raw(head.encoded)
    case .entry(let feed, let index, let entry):
      named(feed)
      u64(index)
      entries([entry])
    case .inclusion(let feed, let index, let size, let leaf, let path):
      named(feed)
      u64(index)
      u64(size)
      named(leaf)
      digests(path)
    case .root(let feed, let size, let root):
      named(feed)
      u64(size)
      named(root)
    case .head(let head): raw(head.encoded)
    case .value(let bytes): block(bytes)
    case .absent: text("absent")
    case .failed(let fault): text("\(fault)")
    }
  }

  /// A policy holds a dictionary, so it is written by sorted key; all other commands are plain values.
  mutating func command(_ command: Command) {
    guard case .setPolicy(let policy) = command else {
      text("\(command)")
      return
    }
    flag(policy.lends)
    u16(policy.cores)
    u32(policy.memoryMiB)
    u32(policy.diskMiB)
    u16(policy.slots)
    for key in policy.relations.keys.sorted() {
      named(key)
      u8(policy.relations[key]?.rawValue ?? 0)
    }
  }
}
