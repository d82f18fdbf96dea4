// Every named limit of the log's layouts, hit on purpose from both sides, and every field that has a wrong value.
import TallyBase
import TallyWire
import Testing

struct LogLimitTests {
  func message(_ type: MessageType, _ write: (inout ByteWriter) -> Void) -> [UInt8] {
    var writer = ByteWriter()
    writer.u8(type.rawValue)
    write(&writer)
    return writer.bytes
  }

  func refuses(_ error: DecodeError, _ bytes: [UInt8], line: Int = #line) {
    #expect(throws: error, "line \(line)") { try LogMessage(decoding: bytes) }
  }

  // MARK: Entries

  @Test func an_entry_of_4096_bytes_is_the_largest() throws {
    let body = WireLimits.entryBytes - Entry.fixedByteCount
    let largest = Entry(kind: .record, timeMs: 0, links: [], body: [UInt8](repeating: 7, count: body))
    #expect(largest.preimage.count == 4096)
    #expect(try Entry(preimage: largest.preimage) == largest)
    #expect(try PackedChunk.decode(PackedChunk.encode([largest])) == [largest])
    let above = Entry(kind: .record, timeMs: 0, links: [], body: [UInt8](repeating: 7, count: body + 1))
    #expect(!above.isWithinLimits)
    var bytes = largest.preimage + [7]
    bytes[12] += 1
    #expect(throws: DecodeError.aboveLimit(field: "entry bytes", value: 4097, limit: 4096)) {
      try Entry(preimage: bytes)
    }
  }

  @Test func an_entry_has_at_most_56_links() throws {
    var samples = LogSamples(seed: 5)
    let links = (0..<WireLimits.entryLinks).map { _ in samples.link() }
    #expect(links.count == 56)
    let entry = Entry(kind: .accept, timeMs: 0, links: links, body: [])
    #expect(try Entry(preimage: entry.preimage) == entry)
    var bytes = entry.preimage
    bytes[11] += 1
    #expect(throws: DecodeError.aboveLimit(field: "entry bytes", value: 14 + 57 * 72, limit: 4096)) {
      try Entry(preimage: bytes)
    }
    #expect(throws: DecodeError.aboveLimit(field: "entry links", value: 57, limit: 56)) {
      try PackedChunk.decode([1, 1, 0, 57])
    }
  }

  @Test func another_entry_version_is_unknown() {
    let bytes = Entry(kind: .record, timeMs: 0, links: [], body: []).preimage
    #expect(throws: DecodeError.unknown(field: "entry version", value: 2)) { try Entry(preimage: [2] + bytes.dropFirst()) }
  }

  // MARK: Chunks

  @Test func a_chunk_holds_256_entries() throws {
    let entry = Entry(kind: .record, timeMs: 5, links: [], body: [1])
    var builder = PackedChunkBuilder()
    for _ in 0..<256 {
      let fits = builder.append(entry)
      #expect(fits)
    }
    let another = builder.append(entry)
    #expect(!another)
    #expect(builder.count == 256)
    let bytes = builder.finish()
    #expect(bytes.count == builder.byteCount)
    #expect(try PackedChunk.decode(bytes).count == 256)
    #expect(throws: DecodeError.aboveLimit(field: "chunk entries", value: 257, limit: 256)) {
      try PackedChunk.decode([0x81, 0x02] + bytes.dropFirst(2))
    }
    #expect(throws: DecodeError.notCanonical(field: "chunk entries")) { try PackedChunk.decode([0]) }
  }

  @Test func a_chunk_holds_60_kib() throws {
    let large = Entry(kind: .record, timeMs: 0, links: [], body: [UInt8](repeating: 9, count: 4000))
    var builder = PackedChunkBuilder()
    var entries: [Entry] = []
    while builder.append(large) { entries.append(large) }
    #expect(entries.count == 15)
    // What is left is filled to the last byte: kind 1, time 1, links 1, length 2.
    let room = WireLimits.chunkBytes - builder.byteCount - 5
    let exact = Entry(kind: .record, timeMs: 0, links: [], body: [UInt8](repeating: 9, count: room))
    let above = Entry(kind: .record, timeMs: 0, links: [], body: [UInt8](repeating: 9, count: room + 1))
    let aboveFits = builder.append(above)
    #expect(!aboveFits)
    let exactFits = builder.append(exact)
    #expect(exactFits)
    #expect(builder.finish().count == WireLimits.chunkBytes)
    #expect(try PackedChunk.decode(builder.finish()) == entries + [exact])
    // The same with one byte more, which no builder makes: kind 9, time 0, no links, length as two bytes.
    var bytes: [UInt8] = [16]
    for count in [Int](repeating: 4000, count: 15) + [room + 1] {
      bytes += [9, 0, 0, UInt8(count & 0x7f) | 0x80, UInt8(count >> 7)] + [UInt8](repeating: 9, count: count)
    }
    #expect(bytes.count == WireLimits.chunkBytes + 1)
    #expect(throws: DecodeError.aboveLimit(field: "chunk bytes", value: 61_441, limit: 61_440)) {
      try PackedChunk.decode(bytes)
    }
  }

  @Test func a_commit_of_48_kib_always_fits_a_chunk() throws {
    // The worst that packing can do to an entry: largest varints, a new feed each time, no body.
    var samples = LogSamples(seed: 6)
    var preimages = 0
    var builder = PackedChunkBuilder()
    var time: Int64 = 0
    while true {
      time = time == 0 ? .min : 0
      let links = (0..<2).map { _ in EntryLink(feed: samples.named(), index: .max, leaf: samples.named()) }
      let entry = Entry(kind: EntryKind(rawValue: .max), timeMs: time, links: links, body: [])
      guard preimages + entry.preimageCount <= WireLimits.commitBytes, builder.count < 256 else { break }
      preimages += entry.preimageCount
      let fits = builder.append(entry)
      #expect(fits)
    }
    #expect(builder.byteCount <= WireLimits.chunkBytes)
  }

  @Test func the_feed_table_has_one_encoding() throws {
    var samples = LogSamples(seed: 7)
    let (a, b, leaf): (FeedID, FeedID, Digest) = (samples.named(), samples.named(), samples.named())
    func chunk(_ links: [(UInt8, FeedID?)]) -> [UInt8] {
      var bytes: [UInt8] = [1, 9, 0, UInt8(links.count)]
      for (place, feed) in links { bytes += [place] + (feed?.bytes ?? []) + [3] + leaf.bytes }
      return bytes + [0]
    }
    #expect(try PackedChunk.decode(chunk([(0, a), (1, b), (0, nil), (1, nil)])).first?.links.count == 4)
    // A feed that is in the table already, a place that was left out, a first place that is not 0.
    let wrong: [[(UInt8, FeedID?)]] = [[(0, a), (1, a)], [(0, a), (2, b)], [(1, a)]]
    for links in wrong {
      #expect(throws: DecodeError.notCanonical(field: "link feed")) { try PackedChunk.decode(chunk(links)) }
    }
  }

  @Test func long_forms_of_numbers_are_refused() {
    #expect(throws: DecodeError.notCanonical(field: "entry kind")) { try PackedChunk.decode([1, 0x89, 0, 0, 0, 0]) }
    #expect(throws: DecodeError.notCanonical(field: "entry time")) { try PackedChunk.decode([1, 9, 0x80, 0, 0, 0]) }
    #expect(throws: DecodeError.aboveLimit(field: "entry kind", value: 65_536, limit: 65_535)) {
      try PackedChunk.decode([1, 0x80, 0x80, 4, 0, 0, 0])
    }
    #expect(throws: DecodeError.aboveLimit(field: "entry body", value: 4097, limit: 4096)) {
      try PackedChunk.decode([1, 9, 0, 0, 0x81, 0x20])
    }
  }

  // MARK: Heads and messages

  @Test func a_head_has_between_one_and_2_to_the_48_entries() throws {
    var samples = LogSamples(seed: 8)
    let head = samples.head(size: WireLimits.feedEntries)
    #expect(head.encoded.count == Head.byteCount)
    #expect(try Head(decoding: head.encoded) == head)
    var above = head.encoded
    above[32] = 1
    #expect(throws: DecodeError.aboveLimit(field: "head size", value: 1 << 48 + 1, limit: 1 << 48)) {
      try Head(decoding: above)
    }
    let empty = Array(above[..<32]) + [UInt8](repeating: 0, count: 8) + above[40...]
    #expect(throws: DecodeError.notCanonical(field: "head size")) { try Head(decoding: empty) }
  }

  @Test func about_you_holds_64_feeds_in_order() throws {
    var samples = LogSamples(seed: 9)
    let full = samples.aboutYou(WireLimits.aboutYouFeeds)
    let bytes = LogMessage.aboutYou(full).encoded
    #expect(try LogMessage(decoding: bytes) == .aboutYou(full))
    refuses(
      .aboveLimit(field: "held feeds", value: 65, limit: 64),
      message(.aboutYou) { $0.u64(0); $0.u64(0); $0.varint(65) })
    let feeds = full.feeds.reversed()
    refuses(
      .notCanonical(field: "held feeds"),
      message(.aboutYou) { writer in
        writer.u64(0)
        writer.u64(0)
        writer.varint(2)
        for feed in feeds.prefix(2) {
          writer.u64(feed.incarnation)
          feed.head.write(into: &writer)
        }
      })
  }

  @Test func a_clock_page_holds_512_feeds_in_order() throws {
    var samples = LogSamples(seed: 10)
    let clock = samples.clock(WireLimits.clockPageFeeds * 2 + 1)
    let pages = ClockPage.pages(of: clock)
    #expect(pages.map(\.entries.count) == [512, 512, 1])
    #expect(pages.map(\.isLast) == [false, false, true])
    #expect(pages.flatMap(\.entries) == clock)
    #expect(pages[1].cursor == clock[511].feed)
    for page in pages {
      let whole = LogMessage.clock(ClockMessage(.answer, digest: .zero, page: page))
      #expect(whole.encoded.count < 65_535 - 16)
      #expect(try LogMessage(decoding: whole.encoded) == whole)
    }
    #expect(ClockPage.pages(of: []) == [ClockPage(cursor: .zero, isLast: true, entries: [])])
    #expect(ClockPage.pages(of: Array(clock.prefix(512))).count == 1)
    let cursor = Bytes32.zero
    refuses(
      .aboveLimit(field: "clock feeds", value: 513, limit: 512),
      message(.clock) { $0.u8(1); $0.bytes32(.zero); $0.bytes32(cursor); $0.flag(true); $0.varint(513) })
    func head(_ step: UInt8, last: UInt8) -> [UInt8] {
      message(.clock) { $0.u8(step); $0.bytes32(.zero); $0.bytes32(cursor); $0.u8(last); $0.varint(0) }
    }
    refuses(.notCanonical(field: "clock feeds"), head(1, last: 0))
    refuses(.notCanonical(field: "clock last"), head(2, last: 2))
    refuses(.unknown(field: "clock step", value: 3), head(3, last: 1))
    refuses(.trailing(count: 34), head(0, last: 1))
  }

  @Test func a_clock_page_is_ordered_above_its_cursor_and_has_no_empty_feed() {
    var samples = LogSamples(seed: 11)
    let pair = samples.clock(2)
    func page(_ cursor: FeedID, _ feeds: [FeedID], size: UInt64, fork: UInt64) -> [UInt8] {
      message(.clock) { writer in
        writer.u8(1)
        writer.bytes32(.zero)
        writer.named(cursor)
        writer.flag(true)
        writer.varint(UInt64(feeds.count))
        for feed in feeds {
          writer.named(feed)
          writer.varint(size)
          writer.bytes32(.zero)
          writer.varint(fork)
        }
      }
    }
    refuses(.notCanonical(field: "clock order"), page(.zero, [pair[1].feed, pair[0].feed], size: 1, fork: 0))
    refuses(.notCanonical(field: "clock order"), page(.zero, [pair[0].feed, pair[0].feed], size: 1, fork: 0))
    refuses(.notCanonical(field: "clock order"), page(pair[0].feed, [pair[0].feed], size: 1, fork: 0))
    refuses(.notCanonical(field: "clock size"), page(.zero, [pair[0].feed], size: 0, fork: 0))
    refuses(
      .aboveLimit(field: "clock size", value: 1 << 48 + 1, limit: 1 << 48),
      page(.zero, [pair[0].feed], size: 1 << 48 + 1, fork: 0))
    #expect(throws: Never.self) { try LogMessage(decoding: page(.zero, [pair[0].feed], size: 0, fork: 1)) }
  }

  @Test func lists_hold_one_to_256_items() throws {
    var samples = LogSamples(seed: 12)
    let ihave = LogMessage.ihave(samples.ihave(WireLimits.listItems))
    #expect(try LogMessage(decoding: ihave.encoded) == ihave)
    let stored = LogMessage.stored(samples.stored(WireLimits.listItems))
    #expect(try LogMessage(decoding: stored.encoded) == stored)
    refuses(.aboveLimit(field: "ihave items", value: 257, limit: 256), message(.ihave) { $0.varint(257) })
    refuses(.aboveLimit(field: "stored items", value: 257, limit: 256), message(.stored) { $0.varint(257) })
    refuses(.notCanonical(field: "ihave items"), message(.ihave) { $0.varint(0) })
    refuses(.notCanonical(field: "stored items"), message(.stored) { $0.varint(0) })
    refuses(.notCanonical(field: "stored size"), message(.stored) { $0.varint(1); $0.bytes32(.zero); $0.varint(0) })
  }

  @Test func the_largest_push_fits_a_sealed_frame() throws {
    let entry = Entry(kind: .record, timeMs: 0, links: [], body: [UInt8](repeating: 9, count: 4000))
    var builder = PackedChunkBuilder()
    var entries: [Entry] = []
    while builder.append(entry) { entries.append(entry) }
    let filler = Entry(
      kind: .record, timeMs: 0, links: [],
      body: [UInt8](repeating: 9, count: WireLimits.chunkBytes - builder.byteCount - 5))
    entries.append(filler)
    var samples = LogSamples(seed: 13)
    let push = Push(
      head: samples.head(size: UInt64(entries.count)), from: 0, introduction: samples.introduction(), entries: entries)
    let bytes = LogMessage.push(push).encoded
    #expect(bytes.count == 1 + 136 + 1 + 41 + WireLimits.chunkBytes)
    #expect(bytes.count < 65_535 - 16)
    #expect(try LogMessage(decoding: bytes) == .push(push))
  }

  @Test func a_push_ends_at_its_head_and_introduces_its_feed_only_at_the_start() throws {
    var samples = LogSamples(seed: 14)
    let push = samples.push(from: 10, count: 2)
    let body = push.encoded
    refuses(.notCanonical(field: "push entries"), message(.push) { $0.raw(body); $0.bytes[1 + 136] = 9 })
    refuses(.notCanonical(field: "push from"), message(.range) { $0.raw(body); $0.bytes[1 + 136] = 12 })
    var first = samples.push(from: 0, count: 1).encoded
    first[136 + 1 + 40] = 3
    refuses(.unknown(field: "carry reason", value: 3), message(.push) { $0.raw(first) })
  }

  @Test func questions_out_of_range_are_refused() {
    func body(_ type: MessageType, _ first: UInt64, _ second: UInt64) -> [UInt8] {
      message(type) { $0.bytes32(.zero); $0.varint(first); $0.varint(second) }
    }
    refuses(.notCanonical(field: "range to"), body(.getRange, 5, 5))
    refuses(.notCanonical(field: "range to"), body(.getRange, 6, 5))
    refuses(.aboveLimit(field: "range to", value: 1 << 48 + 1, limit: 1 << 48), body(.getRange, 6, 1 << 48 + 1))
    refuses(.notCanonical(field: "path index"), body(.getPath, 5, 5))
    refuses(.aboveLimit(field: "path size", value: .max, limit: 1 << 48), body(.getPath, 5, .max))
    refuses(.notCanonical(field: "head held"), message(.head) { $0.bytes32(.zero); $0.u8(2) })
  }

  @Test func drafts_and_other_types_are_unknown() {
    for number in [0x00, 0x2f, 0x39, 0x3a, 0x3e, 0x3f, 0x40, 0xff] as [UInt8] {
      refuses(.unknown(field: "log message", value: Int(number)), [number])
    }
    refuses(.truncated(needed: 1, available: 0), [])
  }

  // MARK: Fork proofs and bodies

  @Test func a_fork_proof_is_at_most_1700_bytes_at_a_million_entries() {
    var samples = LogSamples(seed: 15)
    #expect(samples.forkProof(sizes: (1 << 20, 1 << 20)).encoded.count == 1592)
  }

  @Test func the_heads_of_a_fork_proof_stand_in_order() throws {
    var samples = LogSamples(seed: 16)
    let proof = samples.forkProof(sizes: (8, 8))
    let swapped = try #require(ForkProof(proof.second, proof.first, index: proof.index))
    #expect(swapped == proof)
    let bytes = proof.encoded
    let other = Array(bytes[..<32]) + bytes[136..<240] + bytes[32..<136] + bytes[240...]
    #expect(throws: DecodeError.notCanonical(field: "fork proof heads")) { try ForkProof(decoding: other) }
    let same = Array(bytes[..<32]) + bytes[136..<240] + bytes[136...]
    #expect(throws: DecodeError.notCanonical(field: "fork proof heads")) { try ForkProof(decoding: same) }
    var beyond = bytes
    beyond[240] = 8
    #expect(throws: DecodeError.notCanonical(field: "fork proof index")) { try ForkProof(decoding: beyond) }
  }

  @Test func a_fork_proof_of_the_wrong_shape_is_not_made() {
    var samples = LogSamples(seed: 17)
    let proof = samples.forkProof(sizes: (8, 9))
    let short = ForkProof.Side(head: proof.first.head, leaf: proof.first.leaf, path: Array(proof.first.path.dropLast()))
    #expect(ForkProof(short, proof.second, index: proof.index) == nil)
    #expect(ForkProof(proof.first, proof.first, index: proof.index) == nil)
    #expect(ForkProof(proof.first, samples.forkProof(sizes: (8, 8)).first, index: 0) == nil)
    #expect(ForkProof(proof.first, proof.second, index: 8) == nil)
  }

  @Test func evidence_holds_entries_of_1_kib() throws {
    var samples = LogSamples(seed: 18)
    let entry = Entry(
      kind: .accept, timeMs: 0, links: [],
      body: [UInt8](repeating: 1, count: WireLimits.evidenceEntryBytes - Entry.fixedByteCount))
    let body = EvidenceBody(head: samples.head(size: 1), index: 0, entry: entry, path: [])
    #expect(try EvidenceBody(decoding: body.encoded) == body)
    var bytes = body.encoded
    bytes[137] = 0x01
    bytes[138] = 0x04
    #expect(throws: DecodeError.aboveLimit(field: "evidence entry", value: 1025, limit: 1024)) {
      try EvidenceBody(decoding: bytes)
    }
    bytes[136] = 1
    #expect(throws: DecodeError.notCanonical(field: "evidence index")) { try EvidenceBody(decoding: bytes) }
    // The largest of all fits an entry beside a link to what it is evidence of.
    let most = WireLimits.evidenceEntryBytes + 136 + 7 + 2 + 48 * 32
    #expect(most <= WireLimits.entryBytes - Entry.fixedByteCount - EntryLink.byteCount)
  }

  @Test func a_sighting_links_to_at_most_four_feeds_each_once() {
    var samples = LogSamples(seed: 20)
    var links: [EntryLink] = []
    for index in 0..<5 as Range<UInt64> {
      links.append(EntryLink(feed: samples.named(), index: index, leaf: samples.named()))
    }
    #expect(SightingBody.accepts([]))
    #expect(SightingBody.accepts(Array(links.prefix(WireLimits.sightingLinks))))
    #expect(!SightingBody.accepts(links))
    #expect(!SightingBody.accepts([links[0], links[1], links[0]]))
  }

  @Test func bodies_refuse_what_has_no_meaning() throws {
    var samples = LogSamples(seed: 19)
    var begin = samples.beginBody(continues: true).encoded
    begin[72] = 2
    #expect(throws: DecodeError.notCanonical(field: "begin continues")) { try BeginBody(decoding: begin) }
    begin[72] = 1
    begin[105] = 0
    #expect(throws: DecodeError.notCanonical(field: "begin root")) { try BeginBody(decoding: begin) }
    begin[112] = 1
    #expect(throws: DecodeError.aboveLimit(field: "begin size", value: 1 << 56, limit: 1 << 48)) {
      try BeginBody(decoding: begin)
    }
    #expect(throws: DecodeError.unknown(field: "record form", value: 2)) {
      try RecordBody(decoding: [2] + [UInt8](repeating: 0, count: 32))
    }
    #expect(throws: DecodeError.truncated(needed: 8, available: 7)) {
      try SightingBody(decoding: [UInt8](repeating: 0, count: 15))
    }
  }
}
