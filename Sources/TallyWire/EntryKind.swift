// Owns: the numbers of entry kinds. A number is for ever; a kind that is not here is kept, relayed and shown as
// "newer than I know". DESIGN sections 9 and 10.

@frozen
public struct EntryKind: RawRepresentable, Hashable, Comparable, Sendable {
  public let rawValue: UInt16
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
  @inlinable public static func < (left: EntryKind, right: EntryKind) -> Bool { left.rawValue < right.rawValue }

  public static let begin = EntryKind(rawValue: 1)
  public static let jobPost = EntryKind(rawValue: 2)
  public static let jobCancel = EntryKind(rawValue: 3)
  public static let leaseGrant = EntryKind(rawValue: 4)
  public static let workClaim = EntryKind(rawValue: 5)
  public static let workFail = EntryKind(rawValue: 6)
  public static let accept = EntryKind(rawValue: 7)
  public static let refuse = EntryKind(rawValue: 8)
  public static let record = EntryKind(rawValue: 9)
  public static let sighting = EntryKind(rawValue: 10)
  public static let evidence = EntryKind(rawValue: 11)
  // Reserved; their layouts in PROTOCOL.md are drafts.
  public static let workSeal = EntryKind(rawValue: 12)
  public static let workOpen = EntryKind(rawValue: 13)
  public static let owe = EntryKind(rawValue: 14)
  public static let settle = EntryKind(rawValue: 15)
  public static let attest = EntryKind(rawValue: 16)
  public static let admit = EntryKind(rawValue: 17)
  public static let expel = EntryKind(rawValue: 18)
  public static let vouch = EntryKind(rawValue: 19)
  public static let totals = EntryKind(rawValue: 20)
  public static let rotate = EntryKind(rawValue: 21)
  public static let resolve = EntryKind(rawValue: 22)
  public static let policy = EntryKind(rawValue: 23)

  private static let names: [String] = [
    "", "begin", "job.post", "job.cancel", "lease.grant", "work.claim", "work.fail", "accept", "refuse", "record",
    "sighting", "evidence", "work.seal", "work.open", "owe", "settle", "attest", "admit", "expel", "vouch", "totals",
    "rotate", "resolve", "policy",
  ]

  /// The name people see; nil for a kind newer than this version knows.
  public var name: String? {
    rawValue > 0 && Int(rawValue) < Self.names.count ? Self.names[Int(rawValue)] : nil
  }

  public init?(name: String) {
    guard !name.isEmpty, let index = Self.names.firstIndex(of: name) else { return nil }
    self.init(rawValue: UInt16(index))
  }
}
