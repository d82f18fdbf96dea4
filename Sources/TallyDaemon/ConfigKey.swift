// Owns: the one table of settings: section, name, type, range, what it is for. DESIGN section 12.
// Refuses to know: where a value comes from.

/// The settings of a daemon. The raw value is `section.name`.
public enum ConfigKey: String, Hashable, Sendable, CaseIterable {
  case nodeName = "node.name"
  case listenAt = "listen.at"
  case advertiseAt = "advertise.at"
  case joinSeeds = "join.seeds"
  case adminSocket = "admin.socket"
  case adminMode = "admin.mode"
  case adminGroup = "admin.group"
  case adminOperators = "admin.operators"
  case lendOn = "lend.on"
  case lendCores = "lend.cores"
  case lendMemory = "lend.mem_mb"
  case lendDisk = "lend.disk_mb"
  case lendSlots = "lend.slots"
  case storeBlobs = "store.blobs_mb"
  case logLevel = "log.level"

  public enum Kind: Hashable, Sendable {
    case text
    case list
    case flag
    case number(ClosedRange<Int>)
  }

  public var kind: Kind {
    switch self {
    case .nodeName, .adminSocket, .adminMode, .adminGroup, .logLevel: .text
    case .listenAt, .advertiseAt, .joinSeeds, .adminOperators: .list
    case .lendOn: .flag
    case .lendCores: .number(0...1024)
    case .lendMemory, .lendDisk: .number(0...1 << 24)
    case .lendSlots: .number(1...64)
    case .storeBlobs: .number(16...1 << 24)
    }
  }

  public var section: String { String(rawValue.prefix { $0 != "." }) }
  public var name: String { String(rawValue.drop { $0 != "." }.dropFirst()) }
  /// `TALLY_SECTION_KEY`
  public var variable: String { "TALLY_\(section.uppercased())_\(name.uppercased())" }

  /// For the reference in PROTOCOL.md and the file that `tally up` writes.
  public var summary: String {
    switch self {
    case .nodeName: "the name that this host proposes for itself; default: the machine's name"
    case .listenAt: "addresses for UDP and TCP, IPv4 or [IPv6], with a port"
    case .advertiseAt: "addresses that others are told; default: what others see"
    case .joinSeeds: "invites of hosts that are tried for ever"
    case .adminSocket: "path of the admin socket; default: admin.sock in the data directory"
    case .adminMode: "permissions of the admin socket, octal"
    case .adminGroup: "the group that owns the admin socket"
    case .adminOperators: "who may operate, besides root and the daemon's user: group:NAME or uid:NUMBER"
    case .lendOn: "whether this host lends at all; `tally lend` changes it"
    case .lendCores: "cores lent; 0: all"
    case .lendMemory: "MiB of memory lent; 0: half of the machine's"
    case .lendDisk: "MiB of disk lent; 0: 4096"
    case .lendSlots: "jobs at once"
    case .storeBlobs: "MiB of blobs kept"
    case .logLevel: "trace, debug, info, notice, warning, error or critical"
    }
  }
}

/// One value of a setting, typed but not yet understood.
public enum ConfigValue: Hashable, Sendable, CustomStringConvertible {
  case text(String)
  case list([String])
  case flag(Bool)
  case number(Int)

  public var description: String {
    switch self {
    case .text(let text): "\"\(text)\""
    case .list(let list): "[" + list.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
    case .flag(let flag): "\(flag)"
    case .number(let number): "\(number)"
    }
  }
}

/// Where a value came from, strongest first.
public enum ConfigOrigin: Hashable, Sendable, Comparable, CustomStringConvertible {
  case flag(String)
  case environment(String)
  case file(String, line: Int)
  case byDefault

  private var rank: Int {
    switch self {
    case .flag: 0
    case .environment: 1
    case .file: 2
    case .byDefault: 3
    }
  }

  /// The stronger one is less.
  public static func < (left: ConfigOrigin, right: ConfigOrigin) -> Bool { left.rank < right.rank }

  public var description: String {
    switch self {
    case .flag(let name): name
    case .environment(let name): name
    case .file(let path, let line): "\(path):\(line)"
    case .byDefault: "default"
    }
  }
}
