// JSONTestSuite against the scan that stands before every decode.
import Foundation
import Testing

@testable import TallyAdmin

@Suite struct StrictJSONTests {
  private func accepts(_ bytes: [UInt8]) -> Bool {
    do throws(StrictJSON.Failure) {
      _ = try StrictJSON.scan(bytes[...])
      return true
    } catch {
      return false
    }
  }

  /// What the suite leaves open (`i_`), decided: text that is not UTF-8, lone surrogates and a byte order mark are
  /// refused; numbers too large for a Double are syntax like any other; 500 levels are more than the limit.
  private let acceptedByChoice: Set<String> = [
    "i_number_double_huge_neg_exp.json", "i_number_huge_exp.json", "i_number_neg_int_huge_exp.json",
    "i_number_pos_double_huge_exp.json", "i_number_real_neg_overflow.json", "i_number_real_pos_overflow.json",
    "i_number_real_underflow.json", "i_number_too_big_neg_int.json", "i_number_too_big_pos_int.json",
    "i_number_very_big_negative_int.json",
  ]

  @Test func jsonTestSuite() throws {
    guard let folder = Vectors.find("json/test_parsing") else { return }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    var counts = [0, 0, 0]
    for name in names {
      let bytes = Array(try Data(contentsOf: folder.appendingPathComponent(name)))
      let isAccepted = accepts(bytes)
      switch name.prefix(2) {
      case "y_":
        #expect(isAccepted, "\(name) must be accepted")
        counts[0] += 1
      case "n_":
        #expect(!isAccepted, "\(name) must be refused")
        counts[1] += 1
      case "i_":
        #expect(isAccepted == acceptedByChoice.contains(name), "\(name) is decided otherwise")
        counts[2] += 1
      default: continue
      }
    }
    #expect(counts[0] > 50 && counts[1] > 80, "\(counts) files")
  }

  @Test func whatTheSuiteMeans() {
    for text in ["{}", "[]", "null", "-0.5e+3", #""\u00e9\ud83d\ude00""#, " { \"a\" : [ 1 , true ] } "] {
      #expect(accepts(Array(text.utf8)), "\(text)")
    }
    for text in ["", "{,}", "[1,]", "01", "1.", "+1", "nul", "\"\t\"", #""\ud800""#, "{} {}", "{'a':1}", "[1]x"] {
      #expect(!accepts(Array(text.utf8)), "\(text)")
    }
    #expect(!accepts([0xef, 0xbb, 0xbf, 0x31]), "a byte order mark")
    #expect(!accepts([0x22, 0xc0, 0x80, 0x22]), "an overlong character")
  }

  @Test func nestingEndsAtTheLimit() {
    let most = AdminLimits.depthMax
    let nested = { (levels: Int) in [UInt8](repeating: 0x5b, count: levels) + [UInt8](repeating: 0x5d, count: levels) }
    #expect(accepts(nested(most)))
    #expect(!accepts(nested(most + 1)))
    #expect(!accepts([UInt8](repeating: 0x5b, count: 100_000)))
  }

  @Test func shapesAreRangesOfTheLine() throws {
    let line = Array(#" {"id": 7, "a" :[1,{"b":2}]} "#.utf8)
    guard case .object(let members) = try StrictJSON.scan(line[...]) else {
      Issue.record("not an object")
      return
    }
    #expect(members.map { String(decoding: line[$0.key], as: UTF8.self) } == ["id", "a"])
    #expect(members.map { String(decoding: line[$0.value], as: UTF8.self) } == ["7", #"[1,{"b":2}]"#])
  }
}
