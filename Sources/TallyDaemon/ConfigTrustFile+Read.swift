// Owns: reading trust.toml and writing it back whole. Unknown keys are errors here too: a misspelt `relation` must not
// trust anybody.
import TallyAdmin
import TallyBase
import TallyCrypto
import TallyExchange
import TallyTOML

extension TrustFile {
  public init(parsing text: String, path: String) throws(ConfigError) {
    self.init()
    let table: TOMLTable
    do throws(TOMLError) {
      table = try TOMLDocument.parse(Array(text.utf8))
    } catch {
      throw ConfigError(
        "\(path):\(error.line)", "\(error.what) (column \(error.column))", fix: "see https://toml.io")
    }
    try Self.check(table, has: ["lend", "host"], path)
    if let raw = table["lend"] {
      let place = "\(path):\(raw.line)"
      guard let section = raw.table else { throw ConfigError(place, "'lend' must be a section", fix: "write [lend]") }
      lend = try Self.readLend(section, path, place)
    }
    guard let raw = table["host"] else { return }
    let place = "\(path):\(raw.line)"
    guard let rows = raw.array else { throw ConfigError(place, "'host' must be a list", fix: "write [[host]]") }
    guard rows.count <= Self.entriesMax else {
      throw ConfigError(path, "\(rows.count) hosts, the limit is \(Self.entriesMax)", fix: "remove some")
    }
    for row in rows {
      let place = "\(path):\(row.line)"
      guard let table = row.table else { throw ConfigError(place, "'host' must be sections", fix: "write [[host]]") }
      let host = try Self.readHost(table, path, place)
      if entry(of: host.key) != nil {
        throw ConfigError(place, "\(KeyText.encode(host.key)) stands twice", fix: "keep one of the two")
      }
      put(host)
    }
  }

  private static func check(_ table: TOMLTable, has known: [String], _ path: String) throws(ConfigError) {
    for entry in table.entries where !known.contains(entry.key) {
      let hint = Suggestion.nearest(to: entry.key, among: known).map { "; did you mean '\($0)'?" } ?? ""
      throw ConfigError(
        "\(path):\(entry.value.line)", "unknown key '\(entry.key)'\(hint)",
        fix: "known: \(known.joined(separator: ", "))")
    }
  }

  private static func readLend(_ table: TOMLTable, _ path: String, _ place: String) throws(ConfigError) -> Lend {
    try check(table, has: ["on", "cores", "mem_mb", "disk_mb", "slots"], path)
    guard let on = table["on"]?.boolean else {
      throw ConfigError(
        table["on"].map { "\(path):\($0.line)" } ?? place, "lend.on must be true or false", fix: "write on = true")
    }
    return Lend(
      on: on, cores: UInt16(clamping: try number(table, .lendCores, path, place)),
      memoryMiB: UInt32(clamping: try number(table, .lendMemory, path, place)),
      diskMiB: UInt32(clamping: try number(table, .lendDisk, path, place)),
      slots: UInt16(clamping: try number(table, .lendSlots, path, place)))
  }

  private static func number(
    _ table: TOMLTable, _ key: ConfigKey, _ path: String, _ place: String
  ) throws(ConfigError) -> Int {
    guard case .number(let range) = key.kind else { preconditionFailure("\(key.rawValue) is no number") }
    guard let value = table[key.name] else { throw outOfRange(key, place) }
    guard case .integer(let found) = value.kind, let number = Int(exactly: found), range.contains(number) else {
      throw outOfRange(key, "\(path):\(value.line)")
    }
    return number
  }

  private static func outOfRange(_ key: ConfigKey, _ place: String) -> ConfigError {
    ConfigError(place, "\(key.rawValue) is missing or out of range", fix: "run `tally lend`, which writes it")
  }

  private static func readHost(_ table: TOMLTable, _ path: String, _ place: String) throws(ConfigError) -> Entry {
    try check(table, has: ["key", "name", "relation", "owner"], path)
    guard let raw = table["key"], let text = raw.string else {
      throw ConfigError(place, "a host without a key", fix: "write key = \"tal1…\"")
    }
    let key: PublicKey
    do { key = try KeyText.decode(text) } catch {
      throw ConfigError(
        "\(path):\(raw.line)", "'\(text)' is not a host's key", fix: "`tally id` on that host prints it")
    }
    guard let word = table["relation"]?.string, let relation = Relation(rawValue: word) else {
      throw ConfigError(
        table["relation"].map { "\(path):\($0.line)" } ?? place, "the relation of \(text) is not known",
        fix: "write relation = \"trusted\", \"member\" or \"blocked\"")
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

  /// Replaces the file, 0600, synced. What could not be read again is not written.
  public func save(_ path: String) throws(ConfigError) {
    let bytes = Array(text.utf8)
    guard bytes.count <= TOMLLimits.byteCountMax else {
      throw ConfigError(
        path, "it would have \(bytes.count) bytes, the limit is \(TOMLLimits.byteCountMax)",
        fix: "shorten the owners' names, or take trust away from hosts that are gone")
    }
    do throws(PrivateFile.Fault) { try PrivateFile.write(bytes, to: path, mode: 0o600) } catch {
      throw ConfigError(path, error.description, fix: "make room, or make the directory writable for this user")
    }
  }
}
