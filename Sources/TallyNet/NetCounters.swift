// Owns: what the network has done so far, for status and metrics. Every drop has a name here.

/// Totals since the driver was made.
public struct NetCounters: Sendable, Hashable {
  // Datagrams in.
  /// recvmmsg calls that returned datagrams.
  public var receiveCalls: UInt64 = 0
  public var datagramsReceived: UInt64 = 0
  public var datagramBytesReceived: UInt64 = 0
  /// Larger than 1,232 bytes, or from port 0.
  public var datagramsMalformed: UInt64 = 0
  /// Errors of recvmmsg: news of earlier sends (ECONNREFUSED, EHOSTUNREACH), or no memory.
  public var receiveErrors: UInt64 = 0
  // Datagrams out.
  /// sendmmsg calls that sent something.
  public var sendCalls: UInt64 = 0
  public var datagramsSent: UInt64 = 0
  public var datagramBytesSent: UInt64 = 0
  /// The send queue was full.
  public var datagramsDropped: UInt64 = 0
  /// The kernel refused this one: no route, refused, filtered, an address that is none.
  public var datagramsUnsendable: UInt64 = 0
  /// sendmmsg would have blocked (EAGAIN) or had no buffers (ENOBUFS).
  public var sendStalls: UInt64 = 0
  // Links.
  public var accepted: UInt64 = 0
  public var dialled: UInt64 = 0
  public var opened: UInt64 = 0
  public var linkBytesReceived: UInt64 = 0
  public var linkBytesSent: UInt64 = 0
  /// Accepted and closed at once: the table of links was full.
  public var shedOverLimit: UInt64 = 0
  /// Accepted and closed at once with the reserve descriptor: EMFILE or ENFILE.
  public var shedNoDescriptor: UInt64 = 0
  /// Times a listener rested.
  public var acceptPauses: UInt64 = 0
  /// Connections that ended before they were accepted, and other passing errors of accept.
  public var acceptErrors: UInt64 = 0
  /// Writes refused because a link's queue was full.
  public var writesRefused: UInt64 = 0
  /// Links found half-open.
  public var halfOpen: UInt64 = 0
  // The loop.
  public var polls: UInt64 = 0
  /// Events or calls that named something which had ended.
  public var stale: UInt64 = 0

  public init() {}
}
