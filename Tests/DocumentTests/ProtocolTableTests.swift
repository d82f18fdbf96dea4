// Checks that PROTOCOL.md's first tables and the numbers in the sources are one and the same.
import Testing

@Suite struct ProtocolTableTests {
  private static let wire = "Sources/TallyWire/"
  /// What a third host may get to see or act upon (DESIGN section 5): each must be signed by its author.
  private static let toldOn: Set<String> = [
    "NODES", "RECORD", "MEMBERS", "LEAVE", "ACCUSE", "WITHDRAW", "REACHED", "ABOUT_YOU", "PUSH", "RANGE", "FORK_PROOF",
    "HEAD",
  ]

  private func messages() throws -> [[String]] {
    try Document("PROTOCOL.md").table(below: "### Messages inside a session")
  }

  private func isDash(_ cell: String) -> Bool { cell.isEmpty || cell.hasPrefix("–") }

  @Test func everyMessageTypeHasItsRow() throws {
    let source = try Document(Self.wire + "MessageType.swift")
    let numbers = source.matches("MessageType(rawValue: 0x", ")").compactMap { UInt8($0, radix: 16) }
    let names = source.matches("static let ", " = MessageType").map(Self.shout)
    #expect(numbers.count == names.count && numbers.count > 30, "\(numbers.count) numbers, \(names.count) names")
    let rows = try messages()
    for (number, name) in zip(numbers, names) {
      let text = (number < 0x10 ? "0x0" : "0x") + String(number, radix: 16, uppercase: true)
      let row = rows.first { $0[0].split(separator: ",").contains { $0.drop { $0 == " " } == text } }
      let title = row.map { String($0[1].prefix { $0 != " " }) }
      #expect(title == name, "\(text) is \(name) in the sources and \(title ?? "missing") in PROTOCOL.md")
    }
    let known = Set(numbers)
    for row in rows where !row[1].contains("draft") {
      let number = UInt8(row[0].dropFirst(2), radix: 16)
      #expect(number.map { known.contains($0) } == true, "PROTOCOL.md has \(row[0]) \(row[1]); the sources do not")
    }
  }

  @Test func noMessageThatIsToldOnLacksASignature() throws {
    let rows = try messages()
    #expect(rows.count > 30)
    for row in rows {
      try #require(row.count == 7, "a row of \(row.count) cells: \(row)")
      let name = String(row[1].prefix { $0 != " " })
      #expect((row[2] == "yes") == Self.toldOn.contains(name), "\(name): told on is \(row[2])")
      #expect(row[2] == "yes" || row[2] == "no", "\(name): told on is neither yes nor no")
      if row[2] == "yes" { #expect(!isDash(row[3]), "\(name) is told on and signed by nobody") }
      #expect(!isDash(row[4]) && !isDash(row[5]), "\(name): sealed or checked by nobody")
      #expect(["UDP", "TCP", "UDP, TCP"].contains(row[6]), "\(name) travels by \(row[6])")
    }
  }

  @Test func theWayOfEachMessageIsTheSources() throws {
    for row in try messages() {
      guard let number = UInt8(row[0].dropFirst(2).prefix(2), radix: 16) else { continue }
      let mayTravelByDatagram = number <= 0x05 || (0x10...0x13).contains(number)
      #expect(row[6].contains("UDP") == mayTravelByDatagram, "\(row[0]) \(row[1]) travels by \(row[6])")
    }
    let rule = "rawValue <= 0x05 || (0x10...0x13).contains(rawValue)"
    #expect(try Document(Self.wire + "MessageType.swift").text.contains(rule), "the rule above is no longer the sources'")
  }

  @Test func everyOuterPacketHasItsRow() throws {
    let rows = try Document("PROTOCOL.md").table(below: "### Outer packets")
    let titles = rows.map { "\($0[0]) \($0[1].prefix { $0 != " " })" }
    #expect(titles == ["0x01 INIT", "0x02 RESPONSE", "0x03 COOKIE", "0x04 DATA", "0x05 HINT", "– frame"])
    let source = try Document(Self.wire + "SessionPackets.swift").text
    for number in 1...5 where number != 3 {
      #expect(source.contains("0x0\(number)"), "packet 0x0\(number) is not in the sources")
    }
  }

  @Test func everyEntryKindHasItsRowAndAuthor() throws {
    let source = try Document(Self.wire + "EntryKind.swift")
    let numbers = source.matches("EntryKind(rawValue: ", ")")
    let names = source.matches("static let ", " = EntryKind").map(Self.dotted)
    #expect(numbers.count == names.count && numbers.count > 20)
    let rows = try Document("PROTOCOL.md").table(below: "### Entry kinds")
    let expected = zip(numbers, names).map { "\($0) `\($1)`" }
    #expect(rows.map { "\($0[0]) \($0[1].prefix { $0 != " " })" } == expected)
    for row in rows { #expect(row.count == 6 && !isDash(row[2]) && !isDash(row[4]), "\(row)") }
  }

  @Test func everyMethodAndSettingIsNamed() throws {
    let text = try Document("PROTOCOL.md").text
    let table = try Document("Sources/TallyAdmin/MethodTable.swift")
    let inline = table.matches("Method(\"", "\"")
    let alone = zip(table.lines, table.lines.dropFirst()).filter { $0.0.hasSuffix("Method(") }
      .compactMap { $0.1.split(separator: "\"").dropFirst().first.map(String.init) }
    #expect(inline.count + alone.count > 30, "the table of methods was not understood")
    for method in inline + alone { #expect(text.contains("| `\(method)` |"), "no row for the method \(method)") }
    let settings = try Document("Sources/TallyDaemon/ConfigKey.swift").matches(" = \"", "\"")
    #expect(settings.count > 10)
    for setting in settings { #expect(text.contains("| `\(setting)` |"), "no row for the setting \(setting)") }
  }

  /// `getRange` → `GET_RANGE`.
  private static func shout(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "_\($1)" : $1.uppercased() }
  }

  /// `leaseGrant` → `lease.grant`.
  private static func dotted(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? ".\($1.lowercased())" : "\($1)" }
  }
}
