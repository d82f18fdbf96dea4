// Owns: reading tally.toml into settings, and the line on which each stands. An unknown key is an error with a
// suggestion: a setting that is silently ignored is worse than none.
// Refuses to know: what the values mean.
import TallyAdmin
import TallyTOML

enum ConfigText {
  /// The settings in a file, each with its line.
  static func read(_ text: String, path: String) throws(ConfigError) -> [ConfigKey: (ConfigValue, ConfigOrigin)] {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let table: TOMLTable
    do throws(TOMLError) {
      table = try TOMLDocument.parse(Array(text.utf8))
    } catch {
      throw ConfigError(
        "\(name):\(error.line)", "\(error.what) (column \(error.column))", fix: "see https://toml.io")
    }
    var found: [ConfigKey: (ConfigValue, ConfigOrigin)] = [:]
    let sections = Set(ConfigKey.allCases.map(\.section))
    for entry in table.entries {
      let section = entry.key
      let place = "\(name):\(entry.value.line)"
      guard sections.contains(section) else {
        throw unknown("section", section, at: place, among: sections.sorted())
      }
      guard let inner = entry.value.table else {
        throw ConfigError(place, "'\(section)' must be a section", fix: "write [\(section)] on a line of its own")
      }
      let names = ConfigKey.allCases.filter { $0.section == section }
      for entry in inner.entries {
        let place = ConfigOrigin.file(name, line: entry.value.line)
        guard let known = names.first(where: { $0.name == entry.key }) else {
          throw unknown("key", entry.key, at: place.description, among: names.map(\.name))
        }
        found[known] = (try value(entry.value, of: known, at: place), place)
      }
    }
    return found
  }

  private static func unknown(_ what: String, _ name: String, at place: String, among: [String]) -> ConfigError {
    let near = Suggestion.nearest(to: name, among: among)
    let hint = near.map { "; did you mean '\($0)'?" } ?? ""
    return ConfigError(
      place, "unknown \(what) '\(name)'\(hint)",
      fix: near.map { "write '\($0)'" } ?? "known here: \(among.joined(separator: ", "))")
  }

  private static func value(
    _ raw: TOMLValue, of key: ConfigKey, at place: ConfigOrigin
  ) throws(ConfigError) -> ConfigValue {
    switch key.kind {
    case .text: if let text = raw.string { return .text(text) }
    case .flag: if let flag = raw.boolean { return .flag(flag) }
    case .number: if let number = raw.integer.flatMap({ Int(exactly: $0) }) { return .number(number) }
    case .list:
      if let array = raw.array {
        var list: [String] = []
        for element in array {
          guard let text = element.string else {
            throw ConfigError("\(place)", "\(key.rawValue) must be a list of strings", fix: "write [\"…\", \"…\"]")
          }
          list.append(text)
        }
        return .list(list)
      }
    }
    throw ConfigError("\(place)", "\(key.rawValue) must be \(name(of: key.kind))", fix: example(of: key))
  }

  /// A value from a flag or an environment variable.
  static func value(_ text: String, of key: ConfigKey, at place: ConfigOrigin) throws(ConfigError) -> ConfigValue {
    switch key.kind {
    case .text: return .text(text)
    case .list:
      return .list(text.split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\n" }).map(String.init))
    case .flag:
      switch text {
      case "true", "1", "yes", "on": return .flag(true)
      case "false", "0", "no", "off": return .flag(false)
      default: break
      }
    case .number: if let number = Int(text) { return .number(number) }
    }
    throw ConfigError("\(place)", "\(key.rawValue) must be \(name(of: key.kind)), not '\(text)'", fix: example(of: key))
  }

  private static func name(of kind: ConfigKey.Kind) -> String {
    switch kind {
    case .text: "a string"
    case .list: "a list of strings"
    case .flag: "true or false"
    case .number(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    }
  }

  private static func example(of key: ConfigKey) -> String {
    switch key.kind {
    case .text: "write \(key.name) = \"…\""
    case .list: "write \(key.name) = [\"…\"]"
    case .flag: "write \(key.name) = true"
    case .number(let range): "write \(key.name) = \(range.lowerBound)"
    }
  }
}
