// Owns: turning settings into values that the daemon can use; every refusal names the place and the fix.
import TallyBase
import TallyCrypto
import TallyGossip
import TallyWire

struct SettingReader {
  private let byKey: [ConfigKey: DaemonConfig.Setting]

  /// `settings` holds every key of the table, of its kind: both are our own doing.
  init(settings: [DaemonConfig.Setting]) {
    byKey = Dictionary(uniqueKeysWithValues: settings.map { ($0.key, $0) })
    precondition(byKey.count == ConfigKey.allCases.count, "\(byKey.count) settings")
  }

  private func setting(_ key: ConfigKey) -> DaemonConfig.Setting {
    guard let setting = byKey[key] else { preconditionFailure("no setting \(key.rawValue)") }
    return setting
  }

  private func place(_ key: ConfigKey) -> String { setting(key).origin.description }

  func text(_ key: ConfigKey) -> String {
    guard case .text(let text) = setting(key).value else { preconditionFailure("\(key.rawValue) is no text") }
    return text
  }

  private func list(_ key: ConfigKey) -> [String] {
    guard case .list(let list) = setting(key).value else { preconditionFailure("\(key.rawValue) is no list") }
    return list
  }

  func flag(_ key: ConfigKey) -> Bool { setting(key).value == .flag(true) }

  func number(_ key: ConfigKey) -> Int {
    guard case .number(let number) = setting(key).value else { preconditionFailure("\(key.rawValue) is no number") }
    return number
  }

  func petname() throws(ConfigError) -> String {
    let name = text(.nodeName)
    guard Names.isMeshName(name), name.utf8.count <= Attributes.petnameByteCountMax else {
      throw ConfigError(
        place(.nodeName), "'\(name)' cannot be a host's name",
        fix: "use a-z, 0-9, '.', '-', a letter or digit first, at most \(Attributes.petnameByteCountMax) bytes")
    }
    return name
  }

  func endpoints(_ key: ConfigKey, allowsEmpty: Bool) throws(ConfigError) -> [Endpoint] {
    var endpoints: [Endpoint] = []
    for text in list(key) {
      guard let endpoint = Endpoint(text) else {
        throw ConfigError(
          place(key), "'\(text)' is not an address with a port", fix: "write 192.0.2.4:8255 or [2001:db8::1]:8255")
      }
      endpoints.append(endpoint)
    }
    if endpoints.isEmpty && !allowsEmpty {
      throw ConfigError(place(key), "\(key.rawValue) is empty", fix: "write 0.0.0.0:8255")
    }
    return endpoints
  }

  func invites() throws(ConfigError) -> [Invite] {
    var invites: [Invite] = []
    for text in list(.joinSeeds) {
      do throws(InviteError) {
        invites.append(try Invite(parsing: text))
      } catch {
        throw ConfigError(place(.joinSeeds), "a seed is no invite: \(error.sentence)", fix: "`tally invite` makes one")
      }
    }
    return invites
  }

  func mode() throws(ConfigError) -> UInt32 {
    let text = text(.adminMode)
    guard let mode = UInt32(text, radix: 8), mode <= 0o777, mode & 0o600 == 0o600 else {
      throw ConfigError(
        place(.adminMode), "'\(text)' is not a mode for a socket", fix: "write \"0600\", or \"0660\" for a group")
    }
    if mode & 0o007 != 0 {
      throw ConfigError(
        place(.adminMode), "'\(text)' would let everybody on this machine connect",
        fix: "write \"0660\" and set admin.group")
    }
    return mode
  }

  /// The gid of `admin.group`; nil when none is set.
  func group() throws(ConfigError) -> UInt32? {
    let name = text(.adminGroup)
    return name.isEmpty ? nil : try group(named: name, .adminGroup)
  }

  private func group(named name: String, _ key: ConfigKey) throws(ConfigError) -> UInt32 {
    if let id = UInt32(name) ?? PosixNames.group(name) { return id }
    throw ConfigError(place(key), "there is no group '\(name)' in /etc/group", fix: "groupadd --system \(name)")
  }

  func operators() throws(ConfigError) -> [AdminOperator] {
    var operators: [AdminOperator] = []
    for text in list(.adminOperators) {
      let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
      switch parts.first {
      case "uid":
        if parts.count == 2, let uid = UInt32(parts[1]) {
          operators.append(.uid(uid))
          continue
        }
      case "group":
        if parts.count == 2 {
          operators.append(.group(try group(named: parts[1], .adminOperators)))
          continue
        }
      default: break
      }
      throw ConfigError(
        place(.adminOperators), "'\(text)' names nobody", fix: "write \"group:NAME\" or \"uid:NUMBER\"")
    }
    return operators
  }

  func level() throws(ConfigError) -> LogLevel {
    let text = text(.logLevel)
    guard let level = LogLevel(rawValue: text) else {
      throw ConfigError(
        place(.logLevel), "'\(text)' is not a level",
        fix: "write one of \(LogLevel.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return level
  }
}
