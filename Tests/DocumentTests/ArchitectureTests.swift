// Checks that ARCHITECTURE.md says of modules, limits and unsafe files what the sources and the house rules say.
import Testing

@Suite struct ArchitectureTests {
  @Test func unsafeMayStandWhereTheHouseRulesSay() throws {
    let tidy = try Document("scripts/tidy.sh").matches("unsafe_allowed='", "'")
    try #require(tidy.count == 1, "scripts/tidy.sh has no list of files")
    let rows = try Document("ARCHITECTURE.md").table(below: "## Where `unsafe` may stand")
    #expect(rows.map { $0[0] }.filter { !$0.isEmpty } == Self.patterns(tidy[0]).map { "`\($0)`" })
  }

  /// The alternatives of the outermost `|`, in words: `Sources/(A|B)/` is two.
  private static func patterns(_ list: String) -> [String] {
    var patterns: [String] = []
    var depth = 0
    var current = ""
    for character in list {
      if character == "(" { depth += 1 }
      if character == ")" { depth -= 1 }
      if character == "|" && depth == 0 {
        patterns.append(current)
        current = ""
      } else {
        current.append(character)
      }
    }
    patterns.append(current)
    return patterns.flatMap(alternatives)
  }

  /// `Sources/(A|B)[A-Za-z+]*\.swift` is `Sources/A*.swift` and `Sources/B*.swift`.
  private static func alternatives(_ pattern: String) -> [String] {
    let plain: String = pattern.filter { $0 != "\\" }.replacing("[A-Za-z+]*.swift", with: "*.swift")
    guard let open = plain.firstIndex(of: "("), let close = plain.lastIndex(of: ")") else { return [plain] }
    let head = String(plain[..<open])
    let tail = String(plain[plain.index(after: close)...])
    let names = plain[plain.index(after: open)..<close].split(separator: "|")
    return names.map { (name: Substring) -> String in head + String(name) + tail }
  }

  @Test func everyModuleHasItsRow() throws {
    let manifest = try Document("Package.swift")
    let inline = manifest.matches("    module(\"", "\"")
    let alone = zip(manifest.lines, manifest.lines.dropFirst()).filter { $0.0.hasSuffix("module(") }
      .compactMap { $0.1.split(separator: "\"").dropFirst().first.map(String.init) }
    let rows = Set(try Document("ARCHITECTURE.md").table(below: "### Modules").map { $0[0] })
    #expect(inline.count + alone.count > 10)
    for module in inline + alone { #expect(rows.contains("`\(module)`"), "ARCHITECTURE.md has no row for \(module)") }
  }

  @Test func everyLimitsFileIsListed() throws {
    let listed = Set(try Document("ARCHITECTURE.md").table(below: "## Limits").map { $0[0] })
    let files = try Document.files(below: "Sources", ending: "Limits.swift")
    #expect(files.count > 8)
    for file in files { #expect(listed.contains("`\(file.dropFirst(8))`"), "\(file) is not listed") }
    for file in listed { #expect(Document.exists("Sources/" + file.dropFirst().dropLast()), "\(file) is not there") }
  }

  @Test func linksBetweenTheDocumentsLeadSomewhere() throws {
    for name in ["README.md", "ARCHITECTURE.md", "PROTOCOL.md", "CONTRIBUTING.md", "deploy/README.md"] {
      let document = try Document(name)
      let folder = name.contains("/") ? "deploy/" : ""
      for target in document.text.split(separator: "](").dropFirst() {
        let path = target.prefix { $0 != ")" && $0 != "#" }
        guard !path.isEmpty, !path.hasPrefix("http"), !path.contains(" ") else { continue }
        #expect(Document.exists(folder + path), "\(name) links to \(path), which is not there")
      }
    }
  }
}
