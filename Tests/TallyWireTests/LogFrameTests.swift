// The golden frames of Fixtures/frames/log: written once, compared byte for byte for ever.
// TALLY_WRITE_FRAMES=1 writes them anew; a difference in version control is then a change of the wire.
import Foundation
import TallyBase
import TallyWire
import Testing

struct LogFrameTests {
  /// A frame: its file's name, what it is, the bytes our encoder gives, and our decoder followed by our encoder.
  struct Frame {
    let name: String
    let what: String
    let bytes: [UInt8]
    let recode: ([UInt8]) throws -> [UInt8]
  }

  static func frame<Value: WireValue>(_ name: String, _ what: String, _ value: Value) -> Frame {
    Frame(name: name, what: what, bytes: value.encoded) { try Value(decoding: $0).encoded }
  }

  static var frames: [Frame] {
    var samples = LogSamples(seed: 1)
    var frames = samples.messages().map { name, message in
      Frame(
        name: "message_\(name)", what: "message 0x\(Hex.encode([message.type.rawValue])), type byte and body",
        bytes: message.encoded
      ) { try LogMessage(decoding: $0).encoded }
    }
    let chunk = samples.entries(5)
    frames.append(
      frame("entry", "leaf preimage of an entry with two links",
        Entry(kind: .accept, timeMs: 1_700_000_000_000, links: [samples.link(), samples.link()], body: [1, 2, 3])))
    frames.append(
      frame("entry_plain", "leaf preimage of the example in PROTOCOL.md",
        Entry(kind: .record, timeMs: 1_700_000_000_000, links: [], body: [0xaa, 0xbb])))
    frames.append(
      Frame(name: "chunk", what: "packed chunk of five entries", bytes: PackedChunk.encode(chunk)) {
        PackedChunk.encode(try PackedChunk.decode($0))
      })
    frames.append(frame("head", "head, 136 bytes", samples.head()))
    frames.append(frame("fork_proof_2_20", "fork proof at 2^20 entries", samples.forkProof(sizes: (1 << 20, 1 << 20))))
    frames.append(frame("body_begin", "body of begin, first feed of its author", samples.beginBody(continues: false)))
    frames.append(frame("body_begin_continues", "body of begin after a rollback", samples.beginBody(continues: true)))
    frames.append(frame("body_sighting", "body of sighting", SightingBody(clock: samples.named())))
    frames.append(frame("body_evidence", "body of evidence", samples.evidenceBody()))
    frames.append(frame("body_record", "body of record, salted", RecordBody(form: .salted, digest: samples.named())))
    return frames
  }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Fixtures/frames/log").standardizedFileURL

  static func write(_ frame: Frame) throws {
    var lines = ["# \(frame.what)"]
    let digits = Array(Hex.encode(frame.bytes))
    for start in stride(from: 0, to: digits.count, by: 96) {
      lines.append(String(digits[start..<min(digits.count, start + 96)]))
    }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let text = lines.joined(separator: "\n") + "\n"
    try text.write(to: folder.appendingPathComponent("\(frame.name).hex"), atomically: true, encoding: .utf8)
  }

  /// The bytes of a frame file: hexadecimal digits, lines that begin with # left out.
  static func read(_ name: String) throws -> [UInt8] {
    let text = try String(contentsOf: folder.appendingPathComponent("\(name).hex"), encoding: .utf8)
    let lines = text.split(separator: "\n")
    #expect(lines.first?.hasPrefix("# ") == true, "\(name) has no comment line")
    return try #require(Hex.decode(lines.filter { !$0.hasPrefix("#") }.joined()), "\(name) is not hexadecimal")
  }

  @Test func every_golden_frame_is_what_the_encoder_gives_and_survives_the_decoder() throws {
    let mayWrite = ProcessInfo.processInfo.environment["TALLY_WRITE_FRAMES"] == "1"
    for frame in Self.frames {
      if mayWrite { try Self.write(frame) }
      let golden = try Self.read(frame.name)
      #expect(golden == frame.bytes, "\(frame.name)")
      #expect(try frame.recode(golden) == golden, "\(frame.name)")
    }
  }

  @Test func no_frame_file_is_left_without_a_test() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    let known = Set(Self.frames.map { "\($0.name).hex" })
    // Frames named `signed_` hold real signatures and are checked by TallyLogTests.
    #expect(files.filter { $0.hasSuffix(".hex") && !$0.hasPrefix("signed_") && !known.contains($0) } == [])
  }

  @Test func a_cut_or_lengthened_frame_is_refused() throws {
    for frame in Self.frames {
      for count in 0..<frame.bytes.count {
        #expect(throws: DecodeError.self, "\(frame.name) cut to \(count)") {
          try frame.recode(Array(frame.bytes[..<count]))
        }
      }
      #expect(throws: DecodeError.self, "\(frame.name) with a byte more") { try frame.recode(frame.bytes + [0]) }
    }
  }

  @Test func every_flipped_bit_is_refused_or_is_another_value_with_that_one_encoding() throws {
    for frame in Self.frames {
      for index in frame.bytes.indices {
        for bit in 0..<8 {
          var bytes = frame.bytes
          bytes[index] ^= 1 << UInt8(bit)
          do {
            let again = try frame.recode(bytes)
            if again != bytes { Issue.record("\(frame.name): a second encoding at byte \(index), bit \(bit)") }
          } catch let error as DecodeError {
            _ = error
          }
        }
      }
    }
  }
}
