// Size and depth are hit on purpose; any bytes are refused or read, and none make the reader trap or slow.
import TallyBase
import TallyTOML
import Testing

@Suite struct LimitTests {
  private func reads(_ text: String) -> Bool {
    do throws(TOMLError) {
      _ = try TOMLDocument.parse(Array(text.utf8))
      return true
    } catch {
      return false
    }
  }

  @Test func size() {
    let start = "a = 1\n#"
    let rest = TOMLLimits.byteCountMax - start.utf8.count
    #expect(reads(start + String(repeating: "x", count: rest)))
    #expect(!reads(start + String(repeating: "x", count: rest + 1)))
  }

  @Test(arguments: [0, 1]) func depth(_ more: Int) {
    let depth = TOMLLimits.depthMax + more
    let fits = more == 0
    let path = Array(repeating: "a", count: depth).joined(separator: ".")
    #expect(reads("\(path) = 1") == fits)
    #expect(reads("[\(path)]") == fits)
    // An array of tables and its elements are two levels.
    #expect(reads("[[\(path.dropFirst(2))]]") == fits)
    #expect(reads("a = \(String(repeating: "[", count: depth))\(String(repeating: "]", count: depth))") == fits)
    let tables = "\(String(repeating: "{ a = ", count: depth - 1))1\(String(repeating: " }", count: depth - 1))"
    #expect(reads("a = \(tables)") == fits)
    #expect(reads("[a]\na = \(tables.dropFirst(6).dropLast(2))") == fits, "a heading counts")
  }

  @Test func deepBracketsDoNotExhaustTheStack() {
    #expect(!reads("a = " + String(repeating: "[", count: 1_000_000)))
    #expect(!reads("a = " + String(repeating: "{a=", count: 300_000)))
    #expect(!reads("a" + String(repeating: ".a", count: 500_000) + " = 1"))
  }

  /// Would take very long if adding to a table or an array copied it.
  @Test func manyKeysAndElementsAreRead() throws {
    let tables = try TOMLDocument.parse(Array(String(repeating: "[[a]]\n", count: 50_000).utf8))
    #expect(tables["a"]?.array?.count == 50_000)
    let elements = try TOMLDocument.parse(Array("a = [\(String(repeating: "0,", count: 150_000))]".utf8))
    #expect(elements["a"]?.array?.count == 150_000)
    let keys = try TOMLDocument.parse(Array((0..<40_000).map { "k\($0) = 1\n" }.joined().utf8))
    #expect(keys.entries.count == 40_000 && keys["k39999"]?.line == 40_000)
  }

  private static let sample = """
    # all there is
    title = "a \\u00e9 \\t" # comment
    'quoted' . "key" = 'raw \\'
    n = [ 1, -2_0, 0x1F, 0o7, 0b1, 1.5e+3, inf, nan, true, false, ]
    d = [ 1979-05-27T07:32:00Z, 1979-05-27 07:32:00.5, 1979-05-27, 07:32:00, ]
    long = \"\"\"
    two \\
       lines\"\"\"\"
    raw = '''
    it's'''
    [a.b]
    c.d = { e = 1, f.g = [ { }, [] ] }
    [[a.l]]
    x = 1
    [[a.l]]
    [a.l.y]

    """

  @Test func mutatedDocumentsNeverTrap() {
    var generator = Generator(seed: Bytes32([UInt8](repeating: 7, count: 32))!, stream: 8255)
    let marks = Array("\"\"\"'''[[]]{}=.,#\\\n\r\t -+_:0123456789eEtTzZxabuU\u{0}\u{7f}é".utf8) + [0xff, 0xc3]
    let sample = Array(Self.sample.utf8)
    #expect(throws: Never.self) { try TOMLDocument.parse(sample) }
    var read = 0
    for _ in 0..<10_000 {
      var bytes = sample
      for _ in 0...Int(generator.below(6)) {
        let place = Int(generator.below(UInt64(bytes.count)))
        let mark = marks[Int(generator.below(UInt64(marks.count)))]
        switch generator.below(5) {
        case 0: bytes.remove(at: place)
        case 1: bytes.insert(mark, at: place)
        case 2: bytes[place] = mark
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + Int(generator.below(12))))
        default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 20)], at: place)
        }
        if bytes.isEmpty { bytes = [mark] }
      }
      do throws(TOMLError) {
        _ = try TOMLDocument.parse(bytes)
        read += 1
      } catch {
        #expect(error.line >= 1 && error.line <= 1 + bytes.count { $0 == 0x0a } && error.column >= 1)
      }
    }
    #expect(read > 100 && read < 9_900, "\(read) of 10,000 were read: the mutations test nothing")
  }
}
