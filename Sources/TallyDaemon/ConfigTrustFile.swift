// Owns: trust.toml: whom the reader of this ledger trusts with what, what he calls them, and what he lends. Written
// whole by the daemon when `tally trust` or `tally lend` changes it; a person may edit it while the daemon is down.
// Refuses to know: what a relation permits. DESIGN section 4.
import TOMLKit
import TallyAdmin
import TallyBase
import TallyCrypto
import TallyExchange

public struct TrustFile: Hashable, Sendable {
  public struct Host: Hashable, Sendable {
    public var key: PublicKey
    /// The reader's own name for the host; nil: what it proposes.
    public var name: String?
    /// `.me` never stands in the file.
    public var relation: LendPolicy.Relation
    /// The trust root that the key belongs to, in the reader's own words.
    public var owner: String?
    public init(key: PublicKey, name: String? = nil, relation: LendPolicy.Relation, owner: String? = nil) {
      self.key = key
      self.name = name
      self.relation = relation
      self.owner = owner
    }
  }

  /// What is lent; it beats the configuration.
  public struct Lend: Hashable, Sendable {
    public var on: Bool
    public var cores: UInt16
    public var memoryMiB: UInt32
    public var diskMiB: UInt32
    public var slots: UInt16
    public init(on: Bool, cores: UInt16, memoryMiB: UInt32, diskMiB: UInt32, slots: UInt16) {
      self.on = on
      self.cores = cores
      self.memoryMiB = memoryMiB
      self.diskMiB = diskMiB
      self.slots = slots
    }
  }

  /// Most hosts in the file.
  public static let hostsMax = 4096

  /// Sorted by key.
  public private(set) var hosts: [Host] = []
  public var lend: Lend?

  public init() {}

  public func host(_ key: PublicKey) -> Host? { hosts.first { $0.key == key } }

  /// Adds or replaces; plain membership without a name or owner needs no line.
  public mutating func set(_ host: Host) {
    hosts.removeAll { $0.key == host.key }
    if host.relation == .member && host.name == nil && host.owner == nil { return }
    hosts.append(host)
    hosts.sort { $0.key < $1.key }
  }

  /// What `LendPolicy` wants: the hosts whose relation is not plain membership.
  public var relations: [PublicKey: LendPolicy.Relation] {
    var relations: [PublicKey: LendPolicy.Relation] = [:]
    for host in hosts where host.relation != .member { relations[host.key] = host.relation }
    return relations
  }

  /// The policy that results from configuration and file.
  public func policy(_ config: LendPolicy) -> LendPolicy {
    guard let lend else {
      var policy = config
      policy.relations = relations
      return policy
    }
    return LendPolicy(
      lends: lend.on, cores: lend.cores, memoryMiB: lend.memoryMiB, diskMiB: lend.diskMiB, slots: lend.slots,
      relations: relations)
  }

  public var text: String {
    var text = "# Whom this host trusts, and what it lends. Written by `tally trust` and `tally lend`.\n"
    if let lend {
      text += "\n[lend]\non = \(lend.on)\ncores = \(lend.cores)\nmem_mb = \(lend.memoryMiB)\n"
      text += "disk_mb = \(lend.diskMiB)\nslots = \(lend.slots)\n"
    }
    for host in hosts {
      text += "\n[[host]]\nkey = \"\(KeyText.encode(host.key))\"\nrelation = \"\(Self.word(host.relation))\"\n"
      if let name = host.name { text += "name = \(Self.quoted(name))\n" }
      if let owner = host.owner { text += "owner = \(Self.quoted(owner))\n" }
    }
    return text
  }

  public static func word(_ relation: LendPolicy.Relation) -> String {
    switch relation {
    case .member: "member"
    case .trusted: "trusted"
    case .blocked: "blocked"
    case .me: "me"
    }
  }

  /// nil for anything but `member`, `trusted`, `blocked`.
  public static func relation(_ word: String) -> LendPolicy.Relation? {
    switch word {
    case "member": .member
    case "trusted": .trusted
    case "blocked": .blocked
    default: nil
    }
  }

  /// A TOML basic string; control characters and what they could do to a terminal are written as escapes.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      default:
        if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
          let digits = String(scalar.value, radix: 16)
          quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          quoted.unicodeScalars.append(scalar)
        }
      }
    }
    return quoted + "\""
  }
}
