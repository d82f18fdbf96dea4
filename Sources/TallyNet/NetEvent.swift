// Owns: what the network tells its owner. Refuses to know: what the bytes mean.
import Glibc
import TallyBase

/// A link, a Unix connection or a listener of one `NetDriver`. Never 0, and never used for two things.
public typealias NetToken = UInt64

/// Something that happened, in the order in which it was noticed.
public enum NetEvent: Sendable, Equatable {
  /// One UDP payload of at most 1,232 bytes.
  case datagram(from: Endpoint, [UInt8])
  /// A link that `dial` asked for is up.
  case linkOpened(NetToken, remote: Endpoint)
  /// Somebody else's TCP connection.
  case linkAccepted(NetToken, remote: Endpoint)
  /// At most 64 KiB, in order.
  case linkBytes(NetToken, [UInt8])
  /// A congested link has room again: at most a quarter of its queue is filled.
  case linkDrained(NetToken)
  /// The link is gone, and its token with it. Also the answer to a `dial` that failed. Not sent after `close`.
  case linkClosed(NetToken, CloseReason)
  /// A connection on the Unix listener that was registered under `label`.
  case unixAccepted(NetToken, label: Int, PeerCredentials)
  case unixBytes(NetToken, [UInt8])
  case unixDrained(NetToken)
  /// The peer will send nothing more but may still read (`nc -N`): answer what is pending, then `close(afterFlush:)`.
  case unixEnded(NetToken)
  case unixClosed(NetToken, CloseReason)
  /// SIGTERM, SIGINT, SIGHUP or SIGCHLD, by number.
  case signal(CInt)
  /// Some thread called `wake()`: look at the mailboxes.
  case woken
}

/// Why a link ended.
public enum CloseReason: Sendable, Hashable {
  /// The peer closed it in order.
  case ended
  /// The peer reset it, or its host did (ECONNRESET, EPIPE).
  case reset
  /// Nobody listens there (ECONNREFUSED).
  case refused
  /// There is no way there (EHOSTUNREACH, ENETUNREACH).
  case unreachable
  /// The dial was not answered in time.
  case connectTimedOut
  /// Half-open: the peer acknowledged nothing, or read nothing, for the configured time (ETIMEDOUT).
  case timedOut
  /// This host has too many links.
  case tooManyLinks
  /// Anything else the kernel said.
  case failed(SystemError)

  init(_ error: SystemError) {
    switch error.code {
    case ECONNRESET, EPIPE, ECONNABORTED: self = .reset
    case ECONNREFUSED: self = .refused
    case EHOSTUNREACH, ENETUNREACH: self = .unreachable
    case ETIMEDOUT: self = error.call == "connect" ? .connectTimedOut : .timedOut
    default: self = .failed(error)
    }
  }
}

/// What became of bytes given to `write`.
public enum WriteOutcome: Sendable, Hashable {
  /// They will be sent.
  case queued
  /// They will be sent, but the queue is half full: hold back until `linkDrained` or `unixDrained`.
  case congested
  /// None of them was taken: they would pass the queue's limit.
  case full
  /// There is no such link (any more).
  case gone
}
