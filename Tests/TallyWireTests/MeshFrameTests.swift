// The golden frames of Fixtures/frames/mesh: written once, compared byte for byte for ever. Each is also mutated, one
// byte at a time and cut at every length: what still decodes must encode to the very bytes it was decoded from.
// TALLY_WRITE_FRAMES=1 writes them anew; a difference in version control is then a change of the wire.
import Foundation
import TallyBase
import TallyWire
import Testing

struct MeshSamples {
  static func key(_ byte: UInt8) -> PublicKey { PublicKey([UInt8](repeating: byte, count: 32))! }
  static let signature = Signature((0..<64).map { UInt8($0) })!
  static let mesh = MeshID([UInt8](repeating: 0xaa, count: 32))!
  static func endpoint(_ text: String) -> Endpoint { Endpoint(text)! }

  static func record(_ byte: UInt8, _ endpoints: [String]) -> NodeRecord {
    NodeRecord(
      key: key(byte), number: RecordNumber(epoch: 1_700_000_000_000, counter: 7),
      attributes: ShortDigest(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10),
      endpoints: endpoints.map(endpoint), signature: signature)
  }

  static let attributes = Attributes(
    petname: "kiln", architecture: .x8664, cores: 16, memoryMiB: 65_536, lends: true, roots: .vouched,
    nativeSandbox: true, extensions: [Attributes.Extension(number: 9, bytes: [1, 2, 3])])
  static let single = record(1, ["192.0.2.4:8255"])
  static let dual = record(2, ["192.0.2.5:8255", "198.51.100.1:1", "[2001:db8::5]:8255", "[fd00::1]:65535"])
  static let bare = record(3, [])
  static let reached = Reached(
    how: .atAddress, subject: key(1), number: single.number, endpoint: endpoint("192.0.2.4:8255"), observer: key(2),
    signature: signature)
  static let leave = Leave(key: key(1), number: single.number, signature: signature)
}

struct MeshFrameTests {
  struct Frame {
    let name: String
    let what: String
    let bytes: [UInt8]
    let recode: ([UInt8]) throws(DecodeError) -> [UInt8]
  }

  static func message<Value: MeshMessage>(_ name: String, _ what: String, _ value: Value) -> Frame {
    Frame(name: name, what: what, bytes: value.message) { (bytes) throws(DecodeError) in
      try Value(message: bytes).message
    }
  }

  static var frames: [Frame] {
    typealias S = MeshSamples
    let withBlock = RecordWithAttributes(record: S.single, block: S.attributes.encoded)
    return [
      Frame(name: "attributes", what: "attribute block with one extension", bytes: S.attributes.encoded) {
        (bytes) throws(DecodeError) in try Attributes(decoding: bytes).encoded
      },
      Frame(name: "record_dual", what: "node record, two endpoints a family", bytes: S.dual.encoded) {
        (bytes) throws(DecodeError) in try NodeRecord(decoding: bytes).encoded
      },
      Frame(name: "record_bare", what: "node record without endpoints", bytes: S.bare.encoded) {
        (bytes) throws(DecodeError) in try NodeRecord(decoding: bytes).encoded
      },
      message("find", "0x10 FIND", Find(id: 0x1122, target: NodeID(raw: S.key(9).raw), count: 8)),
      message("nodes", "0x11 NODES, part 0 of 2", Nodes(id: 0x1122, part: 0, partCount: 2, records: [S.single, S.dual])),
      message("nodes_empty", "0x11 NODES without records", Nodes(id: 1, part: 0, partCount: 1, records: [])),
      message("get_record", "0x12 GET_RECORD", GetRecord(key: S.key(1))),
      message("record", "0x13 RECORD with its attribute block", withBlock),
      message("record_only", "0x13 RECORD without a block", RecordWithAttributes(record: S.single, block: [])),
      message(
        "members", "0x20 MEMBERS, last page: record, reached, leave",
        Members(
          view: ShortDigest(high: 1, low: 2), items: [.record(withBlock), .reached(S.reached), .leave(S.leave)])),
      message("members_spread", "0x20 MEMBERS, a spread", Members(view: nil, items: [.reached(S.reached)])),
      message("leave", "0x21 LEAVE", S.leave),
      message("reached", "0x24 REACHED", S.reached),
      message("get_members", "0x25 GET_MEMBERS", GetMembers(view: ShortDigest(high: 3, low: 4))),
    ]
  }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Fixtures/frames/mesh").standardizedFileURL

  static func text(_ frame: Frame) -> String {
    let digits = Array(Hex.encode(frame.bytes))
    let lines = stride(from: 0, to: digits.count, by: 96).map { String(digits[$0..<min(digits.count, $0 + 96)]) }
    return (["# \(frame.what)"] + lines).joined(separator: "\n") + "\n"
  }

  @Test func everyFrameIsAsItWasWritten() throws {
    for frame in Self.frames {
      let file = Self.folder.appendingPathComponent("\(frame.name).hex")
      if ProcessInfo.processInfo.environment["TALLY_WRITE_FRAMES"] == "1" {
        try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
        try Data(Self.text(frame).utf8).write(to: file)
      }
      let written = try String(contentsOf: file, encoding: .utf8)
      #expect(written == Self.text(frame), "\(frame.name)")
      #expect(try frame.recode(frame.bytes) == frame.bytes, "\(frame.name)")
    }
  }

  @Test func aMutatedFrameIsRefusedOrIsTheOneEncodingOfAnotherValue() {
    for frame in Self.frames {
      for index in frame.bytes.indices {
        for change in [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xff] as [UInt8] {
          var bytes = frame.bytes
          bytes[index] ^= change
          do {
            let again = try frame.recode(bytes)
            // The one field that a newer version may fill with what this one does not know: it is shown as `other`,
            // and the block is carried as the bytes that came.
            if frame.name == "attributes" && index == 2 { continue }
            #expect(again == bytes, "\(frame.name), byte \(index) ^ \(change)")
          } catch {}
        }
      }
    }
  }

  @Test func aCutOrLengthenedFrameIsRefused() {
    for frame in Self.frames {
      // An attribute block may end before any of its extensions.
      let shortest = frame.name == "attributes" ? frame.bytes.count - 1 : frame.bytes.count
      for count in 0..<shortest where frame.name != "attributes" || count != frame.bytes.count - 5 {
        #expect(throws: DecodeError.self, "\(frame.name) cut to \(count)") { try frame.recode(Array(frame.bytes.prefix(count))) }
      }
      #expect(throws: DecodeError.self, "\(frame.name) and a byte") { try frame.recode(frame.bytes + [0]) }
    }
  }

  @Test func aMessageOfAnotherTypeIsRefused() {
    #expect(throws: DecodeError.unknown(field: "message type", value: 0x24)) {
      try Leave(message: MeshSamples.reached.message)
    }
  }
}

struct MeshWireLimitTests {
  typealias S = MeshSamples

  @Test func aRecordHoldsTwoEndpointsAFamily() {
    let many = ["192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1", "[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1"]
    let kept = NodeRecord.canonical(many.map(S.endpoint))
    #expect(kept == [many[0], many[1], many[3], many[4]].map(S.endpoint))
    var bytes = S.dual.encoded
    bytes[1] = 3 | 2 << 2
    #expect(throws: DecodeError.aboveLimit(field: "record endpoints", value: 3, limit: 2)) {
      try NodeRecord(decoding: bytes)
    }
    #expect(S.dual.byteCount == NodeRecord.byteCountMax && S.dual.encoded.count == NodeRecord.byteCountMax)
    #expect(S.bare.encoded.count == NodeRecord.byteCountMin)
  }

  @Test(arguments: ["0.0.0.0:1", "224.0.0.1:1", "[::]:1", "[ff02::1]:1", "192.0.2.1:0"])
  func anEndpointThatNobodyCanDialIsNoPartOfARecord(_ text: String) {
    #expect(NodeRecord.canonical([S.endpoint(text)]).isEmpty)
  }

  @Test func aRepeatedOrMisplacedEndpointIsNotCanonical() {
    let twice = S.record(1, ["192.0.2.1:1", "192.0.2.2:1"])
    var bytes = twice.encoded
    for offset in 0..<6 { bytes[68 + offset] = bytes[62 + offset] }
    #expect(throws: DecodeError.notCanonical(field: "record endpoints")) { try NodeRecord(decoding: bytes) }
    // An IPv4 address, mapped, in the IPv6 part.
    bytes = S.record(1, ["[2001:db8::1]:1"]).encoded
    for offset in 0..<10 { bytes[62 + offset] = 0 }
    bytes[72] = 0xff
    bytes[73] = 0xff
    bytes[74] = 192
    #expect(throws: DecodeError.notCanonical(field: "record endpoints")) { try NodeRecord(decoding: bytes) }
  }

  @Test func anAnswerIsAtMostTwoDatagramsOfEightRecords() throws {
    let single = Nodes.answer(5, records: (0..<30).map { S.record(UInt8($0 + 1), ["192.0.2.1:\($0 + 1)"]) })
    #expect(single.map(\.records.count) == [8, 8])
    let large = Nodes.answer(5, records: (0..<30).map { _ in S.dual })
    #expect(large.map(\.records.count) == [6, 6])
    for part in single + large {
      #expect(part.message.count <= Nodes.byteCountMax)
      #expect(try Nodes(message: part.message) == part)
    }
    #expect(Nodes.answer(5, records: []).map(\.records.count) == [0])
    var bytes = single[0].message
    bytes[11] = 9
    #expect(throws: DecodeError.aboveLimit(field: "NODES records", value: 9, limit: 8)) { try Nodes(message: bytes) }
    #expect(throws: DecodeError.aboveLimit(field: "NODES", value: 1185, limit: 1184)) {
      try Nodes(message: [0x11] + [UInt8](repeating: 0, count: 1184))
    }
  }

  @Test func aQuestionIsForOneToSixteenRecords() {
    var bytes = Find(id: 1, target: NodeID(raw: .zero), count: 16).message
    bytes[41] = 17
    #expect(throws: DecodeError.aboveLimit(field: "FIND count", value: 17, limit: 16)) { try Find(message: bytes) }
    bytes[41] = 0
    #expect(throws: DecodeError.notCanonical(field: "FIND count")) { try Find(message: bytes) }
  }

  @Test func anAttributeBlockIsAtMost256Bytes() {
    let block = S.attributes.encoded
    let padded = block + [10, UInt8(256 - block.count - 2)] + [UInt8](repeating: 7, count: 256 - block.count - 2)
    #expect(throws: Never.self) { try Attributes(decoding: padded) }
    #expect(throws: DecodeError.aboveLimit(field: "attribute block", value: 257, limit: 256)) {
      try Attributes(decoding: padded + [0])
    }
    var message = RecordWithAttributes(record: S.bare, block: padded).message
    message[127] = 1
    message[128] = 1
    #expect(throws: DecodeError.aboveLimit(field: "attribute block", value: 257, limit: 256)) {
      try RecordWithAttributes(message: message + [0])
    }
  }

  @Test(arguments: ["", "kiln", "a", "0", "old-laptop.attic", String(repeating: "x", count: 32)])
  func petnamesRoundTrip(_ name: String) throws {
    #expect(try Attributes(decoding: Attributes(petname: name).encoded).petname == name)
  }

  @Test(arguments: ["-a", ".a", "A", "a b", "ä", "a\u{1b}[31m", String(repeating: "x", count: 33)])
  func aPetnameThatCouldHarmATerminalIsRefused(_ name: String) {
    #expect(!Attributes.isPetname(name))
    var bytes = Attributes().encoded
    bytes[10] = UInt8(name.utf8.count)
    bytes += Array(name.utf8)
    #expect(throws: DecodeError.notCanonical(field: "petname")) { try Attributes(decoding: bytes) }
  }

  @Test func pagesOfMembersStayBelowTheirLimits() throws {
    let block = S.attributes.encoded
    let items = (0..<600).map { _ in Members.Item.record(RecordWithAttributes(record: S.dual, block: block)) }
    let view = ShortDigest(high: 1, low: 1)
    let pages = Members.pages(items, view: view)
    #expect(pages.count > 1 && pages.reduce(0) { $0 + $1.items.count } == 600)
    #expect(pages.dropLast().allSatisfy { $0.view == nil } && pages.last?.view == view)
    for page in pages {
      #expect(page.message.count <= Members.byteCountMax)
      #expect(try Members(message: page.message) == page)
    }
    let small = Members.pages((0..<1025).map { _ in .leave(S.leave) }, view: nil)
    #expect(small.allSatisfy { $0.items.count <= Members.itemCountMax })
    var bytes = Members(view: nil, items: []).message
    bytes[18] = 1
    bytes[19] = 4
    #expect(throws: DecodeError.aboveLimit(field: "MEMBERS items", value: 1025, limit: 1024)) {
      try Members(message: bytes)
    }
    #expect(throws: DecodeError.aboveLimit(field: "MEMBERS", value: 61441, limit: 61440)) {
      try Members(message: [0x20] + [UInt8](repeating: 0, count: 61440))
    }
  }

  @Test func whatIsSignedBeginsWithZeroAndItsTagAndNamesTheMesh() {
    let number = S.single.number
    for (bytes, tag) in [
      (S.single.signedBytes(mesh: S.mesh), "tally/record/1"), (S.reached.signedBytes(mesh: S.mesh), "tally/reached/1"),
      (Leave.signedBytes(mesh: S.mesh, key: S.key(1), number: number), "tally/leave/1"),
    ] {
      #expect(bytes.starts(with: [0] + Array(tag.utf8) + S.mesh.bytes))
    }
    // Every byte before the signature is signed.
    #expect(S.single.signedBytes(mesh: S.mesh).suffix(S.single.byteCount - 64) == S.single.encoded.dropLast(64)[...])
    #expect(S.reached.signedBytes(mesh: S.mesh).suffix(95) == S.reached.encoded.dropLast(64)[...])
  }

  @Test func numbersOrderByEpochThenCounter() {
    let low = RecordNumber(epoch: 1, counter: .max)
    #expect(low < RecordNumber(epoch: 2, counter: 0))
    #expect(low.successor == RecordNumber(epoch: 2, counter: 0))
    #expect(RecordNumber(epoch: .max, counter: .max).successor == nil)
  }
}
