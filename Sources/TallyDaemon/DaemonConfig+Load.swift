// Owns: gathering settings from flags, environment, file and defaults. Refuses to know: what they mean.
import FoundationEssentials
import Glibc
import TallyAdmin

extension DaemonConfig {
  /// A setting given on the command line, with the flag's name; repeated flags of a list are one list.
  public struct Flag: Hashable, Sendable {
    public let key: ConfigKey
    public let name: String
    public let values: [String]
    public init(_ key: ConfigKey, name: String, values: [String]) {
      self.key = key
      self.name = name
      self.values = values
    }
  }

  /// - Parameters:
  ///   - data: the data directory; nil: the standard one.
  ///   - file: the configuration file; nil: `tally.toml` in the data directory, which need not exist.
  ///   - variable: the environment.
  public static func load(
    data: String?, file: String?, flags: [Flag], variable: (String) -> String?
  ) throws(ConfigError) -> DaemonConfig {
    guard let layout = data.map(DataLayout.init(directory:)) ?? DataLayout.standard(variable) else {
      throw ConfigError("--data", "nobody says where the data directory is", fix: "give --data DIR, or set HOME")
    }
    let path = file ?? layout.config
    let bytes: [UInt8]?
    do throws(PrivateFile.Fault) { bytes = try PrivateFile.readIfAny(path) } catch {
      throw ConfigError(path, error.description, fix: "make it readable for this user")
    }
    if bytes == nil && file != nil { throw ConfigError(path, "there is no such file", fix: "leave --config away") }
    guard let text = String(validating: bytes ?? [], as: UTF8.self) else {
      throw ConfigError(path, "it is not UTF-8", fix: "save it as UTF-8")
    }
    return try make(layout: layout, text: text, path: path, flags: flags, variable: variable, machine: .here())
  }

  static func make(
    layout: DataLayout, text: String, path: String, flags: [Flag], variable: (String) -> String?, machine: Machine
  ) throws(ConfigError) -> DaemonConfig {
    let inFile = try ConfigText.read(text, path: path)
    var settings: [Setting] = []
    for key in ConfigKey.allCases {
      let setting: Setting
      if let flag = flags.last(where: { $0.key == key && !$0.values.isEmpty }) {
        let origin = ConfigOrigin.flag(flag.name)
        let value = key.kind == .list ? .list(flag.values) : try ConfigText.value(flag.values[0], of: key, at: origin)
        setting = Setting(key: key, value: value, origin: origin)
      } else if let text = variable(key.variable) {
        let origin = ConfigOrigin.environment(key.variable)
        setting = Setting(key: key, value: try ConfigText.value(text, of: key, at: origin), origin: origin)
      } else if let (value, origin) = inFile[key] {
        setting = Setting(key: key, value: value, origin: origin)
      } else {
        setting = Setting(key: key, value: byDefault(key, machine), origin: .byDefault)
      }
      if case .number(let range) = key.kind, case .number(let number) = setting.value, !range.contains(number) {
        throw ConfigError(
          setting.origin.description, "\(key.rawValue) = \(number) is out of range",
          fix: "use \(range.lowerBound) to \(range.upperBound)")
      }
      settings.append(setting)
    }
    return try DaemonConfig(layout: layout, settings: settings, machine: machine)
  }

  static func byDefault(_ key: ConfigKey, _ machine: Machine) -> ConfigValue {
    switch key {
    case .nodeName: .text(machine.name)
    case .listenAt: .list(["0.0.0.0:8255"])
    case .advertiseAt, .joinSeeds, .adminOperators: .list([])
    case .adminSocket, .adminGroup: .text("")
    case .adminMode: .text("0600")
    case .lendOn: .flag(false)
    case .lendCores, .lendMemory, .lendDisk: .number(0)
    case .lendSlots: .number(1)
    case .storeBlobs: .number(4096)
    case .logLevel: .text("info")
    }
  }
}

extension DaemonConfig.Machine {
  /// This machine. Its name is bent into a petname.
  public static func here() -> DaemonConfig.Machine {
    var host: [UInt8] = []
    do throws(PrivateFile.Fault) {
      host = try PrivateFile.readIfAny("/proc/sys/kernel/hostname") ?? []
    } catch { /* A machine without a name is called `host`. */ }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let pages = Int(sysconf(Int32(_SC_PHYS_PAGES)))
    return DaemonConfig.Machine(
      name: petname(host), cores: max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
      memoryMiB: max(64, (page >> 10) * (pages >> 10)))
  }

  static func petname(_ host: [UInt8]) -> String {
    let text = String(decoding: host, as: UTF8.self).lowercased().prefix { $0 != "." && $0 != "\n" }
    let name = text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }.drop { $0 == "-" }.prefix(32)
    return name.isEmpty ? "host" : String(name)
  }
}
