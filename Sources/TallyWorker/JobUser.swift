// Owns: the kernel identity that jobs run under. DESIGN 10: no job runs under kernel uid 0, since the kernel does not
// hold uid 0 to RLIMIT_NPROC whatever a user namespace maps it to.

import CWorker
import Glibc

/// A kernel user and group other than root.
public struct JobUser: Hashable, Sendable {
  public let user: UInt32
  public let group: UInt32

  /// nil for root.
  public init?(user: UInt32, group: UInt32) {
    guard user != 0, group != 0 else { return nil }
    self.user = user
    self.group = group
  }

  /// Whom root hands jobs to: `tally-worker` when this machine knows it, else 65534. nil when we are not root:
  /// jobs then run as ourselves.
  public static func forRoot() -> JobUser? {
    guard geteuid() == 0 else { return nil }
    var group: UInt32 = 0
    // Safe: the name ends with NUL; `group` is ours.
    let user = unsafe worker_user_named(SystemCall.name("tally-worker"), &group)
    if user > 0, let found = JobUser(user: UInt32(truncatingIfNeeded: user), group: group) { return found }
    return JobUser(user: 65_534, group: 65_534)
  }

  /// Makes this whole process the job user for good. For a worker at its start, after control groups are handed over
  /// and before it reads anything from a peer.
  public func become() throws(WorkerFault) {
    try SystemCall.check(worker_become(user, group), "setresuid", "\(user)".utf8)
  }
}
