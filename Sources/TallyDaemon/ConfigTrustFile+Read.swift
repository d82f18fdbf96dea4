// Owns: reading trust.toml and writing it back whole. Unknown keys are errors here too: a misspelt `relation` must not
// trust anybody.
import TOMLKit
import TallyAdmin
import TallyBase
import TallyCrypto
import TallyExchange

extension TrustFile {
  public init(parsing text: String, path: String) throws(ConfigError) {
    self.init()
    let table: TOMLTable
    do {
      table = try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      throw ConfigError("\(path):\(error.source.begin.line)", error.description, fix: "see https://toml.io")
    } catch {
      throw ConfigError(path, "\(error)", fix: "see https://toml.io")
    }
    try Self.check(table, has: ["lend", "host"], path)
    if let raw = table["lend"] {
      guard let section = raw.table else { throw ConfigError(path, "'lend' must be a section", fix: "write [lend]") }
      lend = try Self.readLend(section, path)
    }
    guard let raw = table["host"] else { return }
    guard let rows = raw.array else { throw ConfigError(path, "'host' must be a list", fix: "write [[host]]") }
    guard rows.count <= Self.entriesMax else {
      throw ConfigError(path, "\(rows.count) hosts, the limit is \(Self.entriesMax)", fix: "remove some")
    }
    for row in rows {
      guard let table = row.table else { throw ConfigError(path, "'host' must be sections", fix: "write [[host]]") }
      let host = try Self.readHost(table, path)
      if entry(of: host.key) != nil {
        throw ConfigError(path, "\(KeyText.encode(host.key)) stands twice", fix: "keep one of the two")
      }
      put(host)
    }
  }

  private static func check(_ table: TOMLTable, has known: [String], _ path: String) throws(ConfigError) {
    for key in table.keys where !known.contains(key) {
      let hint = Suggestion.nearest(to: key, among: known).map { "; did you mean '\($0)'?" } ?? ""
      throw ConfigError(path, "unknown key '\(key)'\(hint)", fix: "known: \(known.joined(separator: ", "))")
    }
  }

  private static func readLend(_ table: TOMLTable, _ path: String) throws(ConfigError) -> Lend {
    try check(table, has: ["on", "cores", "mem_mb", "disk_mb", "slots"], path)
    guard let on = table["on"]?.bool else { throw ConfigError(path, "lend.on must be true or false") }
    return Lend(
      on: on, cores: UInt16(clamping: try number(table, .lendCores, path)),
      memoryMiB: UInt32(clamping: try number(table, .lendMemory, path)),
      diskMiB: UInt32(clamping: try number(table, .lendDisk, path)),
      slots: UInt16(clamping: try number(table, .lendSlots, path)))
  }

  private static func number(_ table: TOMLTable, _ key: ConfigKey, _ path: String) throws(ConfigError) -> Int {
    guard case .number(let range) = key.kind, let number = table[key.name]?.int, range.contains(number) else {
      throw ConfigError(path, "\(key.rawValue) is missing or out of range", fix: "run `tally lend`, which writes it")
    }
    return number
  }

  private static func readHost(_ table: TOMLTable, _ path: String) throws(ConfigError) -> Entry {
    try check(table, has: ["key", "name", "relation", "owner"], path)
    guard let text = table["key"]?.string else {
      throw ConfigError(path, "a host without a key", fix: "write key = \"tal1…\"")
    }
    let key: PublicKey
    do { key = try KeyText.decode(text) } catch {
      throw ConfigError(path, "'\(text)' is not a host's key", fix: "`tally id` on that host prints it")
    }
    guard let word = table["relation"]?.string, let relation = Relation(rawValue: word) else {
      throw ConfigError(
        path, "the relation of \(text) is not known", fix: "write relation = \"trusted\", \"member\" or \"blocked\"")
    }
    return Entry(key: key, name: table["name"]?.string, relation: relation, owner: table["owner"]?.string)
  }

  /// An absent file is an empty one.
  public static func load(_ path: String) throws(ConfigError) -> TrustFile {
    let bytes: [UInt8]?
    do throws(PrivateFile.Fault) { bytes = try PrivateFile.readIfAny(path) } catch {
      throw ConfigError(path, error.description, fix: "make it readable for this user")
    }
    guard let text = String(validating: bytes ?? [], as: UTF8.self) else {
      throw ConfigError(path, "it is not UTF-8", fix: "save it as UTF-8")
    }
    return try TrustFile(parsing: text, path: path)
  }

  /// Replaces the file, 0600, synced.
  public func save(_ path: String) throws(ConfigError) {
    do throws(PrivateFile.Fault) { try PrivateFile.write(Array(text.utf8), to: path, mode: 0o600) } catch {
      throw ConfigError(path, error.description, fix: "make room, or make the directory writable for this user")
    }
  }
}
