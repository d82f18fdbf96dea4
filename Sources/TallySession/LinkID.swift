// Owns: the name of one TCP link. Refuses to know: sockets; the shell maps names to them.

/// One TCP connection of this host. A number is never used twice while the process lives.
@frozen
public struct LinkID: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let number: UInt64
  @inlinable public init(number: UInt64) { self.number = number }
  @inlinable public static func < (left: LinkID, right: LinkID) -> Bool { left.number < right.number }
  public var description: String { "link \(number)" }
}
