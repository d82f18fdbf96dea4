// Owns: the settings of one daemon, understood and within their ranges, with the origin of each.
// Refuses to know: sockets, and how the mesh is found. Flags beat environment beat file beat default.
import TallyAdmin
import TallyBase
import TallyExchange
import TallyGossip

/// Who may operate besides root and the daemon's own user.
public enum AdminOperator: Hashable, Sendable {
  case uid(UInt32)
  case group(UInt32)
}

public enum LogLevel: String, Hashable, Sendable, CaseIterable {
  case trace, debug, info, notice, warning, error, critical
}

public struct DaemonConfig: Sendable {
  public let layout: DataLayout
  public var dataDirectory: String { layout.directory }
  /// A petname: `[a-z0-9][a-z0-9.-]*`, at most 32 bytes.
  public let name: String
  public let listen: [Endpoint]
  public let advertise: [Endpoint]
  /// Hosts may be names: the daemon resolves them when it dials.
  public let seeds: [Invite]
  public let adminSocket: String
  public let workerSocket: String
  /// Permission bits.
  public let adminMode: UInt32
  public let adminGroup: UInt32?
  public let operators: [AdminOperator]
  /// Bytes that blobs may take, as they lie on disk.
  public let blobQuotaBytes: UInt64
  /// What is lent when `trust.toml` says nothing else; without relations.
  public let lend: LendPolicy
  public let logLevel: LogLevel
  /// Every setting with its value and where it came from, in the order of the table.
  public let settings: [Setting]

  public struct Setting: Hashable, Sendable {
    public let key: ConfigKey
    public let value: ConfigValue
    public let origin: ConfigOrigin
  }

  /// What the machine is like, for defaults.
  public struct Machine: Hashable, Sendable {
    public var name: String
    public var cores: Int
    public var memoryMiB: Int
    public init(name: String, cores: Int, memoryMiB: Int) {
      self.name = name
      self.cores = cores
      self.memoryMiB = memoryMiB
    }
  }

  init(layout: DataLayout, settings: [Setting], machine: Machine) throws(ConfigError) {
    self.layout = layout
    self.settings = settings
    let reader = SettingReader(settings: settings)
    name = try reader.petname()
    listen = try reader.endpoints(.listenAt, allowsEmpty: false)
    advertise = try reader.endpoints(.advertiseAt, allowsEmpty: true)
    seeds = try reader.invites()
    let socket = reader.text(.adminSocket)
    adminSocket = socket.isEmpty ? layout.adminSocket : socket
    workerSocket = socket.isEmpty ? layout.workerSocket : Self.beside(socket, "worker.sock")
    adminMode = try reader.mode()
    adminGroup = try reader.group()
    operators = try reader.operators()
    logLevel = try reader.level()
    blobQuotaBytes = UInt64(reader.number(.storeBlobs)) << 20
    let cores = reader.number(.lendCores)
    let memory = reader.number(.lendMemory)
    let disk = reader.number(.lendDisk)
    lend = LendPolicy(
      lends: reader.flag(.lendOn), cores: UInt16(clamping: cores == 0 ? machine.cores : cores),
      memoryMiB: UInt32(clamping: memory == 0 ? machine.memoryMiB / 2 : memory),
      diskMiB: UInt32(clamping: disk == 0 ? 4096 : disk), slots: UInt16(clamping: reader.number(.lendSlots)),
      relations: [:])
  }

  /// As `adminMode`: whoever may look may also ask whether there is work; roles decide the rest.
  public var workerMode: UInt32 { adminMode }

  public var operatorGroups: [UInt32] {
    operators.compactMap { if case .group(let id) = $0 { id } else { nil } }
  }

  public var operatorUsers: [UInt32] {
    operators.compactMap { if case .uid(let id) = $0 { id } else { nil } }
  }

  /// What is lent, and to whom.
  public func lendPolicy(trust: TrustFile) -> LendPolicy { trust.policy(lend) }

  /// Where an invite's host is reached; a name is looked up now, which may take a while. nil: it has no address.
  public func seed(of invite: Invite) -> Seed? {
    if let seed = invite.seed { return seed }
    return PosixNames.address(of: invite.host).map {
      Seed(key: invite.key, endpoint: Endpoint(address: $0, port: invite.port))
    }
  }

  private static func beside(_ path: String, _ name: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return name }
    return "\(path[..<slash])/\(name)"
  }
}
