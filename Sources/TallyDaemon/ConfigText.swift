// Owns: reading tally.toml into settings, and the line on which each stands. An unknown key is an error with a
// suggestion: a setting that is silently ignored is worse than none.
// Refuses to know: what the values mean.
import TOMLKit
import TallyAdmin

enum ConfigText {
  /// The settings in a file, each with its line.
  static func read(_ text: String, path: String) throws(ConfigError) -> [ConfigKey: (ConfigValue, ConfigOrigin)] {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let table: TOMLTable
    do {
      table = try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      throw ConfigError("\(name):\(error.source.begin.line)", error.description, fix: "see https://toml.io")
    } catch {
      throw ConfigError(name, "\(error)", fix: "see https://toml.io")
    }
    let lines = Lines(text)
    var found: [ConfigKey: (ConfigValue, ConfigOrigin)] = [:]
    let sections = Set(ConfigKey.allCases.map(\.section))
    for section in table.keys.sorted(by: { lines.line(of: $0) < lines.line(of: $1) }) {
      let place = "\(name):\(lines.line(of: section))"
      guard sections.contains(section) else {
        throw unknown("section", section, at: place, among: sections.sorted())
      }
      guard let inner = table[section]?.table else {
        throw ConfigError(place, "'\(section)' must be a section", fix: "write [\(section)] on a line of its own")
      }
      let names = ConfigKey.allCases.filter { $0.section == section }
      for key in inner.keys {
        let place = ConfigOrigin.file(name, line: lines.line(of: key, in: section))
        guard let known = names.first(where: { $0.name == key }) else {
          throw unknown("key", key, at: place.description, among: names.map(\.name))
        }
        guard let raw = inner[key] else { continue }
        found[known] = (try value(raw, of: known, at: place), place)
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
    _ raw: any TOMLValueConvertible, of key: ConfigKey, at place: ConfigOrigin
  ) throws(ConfigError) -> ConfigValue {
    switch key.kind {
    case .text: if let text = raw.string { return .text(text) }
    case .flag: if let flag = raw.bool { return .flag(flag) }
    case .number: if let number = raw.int { return .number(number) }
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

  /// Finds lines again, since the parser does not say where values stand.
  private struct Lines {
    private let lines: [Substring]

    init(_ text: String) { lines = text.split(separator: "\n", omittingEmptySubsequences: false) }

    func line(of section: String) -> Int {
      let heading = lines.firstIndex { Self.heading($0) == section }
      return (heading ?? lines.firstIndex { Self.key($0).map { $0 == section || $0.hasPrefix("\(section).") } == true })
        .map { $0 + 1 } ?? 1
    }

    func line(of key: String, in section: String) -> Int {
      var current = ""
      for (number, line) in lines.enumerated() {
        if let heading = Self.heading(line) {
          current = heading
        } else if let found = Self.key(line) {
          let full = current.isEmpty ? found : "\(current).\(found)"
          if full == "\(section).\(key)" { return number + 1 }
        }
      }
      return line(of: section)
    }

    private static func heading(_ line: Substring) -> String? {
      let line = line.drop { $0 == " " || $0 == "\t" }
      guard line.hasPrefix("["), let end = line.firstIndex(of: "]") else { return nil }
      return clean(line[line.index(after: line.startIndex)..<end])
    }

    private static func key(_ line: Substring) -> String? {
      guard let equals = line.firstIndex(of: "=") else { return nil }
      let key = clean(line[..<equals])
      return key.hasPrefix("#") ? nil : key
    }

    private static func clean(_ text: Substring) -> String {
      text.filter { $0 != " " && $0 != "\t" && $0 != "\"" && $0 != "'" }
    }
  }
}
