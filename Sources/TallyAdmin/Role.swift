// Owns: what a connection to the admin socket may do. DESIGN section 12.

/// Four roles. `admin` may everything; the others are named by what they are for.
public enum Role: String, Codable, Hashable, Sendable, CaseIterable {
  /// Looks, changes nothing.
  case read
  /// Posts jobs, writes records, moves blobs.
  case operate
  /// Takes tasks and hands back results.
  case worker
  /// Stops the daemon, changes whom it trusts.
  case admin

  /// True when a connection with this role may call a method that asks for `needed`.
  public func covers(_ needed: Role) -> Bool {
    switch self {
    case .admin: true
    case .operate: needed == .operate || needed == .read
    case .worker: needed == .worker || needed == .read
    case .read: needed == .read
    }
  }

  /// `hello` may only lower a role: the wanted one when this one covers it, else nil.
  public func lowered(to wanted: Role) -> Role? { covers(wanted) ? wanted : nil }
}
