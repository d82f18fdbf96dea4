// Owns: who is at the other end of a Unix socket, as the kernel saw it at connect. Refuses to know: roles.
import CLinux
import Glibc

/// SO_PEERCRED and SO_PEERGROUPS: unforgeable, and without a look into any user database.
public struct PeerCredentials: Sendable, Hashable {
  public let pid: Int32
  public let uid: UInt32
  /// The primary group alone.
  public let gid: UInt32
  /// The supplementary groups, ascending; they need not contain `gid`.
  public let groups: [UInt32]

  public init(pid: Int32, uid: UInt32, gid: UInt32, groups: [UInt32]) {
    self.pid = pid
    self.uid = uid
    self.gid = gid
    self.groups = groups
  }

  /// True when the peer is in group `id`, primary or supplementary.
  public func isIn(group id: UInt32) -> Bool { gid == id || groups.contains(id) }

  /// Asks the kernel about the peer of a connected Unix socket. ERANGE: it is in more than 1,024 groups.
  public init(of socket: borrowing Descriptor) throws(SystemError) {
    let number = socket.number
    var peer = clinux_credentials()
    // Safe: the shim fills one struct.
    try required("getsockopt") { unsafe clinux_peer_credentials(number, &peer) }
    var groups = [UInt32](repeating: 0, count: NetLimits.peerGroups)
    let capacity = CInt(groups.count)
    // Safe: the shim writes at most `capacity` numbers, which is the array's size.
    let count = try required("getsockopt") { unsafe clinux_peer_groups(number, &groups, capacity) }
    self.init(pid: peer.pid, uid: peer.uid, gid: peer.gid, groups: groups.prefix(Int(count)).sorted())
  }
}
