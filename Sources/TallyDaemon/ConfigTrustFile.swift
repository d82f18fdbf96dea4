// Owns: trust.toml: whom the reader of this ledger trusts with what, what he calls them, and what he lends. Written
// whole by the daemon when `tally trust` or `tally lend` changes it; a person may edit it while the daemon is down.
// Refuses to know: what a relation permits. DESIGN section 4.
import TallyAdmin
import TallyBase
import TallyCrypto
import TallyExchange

public struct TrustFile: Hashable, Sendable {
  public enum Relation: String, Hashable, Sendable, CaseIterable {
    case trusted, member, blocked
  }

  public struct Entry: Hashable, Sendable {
    public var key: PublicKey
    /// The reader's own name for the host; nil: what it proposes.
    public var name: String?
    public var relation: Relation
    /// The trust root that the key belongs to, in the reader's own words.
    public var owner: String?
    public init(key: PublicKey, name: String? = nil, relation: Relation = .member, owner: String? = nil) {
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
  public static let entriesMax = 4096

  /// Sorted by key.
  public private(set) var entries: [Entry] = []
  public var lend: Lend?

  public init() {}

  public func entry(of key: PublicKey) -> Entry? { entries.first { $0.key == key } }

  /// Adds or replaces; plain membership without a name or owner needs no line.
  public mutating func put(_ entry: Entry) {
    entries.removeAll { $0.key == entry.key }
    if entry.relation == .member && entry.name == nil && entry.owner == nil { return }
    entries.append(entry)
    entries.sort { $0.key < $1.key }
  }

  /// What `LendPolicy` wants: the hosts whose relation is not plain membership.
  public var relations: [PublicKey: LendPolicy.Relation] {
    var relations: [PublicKey: LendPolicy.Relation] = [:]
    for entry in entries {
      switch entry.relation {
      case .trusted: relations[entry.key] = .trusted
      case .blocked: relations[entry.key] = .blocked
      case .member: continue
      }
    }
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
    for host in entries {
      text += "\n[[host]]\nkey = \"\(KeyText.encode(host.key))\"\nrelation = \"\(host.relation.rawValue)\"\n"
      if let name = host.name { text += "name = \(Self.quoted(name))\n" }
      if let owner = host.owner { text += "owner = \(Self.quoted(owner))\n" }
    }
    return text
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
