// What the vectors leave out: places, kinds, who may add to a table, faults in words.
import TallyTOML
import Testing

@Suite struct DocumentTests {
  private func parse(_ text: String) throws(TOMLError) -> TOMLTable { try TOMLDocument.parse(Array(text.utf8)) }

  private func fault(_ text: String) -> String {
    do throws(TOMLError) {
      return "accepted: \(try parse(text).entries)"
    } catch {
      return "\(error)"
    }
  }

  @Test func valuesKnowTheirLinesAndOrder() throws {
    let text =
      "z = 1\r\n\n[b.c]\nlist = [\n  1, # one\n\n  2,\n]\ntext = '''\n\n'''\nafter = true\n[b]\nd.e = 1\n[[a]]\n[[a]]\n"
    let table = try parse(text)
    #expect(table.keys == ["z", "b", "a"])
    #expect(table["z"]?.line == 1 && table["b"]?.line == 13, "a heading of its own beats the longer one before")
    let inner = try #require(table["b"]?.table?["c"]?.table)
    #expect(table["b"]?.table?["c"]?.line == 3 && inner.keys == ["list", "text", "after"])
    #expect(inner["list"]?.line == 4 && inner["list"]?.array?.map(\.line) == [5, 7])
    #expect(inner["text"]?.line == 9 && inner["after"]?.line == 12)
    #expect(table["b"]?.table?["d"]?.line == 14 && table["b"]?.table?["d"]?.table?["e"]?.line == 14)
    #expect(table["a"]?.line == 15 && table["a"]?.array?.map(\.line) == [15, 16])
    #expect(table["nothing"] == nil && table["b.c"] == nil)
  }

  @Test func scalarsHaveTheirKinds() throws {
    let table = try parse(
      """
      a = 9223372036854775807
      b = -9223372036854775808
      c = 0xDEAD_beef
      d = 1_0.0_1e-0_2
      e = -0.0
      f = -inf
      g = +nan
      h = 1979-05-27 07:32:00.999999z
      i = 1979-05-27T07:32:60
      j = 23:59:59.5
      k = "\\u0000\\U0010FFFF\\"\\\\"
      l = '''''two''quotes'''''
      m = \"\"\"a\\  \t

         b\"\"\"
      """)
    #expect(table["a"]?.integer == .max && table["b"]?.integer == .min && table["c"]?.integer == 0xdead_beef)
    #expect(table["d"]?.float == 0.1001 && table["e"]?.float?.sign == .minus && table["f"]?.float == -.infinity)
    #expect(table["g"]?.float?.isNaN == true && table["a"]?.float == nil && table["d"]?.integer == nil)
    #expect(table["h"]?.dateTime?.kind == .offsetDateTime && table["h"]?.dateTime?.text.hasSuffix("999999z") == true)
    #expect(table["i"]?.dateTime?.kind == .localDateTime && table["j"]?.dateTime?.kind == .localTime)
    #expect(table["k"]?.string == "\0\u{10ffff}\"\\" && table["l"]?.string == "''two''quotes''")
    #expect(table["m"]?.string == "ab" && table["m"]?.boolean == nil)
  }

  @Test func twoSpellingsOfOneCharacterAreTwoKeys() throws {
    let table = try parse("\"\u{e9}\" = 1\n\"e\u{301}\" = 2\n")
    #expect(table.entries.count == 2 && table["\u{e9}"]?.integer == 1 && table["e\u{301}"]?.integer == 2)
  }

  @Test func aByteOrderMarkMayStandAtTheStart() throws {
    #expect(try TOMLDocument.parse([0xef, 0xbb, 0xbf] + Array("a = 1".utf8))["a"]?.integer == 1)
    #expect(try TOMLDocument.parse([]).entries.isEmpty)
  }

  @Test func whatIsDefinedStaysAsItIs() {
    for text in [
      "a = 1\na = 2", "[a]\n[a]", "a.b = 1\n[a]", "[a]\n[[a]]", "[[a]]\n[a]", "a = []\n[[a]]", "a = {}\n[a.b]",
      "a = {}\na.b = 1", "[a.b]\n[a]\nb.c = 1", "[a.b.c]\n[a]\nb.c.d = 1", "[[a.b]]\n[a]\nb.c = 1", "a = 1\n[a.b]",
      "a = [{}]\n[a.b]", "a = { b.c = 1, b = {} }", "a = { b = {}, b.c = 1 }", "[a]\nb.c = 1\n[a.b]", "[a.b]\n[[a]]",
      "[x.y]\n[x]\ny.z.w = 1", "a.b = 1\na.b.c = 2", "[a.b.c]\n[a]\nb.x = 1\n[a.b]",
    ] {
      #expect(fault(text).contains("is already defined on line"), "\(text): \(fault(text))")
    }
    for text in [
      "[a.b]\n[a]\nc = 1", "a.b = 1\na.c = 2", "[f]\na.c = 1\n[f.a.t]\ns = 1", "[[a]]\n[a.b]\n[[a]]\n[a.b]",
      "[a.b.c]\n[a]\nb.d = 1", "a = { b.c = 1, b.d = 2 }", "[[a.b]]\n[a]\nc = 1",
    ] {
      #expect(fault(text).hasPrefix("accepted"), "\(text): \(fault(text))")
    }
  }

  @Test func faultsNamePlaceAndReason() {
    for (text, says) in [
      ("[node\nname = 1\n", "1:6: a heading needs ']' here, not the end of the line"),
      ("a = 1\n\u{fc} = 2\n", "2:1: a key is missing before '\u{fc}'; other than A-Z a-z 0-9 _ - needs quotes"),
      ("a = \"\u{fc}\" b\n", "1:9: 'b' stands after a value"),
      ("a = yes\n", "1:5: 'yes' is no number, boolean or date"),
      ("a = \n", "1:5: a value is missing before the end of the line"), ("a", "1:2: a key needs '=' here, not the end"),
      ("a = [1\nb = 2\n", "2:1: an array needs ',' or ']' here, not 'b'"),
      ("\na = [1,\n", "2:5: the array that begins"),
      ("a = \"x\n", "1:5: the string that begins here is not closed on its line"),
      ("a = \"\"\"x\n", "1:5: the string that begins here is not closed"),
      ("a = \"\\q\"\n", "1:6: a backslash and 'q' are no escape"), ("a = \"\\ud800\"\n", "1:6: U+D800 is no character"),
      ("a = \"\\u00g0\"\n", "1:6: an escape of 4 hexadecimal digits is too short"),
      ("a = \"\u{1}\"\n", "1:6: a string has the control character 1"),
      ("# \u{7f}\n", "1:3: a comment has the control"),
      ("a = { b = 1, }\n", "1:14: a key is missing before '}'"), ("a = { b = 1\n}\n", "1:12: an inline table needs"),
      ("a = 1\n\n[a]\n", "3:1: 'a' is already defined on line 1, as a value"),
      ("a = 9223372036854775808\n", "1:5: '9223372036854775808' is no"),
      ("a = \"x\"\r", "1:8: the control character 13"),
      ("a = 2023-02-29\n", "1:5: '2023-02-29' is no"),
      ("\"a\u{1b}\" = 1", "1:3: a string has the control character 27"),
    ] {
      #expect(fault(text).hasPrefix(says), "\(text): \(fault(text)) should begin with \(says)")
    }
    #expect(fault("\"a\\u001b\" = 1\n\"a\\u001b\" = 1").contains("'a\\u{1b}'"), "a fault is fit for a terminal")
    do throws(TOMLError) {
      _ = try TOMLDocument.parse(Array("a = 1\nb = \"\u{fc}".utf8) + [0xc3, 0x28])
      Issue.record("accepted what is not UTF-8")
    } catch {
      #expect("\(error)" == "2:7: the text is not UTF-8")
    }
  }
}
