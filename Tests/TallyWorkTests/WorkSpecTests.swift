// Work as RFC 8785 JSON: what is written, what is refused, and that errors name the field and the fix.
import Foundation
import TallyBase
import TallyCrypto
import TallyWire
import Testing

@testable import TallyWork

struct WorkSpecTests {
  static let content = ContentID(raw: Bytes32([UInt8](repeating: 0xab, count: 32))!)
  static let hash = Digest(raw: Bytes32([UInt8](repeating: 0xcd, count: 32))!)
  static let ab = String(repeating: "ab", count: 32)
  static let cd = String(repeating: "cd", count: 32)

  static let rich = WorkSpec(
    run: ["sh", "-c", "sort < /in/a.tar > /out/\"x\"\n"],
    root: .tree(content, arch: "x86_64", recipe: Recipe(fields: [
      "suite": .text("bookworm"), "packages": .list(["coreutils", "é"]),
    ])),
    inputs: [
      WorkInput(at: "src", content: .tree(content)), WorkInput(at: "a.tar", content: .file(content, sha256: hash)),
    ],
    stdin: content, environment: ["LANG": "C", "A_B": "\u{1}\t\u{7f}€"], cores: 2,
    over: WorkOver(table: content, rows: 3))

  static let richText =
    #"{"cores":2,"env":{"A_B":"\u0001\t\#u{7f}€","LANG":"C"},"epoch":315532800,"in":[{"at":"a.tar","file":"\#(ab)","sha256":"\#(cd)"},{"at":"src","tree":"\#(ab)"}],"over":{"rows":3,"table":"\#(ab)"},"root":{"arch":"x86_64","recipe":{"packages":["coreutils","é"],"suite":"bookworm"},"tree":"\#(ab)"},"run":["sh","-c","sort < /in/a.tar > /out/\"x\"\n"],"stdin":"\#(ab)","v":1}"#

  static let plainText =
    #"{"cores":1,"env":{},"epoch":315532800,"in":[],"root":{"host":"x86_64"},"run":["true"],"v":1}"#

  static func parse(_ text: String) throws(WorkSpecError) -> WorkSpec { try WorkSpec.parse(Array(text.utf8)) }

  @Test func the_canonical_text_is_exactly_this() throws {
    #expect(String(decoding: try Self.rich.canonicalBytes(), as: UTF8.self) == Self.richText)
    let plain = WorkSpec(run: ["true"], root: .host(arch: "x86_64"))
    #expect(String(decoding: try plain.canonicalBytes(), as: UTF8.self) == Self.plainText)
    let wasm = WorkSpec(run: ["x"], root: .wasm(Self.content))
    #expect(try WorkSpec.parse(try wasm.canonicalBytes()) == wasm)
  }

  @Test func what_is_written_is_read_back() throws {
    let read = try Self.parse(Self.richText)
    #expect(try read.canonicalBytes() == Array(Self.richText.utf8))
    #expect(read.run == Self.rich.run && read.root == Self.rich.root && read.environment == Self.rich.environment)
  }

  @Test func the_hash_is_sha256_of_the_tag_and_the_text() throws {
    let plain = try Self.parse(Self.plainText)
    #expect(try plain.workHash() == SHA256Hash.hash(Array("tally/work/1\n".utf8) + Array(Self.plainText.utf8)))
    let salt = Bytes32([UInt8](repeating: 1, count: 32))!
    #expect(
      WorkHash.postCommitment(salt: salt, workHash: Self.hash)
        == SHA256Hash.hash(Array("tally/post/1".utf8) + [UInt8](repeating: 1, count: 32) + Self.hash.bytes))
    #expect(
      WorkHash.saltCommitment(salt) == SHA256Hash.hash(Array("tally/salt/1".utf8) + [UInt8](repeating: 1, count: 32)))
  }

  struct Bad: Sendable {
    let text: String
    let field: String
    let problem: String
    init(_ text: String, _ field: String, _ problem: String) {
      self.text = text
      self.field = field
      self.problem = problem
    }
  }

  static func swap(_ old: String, _ new: String) -> String { plainText.replacingOccurrences(of: old, with: new) }

  static func input(_ members: String) -> String { swap("[],", "[{" + members + "}],") }

  static let bad: [Bad] = [
    Bad(" " + plainText, "work", "canonical"),
    Bad(plainText + "\n", "work", "canonical"),
    Bad(swap("\"v\":1", "\"v\":1.0"), "work", "fraction"),
    Bad(swap("\"v\":1", "\"v\":1e0"), "work", "exponent"),
    Bad(swap("\"v\":1", "\"v\":-1"), "work", "negative"),
    Bad(swap("\"v\":1", "\"v\":01"), "work", "leading zero"),
    Bad(swap("\"v\":1", "\"v\":2"), "v", "version 2"),
    Bad(swap("\"v\":1", "\"v\":9007199254740992"), "work", "2^53"),
    Bad(swap("\"v\":1", "\"v\":99999999999999999999999"), "work", "2^53"),
    Bad(swap("\"v\":1", "\"v\":1,\"v\":1"), "work", "twice"),
    Bad(swap("\"v\":1", "\"v\":1,\"w\":1"), "\"w\"", "unknown"),
    Bad(swap(",\"v\":1", ""), "v", "missing"),
    Bad(swap("\"cores\":1", "\"cores\":\"1\""), "cores", "a string"),
    Bad(swap("\"cores\":1", "\"cores\":0"), "cores", "0 cores"),
    Bad(swap("\"cores\":1", "\"cores\":1025"), "cores", "1025 cores"),
    Bad(swap("315532800", "253402300800"), "epoch", "9999"),
    Bad(swap("[\"true\"]", "[]"), "run", "0 arguments"),
    Bad(swap("[\"true\"]", "[\"\"]"), "run", "empty command"),
    Bad(swap("\"true\"", "true"), "run[0]", "true or false"),
    Bad(swap("\"true\"", "\"a\\u0000b\""), "run[0]", "NUL"),
    Bad(swap("\"true\"", "\"\\ud800\""), "work", "surrogate"),
    Bad(swap("\"true\"", "\"\\u0061\""), "work", "canonical"),
    Bad(swap("\"true\"", "\"a\\/b\""), "work", "canonical"),
    Bad(swap("\"host\":\"x86_64\"", "\"host\":\"X86\""), "root.host", "X86"),
    Bad(swap("\"host\":\"x86_64\"", "\"image\":\"x\""), "root.host", "missing"),
    Bad(swap("\"host\":\"x86_64\"", "\"wasm\":\"AB\""), "root.wasm", "AB"),
    Bad(swap("{}", "{\"1A\":\"x\"}"), "env", "1A"),
    Bad(swap("{}", "{\"A\":1}"), "env.A", "a number"),
    Bad(input("\"at\":\"../x\",\"tree\":\"\(ab)\""), "in[0].at", ".."),
    Bad(input("\"at\":\"/x\",\"tree\":\"\(ab)\""), "in[0].at", "absolute"),
    Bad(input("\"at\":\"a//b\",\"tree\":\"\(ab)\""), "in[0].at", "empty part"),
    Bad(input("\"at\":\"a\",\"tree\":\"\(ab)\"},{\"at\":\"a/b\",\"tree\":\"\(ab)\""), "in[1].at", "inside"),
    Bad(input("\"at\":\"b\",\"tree\":\"\(ab)\"},{\"at\":\"a\",\"tree\":\"\(ab)\""), "work", "canonical"),
    Bad(input("\"at\":\"b\",\"file\":\"\(ab)\""), "in[0].sha256", "missing"),
    Bad("[]", "work", "an array"),
    Bad("", "work", "ends early"),
    Bad(String(repeating: "[", count: 5000), "work", "levels"),
    Bad(plainText + "x", "work", "behind the value"),
  ]

  @Test(arguments: bad)
  func wrong_text_is_refused_with_field_and_problem(bad: Bad) throws {
    let error = #expect(throws: WorkSpecError.self) { _ = try Self.parse(bad.text) }
    let found = try #require(error)
    #expect(found.field == bad.field, "\(found)")
    #expect(found.problem.contains(bad.problem), "\(found)")
    #expect(!found.fix.isEmpty)
  }

  @Test func sixteen_kibibytes_are_the_limit() throws {
    var spec = WorkSpec(run: ["a"], root: .host(arch: "x86_64"))
    let rest = WorkLimits.workBytesMax - (try spec.canonicalBytes().count)
    spec.run = ["a" + String(repeating: "b", count: rest)]
    let bytes = try spec.canonicalBytes()
    #expect(bytes.count == WorkLimits.workBytesMax)
    #expect(try WorkSpec.parse(bytes) == spec)
    spec.run[0] += "b"
    #expect(throws: WorkSpecError.self) { _ = try spec.canonicalBytes() }
    #expect(throws: WorkSpecError.self) { _ = try WorkSpec.parse(bytes + [0x20]) }
  }

  @Test func every_changed_byte_is_refused_or_is_other_work() throws {
    let bytes = Array(Self.richText.utf8)
    var generator = Generator(seed: .zero, stream: 7)
    for position in bytes.indices {
      for _ in 0..<4 {
        var changed = bytes
        changed[position] ^= UInt8(1 + generator.below(255))
        if let spec = try? WorkSpec.parse(changed) { #expect(try spec.canonicalBytes() == changed) }
      }
    }
  }

  /// RFC 8785 section 3.2.3: names sort by UTF-16 code units, so a surrogate pair precedes U+FB33.
  @Test func names_sort_by_utf16_code_units() {
    let names = ["\u{20ac}", "\r", "\u{fb33}", "1", "\u{1f600}", "\u{80}", "\u{f6}"]
    let value = JSONValue.object(names.map { JSONValue.Member(name: $0, value: .integer(0)) })
    let expected = ["\\r", "1", "\u{80}", "\u{f6}", "\u{20ac}", "\u{1f600}", "\u{fb33}"]
    let text = "{" + expected.map { "\"\($0)\":0" }.joined(separator: ",") + "}"
    #expect(value.canonicalBytes == Array(text.utf8))
  }

  /// RFC 8785 section 3.2.2.2.
  @Test func strings_take_the_shortest_escapes() throws {
    let text = "\u{20ac}$\u{f}\nA'B\"\\\\\"/\u{8}\u{c}\r\t"
    let written = #""€$\u000f\nA'B\"\\\\\"/\b\f\r\t""#
    #expect(JSONValue.string(text).canonicalBytes == Array(written.utf8))
    #expect(try JSONParser.parse(Array(written.utf8), depthMax: 1) == .string(text))
    let pair = Array(#""\ud83d\ude00""#.utf8)
    #expect(try JSONParser.parse(pair, depthMax: 1) == .string("\u{1f600}"))
  }

  @Test func the_builder_names_what_is_wrong_at_once() throws {
    var spec = WorkSpec(run: ["x"], root: .host(arch: WorkSpec.architecture("amd64")))
    try spec.addVariable("A=b=c")
    #expect(spec.environment == ["A": "b=c"])
    #expect(throws: WorkSpecError.self) { try spec.addVariable("A=d") }
    #expect(throws: WorkSpecError.self) { try spec.addVariable("nothing") }
    #expect(throws: WorkSpecError.self) { try spec.addVariable("1=2") }
    try spec.addInput(at: "data", .tree(Self.content))
    #expect(throws: WorkSpecError.self) { try spec.addInput(at: "data/x", .tree(Self.content)) }
    #expect(throws: WorkSpecError.self) { try spec.addInput(at: "..", .tree(Self.content)) }
    #expect(spec.inputs.map(\.at) == ["data"])
  }

  /// JSONTestSuite: what must fail does; what must pass is read, unless it holds a number that works never hold.
  @Test func the_parser_answers_the_json_test_suite() throws {
    let folder: URL
    if let path = ProcessInfo.processInfo.environment["TALLY_VECTORS"] {
      folder = URL(fileURLWithPath: path)
    } else {
      folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../shared/vectors").standardizedFileURL
    }
    let suite = folder.appendingPathComponent("json/test_parsing")
    guard FileManager.default.fileExists(atPath: suite.path) else {
      print("SKIP JSONTestSuite: no vectors at \(suite.path)")
      return
    }
    var count = 0
    for file in try FileManager.default.contentsOfDirectory(atPath: suite.path).sorted() {
      let bytes = [UInt8](try Data(contentsOf: suite.appendingPathComponent(file)))
      let accepted = (try? JSONParser.parse(bytes, depthMax: 64)) != nil
      count += 1
      if file.hasPrefix("n_") { #expect(!accepted, "\(file)") }
      let hasOtherNumbers = file.hasPrefix("y_number") || file == "y_structure_lonely_negative_real.json"
      if file.hasPrefix("y_") && !hasOtherNumbers && !Self.refusedOnPurpose.contains(file) {
        #expect(accepted, "\(file)")
      }
    }
    #expect(count > 100)
  }

  /// Valid JSON that works refuse: doubled names and numbers other than 0 … 2^53 - 1.
  static let refusedOnPurpose: Set<String> = [
    "y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json", "y_object_extreme_numbers.json",
  ]
}
