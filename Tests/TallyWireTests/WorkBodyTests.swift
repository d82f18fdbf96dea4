// The work bodies: golden frames, round trips, canonical and total decoders, every limit hit on purpose.
// TALLY_WRITE_FRAMES=1 writes the frames anew; a difference in version control is then a change of the wire.
import Foundation
import TallyBase
import TallyWire
import Testing

struct WorkBodyTests {
  struct Frame {
    let name: String
    let what: String
    let bytes: [UInt8]
    /// The decoder followed by the encoder.
    let recode: ([UInt8]) throws -> [UInt8]
  }

  static func filled(_ byte: UInt8) -> Bytes32 { Bytes32([UInt8](repeating: byte, count: 32))! }
  static func digest(_ byte: UInt8) -> Digest { Digest(raw: filled(byte)) }

  static let plainTerms = Terms(mostUnits: 60)
  static let richTerms = Terms(
    agree: 3, agreeOn: .outputsAndStdout, unit: UnitName("kwh-s")!, mostUnits: (1 << 40) - 1,
    tasks: 1_000_000,
    resources: JobResources(
      cpuSeconds: 1, wallSeconds: 2, memoryMebibytes: 3, diskMebibytes: 0, outputMebibytes: 5, processes: 65535),
    deadlineMs: 1_800_000_000_000,
    placement: [PlacementLabel("arch=x86_64")!, PlacementLabel("zone=eu/north")!])

  static func post(_ bytes: [UInt8]) throws -> [UInt8] { try JobPostBody.decode(bytes).encode() }

  static var frames: [Frame] {
    let claim = WorkClaimBody(
      digest: digest(7), exit: -9, units: 3, sandbox: .bubblewrap, root: .fetched, cpuMs: 2_500, wallMs: 9_000,
      bytesFetched: 35_149, bytesDelivered: (1 << 40) - 1)
    let fail = WorkFailBody(reason: .memory, exit: -9, limit: 1024, measured: 1025, cpuMs: 10, wallMs: 20)
    let grant = LeaseGrantBody(
      taskIndex: 999_999, attempt: 2, worker: PublicKey(raw: filled(4)), ttlSeconds: 60, saltCommitment: digest(5))
    return [
      Frame(
        name: "body_job_post_private", what: "body of job.post, private, default terms",
        bytes: JobPostBody.known(plainTerms, .hidden(commitment: digest(1))).encode(), recode: post),
      Frame(
        name: "body_job_post_public", what: "body of job.post, public, every field set",
        bytes: JobPostBody.known(richTerms, .open(salt: filled(2), workHash: digest(3))).encode(), recode: post),
      Frame(name: "body_job_cancel", what: "body of job.cancel", bytes: JobCancelBody(reason: .noWorker).encode()) {
        try JobCancelBody.decode($0).encode()
      },
      Frame(name: "body_lease_grant", what: "body of lease.grant", bytes: grant.encode()) {
        try LeaseGrantBody.decode($0).encode()
      },
      Frame(name: "body_work_claim", what: "body of work.claim, killed by signal 9", bytes: claim.encode()) {
        try WorkClaimBody.decode($0).encode()
      },
      Frame(name: "body_work_fail", what: "body of work.fail, out of memory", bytes: fail.encode()) {
        try WorkFailBody.decode($0).encode()
      },
      Frame(
        name: "body_accept", what: "body of accept, two claims behind links 0 and 2 of three",
        bytes: AcceptBody(items: [AcceptItem(link: 0, amount: 0), AcceptItem(link: 2, amount: (1 << 40) - 1)]).encode()
      ) { try AcceptBody.decode($0, links: 3).encode() },
      Frame(name: "body_refuse", what: "body of refuse", bytes: RefuseBody(reason: .outputsMissing).encode()) {
        try RefuseBody.decode($0).encode()
      },
    ]
  }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Fixtures/frames/work").standardizedFileURL

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

  @Test func every_golden_frame_is_what_the_encoder_gives_and_survives_the_decoder() throws {
    let mayWrite = ProcessInfo.processInfo.environment["TALLY_WRITE_FRAMES"] == "1"
    for frame in Self.frames {
      if mayWrite { try Self.write(frame) }
      let text = try String(contentsOf: Self.folder.appendingPathComponent("\(frame.name).hex"), encoding: .utf8)
      let digits = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.joined()
      let golden = try #require(Hex.decode(digits))
      #expect(golden == frame.bytes, "\(frame.name)")
      #expect(try frame.recode(golden) == golden, "\(frame.name)")
    }
  }

  @Test func no_frame_on_disk_is_without_its_sample() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
    #expect(files == Self.frames.map { "\($0.name).hex" }.sorted())
  }

  @Test func sizes_are_those_of_the_byte_tables() {
    let sizes = Dictionary(uniqueKeysWithValues: Self.frames.map { ($0.name, $0.bytes.count) })
    #expect(sizes["body_job_post_private"] == 83)
    #expect(sizes["body_job_cancel"] == 1)
    #expect(sizes["body_lease_grant"] == 74)
    #expect(sizes["body_work_claim"] == 63)
    #expect(sizes["body_work_fail"] == 25)
    #expect(sizes["body_accept"] == 13)
    #expect(sizes["body_refuse"] == 1)
  }

  /// Total and canonical: whatever the bytes, the decoder throws a DecodeError or its value encodes to the same bytes.
  @Test func any_change_of_any_byte_is_refused_or_is_another_value_in_its_one_encoding() throws {
    var generator = Generator(seed: Self.filled(9), stream: 0)
    for frame in Self.frames {
      for position in frame.bytes.indices {
        for _ in 0..<16 {
          var bytes = frame.bytes
          bytes[position] ^= UInt8(1 + generator.below(255))
          // An unknown rules number leaves the rest opaque: there is nothing to encode.
          if frame.name.hasPrefix("body_job_post") && position == 0 { continue }
          do {
            #expect(try frame.recode(bytes) == bytes, "\(frame.name) at \(position)")
          } catch {
            #expect(error is DecodeError)
          }
        }
      }
    }
  }

  @Test func a_cut_or_lengthened_body_is_refused() {
    for frame in Self.frames {
      for count in 0..<frame.bytes.count {
        if frame.name.hasPrefix("body_job_post") && count == 0 { continue }
        #expect(throws: DecodeError.self, "\(frame.name) cut to \(count)") {
          _ = try frame.recode(Array(frame.bytes.prefix(count)))
        }
      }
      #expect(throws: DecodeError.trailing(count: 1), "\(frame.name)") { _ = try frame.recode(frame.bytes + [0]) }
    }
  }

  @Test func random_bytes_never_trap_a_decoder() {
    var generator = Generator(seed: Self.filled(8), stream: 1)
    for _ in 0..<20_000 {
      var bytes = generator.bytes(generator.below(140))
      if generator.chance(1, outOf: 2), !bytes.isEmpty { bytes[0] = 1 }
      for frame in Self.frames where !(frame.name.hasPrefix("body_job_post") && bytes.first != 1) {
        if let again = try? frame.recode(bytes) { #expect(again == bytes) }
      }
    }
  }

  @Test func rules_of_another_version_are_told_apart_not_refused() throws {
    #expect(try JobPostBody.decode([2, 9, 9]) == .unknownRules(2))
    #expect(try JobPostBody.decode([0]) == .unknownRules(0))
  }

  // MARK: Limits, each hit on purpose

  private static func postBytes(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
    var bytes = JobPostBody.known(plainTerms, .hidden(commitment: digest(1))).encode()
    change(&bytes)
    return bytes
  }

  private static func set32(_ bytes: inout [UInt8], _ offset: Int, _ value: UInt32) {
    for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
  }

  @Test func numbers_of_a_post_are_held_to_their_ranges() throws {
    let cases: [(Int, UInt32, UInt32, StaticStringName)] = [
      (16, 0, WorkLimits.tasksMax + 1, "tasks"), (20, 0, WorkLimits.secondsMax + 1, "cpu_s"),
      (24, 0, WorkLimits.secondsMax + 1, "wall_s"), (28, 0, WorkLimits.mebibytesMax + 1, "mem_mb"),
      (32, .max, WorkLimits.mebibytesMax + 1, "disk_mb"), (36, .max, WorkLimits.mebibytesMax + 1, "out_mb"),
    ]
    for (offset, low, high, field) in cases {
      let above = Self.postBytes { Self.set32(&$0, offset, high) }
      #expect(throws: DecodeError.aboveLimit(field: field, value: Int(high), limit: Int(high) - 1)) {
        _ = try JobPostBody.decode(above)
      }
      #expect(throws: DecodeError.self) { _ = try JobPostBody.decode(Self.postBytes { Self.set32(&$0, offset, low) }) }
    }
    #expect(throws: DecodeError.aboveLimit(field: "agree", value: 33, limit: 32)) {
      _ = try JobPostBody.decode(Self.postBytes { $0[2] = 33 })
    }
    #expect(throws: DecodeError.aboveLimit(field: "labels", value: 9, limit: 8)) {
      _ = try JobPostBody.decode(Self.postBytes { $0[50] = 9 })
    }
    for (offset, value) in [(2, 0), (1, 4), (3, 0), (3, 0x41), (4, 0), (49, 0x80)] as [(Int, UInt8)] {
      #expect(throws: DecodeError.self, "byte \(offset) = \(value)") {
        _ = try JobPostBody.decode(Self.postBytes { $0[offset] = value })
      }
    }
    #expect(throws: DecodeError.notCanonical(field: "procs")) {
      _ = try JobPostBody.decode(Self.postBytes { ($0[40], $0[41]) = (0, 0) })
    }
  }

  @Test func labels_and_units_are_held_to_their_bytes() {
    #expect(UnitName("") == nil)
    #expect(UnitName("cpu-s") == .cpuSeconds)
    #expect(UnitName("12345678")?.description == "12345678")
    #expect(UnitName("123456789") == nil)
    #expect(UnitName("CPU") == nil)
    #expect(PlacementLabel(String(repeating: "a", count: 32)) != nil)
    #expect(PlacementLabel(String(repeating: "a", count: 33)) == nil)
    #expect(PlacementLabel("") == nil)
    #expect(PlacementLabel("a b") == nil)
    var terms = Self.plainTerms
    #expect(terms.isWithinLimits)
    terms.placement = [PlacementLabel("b")!, PlacementLabel("a")!]
    #expect(!terms.isWithinLimits)
    terms = Self.plainTerms
    terms.mostUnits = 1 << 40
    #expect(!terms.isWithinLimits)
  }

  @Test func an_accept_names_one_to_twelve_ascending_links_that_are_there() throws {
    let twelve = AcceptBody(amounts: [UInt64](repeating: 1, count: 12))
    #expect(try AcceptBody.decode(twelve.encode(), links: 12) == twelve)
    #expect(throws: DecodeError.aboveLimit(field: "link", value: 11, limit: 10)) {
      _ = try AcceptBody.decode(twelve.encode(), links: 11)
    }
    #expect(throws: DecodeError.aboveLimit(field: "items", value: 13, limit: 12)) {
      _ = try AcceptBody.decode([13] + [UInt8](repeating: 0, count: 78), links: 13)
    }
    #expect(throws: DecodeError.notCanonical(field: "items")) { _ = try AcceptBody.decode([0], links: 1) }
    #expect(throws: DecodeError.notCanonical(field: "items")) {
      _ = try AcceptBody.decode([2, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0], links: 2)
    }
    let entry = Entry(
      kind: .accept, timeMs: 0,
      links: (0..<12).map { EntryLink(feed: FeedID(raw: .zero), index: $0, leaf: Self.digest(1)) },
      body: twelve.encode())
    #expect(entry.preimageCount <= WireLimits.evidenceEntryBytes)
  }

  @Test func exit_codes_beyond_signals_are_refused() {
    for exit in [-65, 256, Int32.min, Int32.max] {
      var bytes = WorkClaimBody(
        digest: Self.digest(1), exit: 0, units: 0, sandbox: .wasm, root: .made, cpuMs: 0, wallMs: 0
      ).encode()
      Self.set32(&bytes, 32, UInt32(bitPattern: exit))
      #expect(throws: DecodeError.notCanonical(field: "exit")) { _ = try WorkClaimBody.decode(bytes) }
    }
  }
}
