// Owns: what an operator or a test may choose about the network. Refuses to know: configuration files.
import TallyBase

public struct NetSettings: Sendable {
  /// How long a dial may take.
  public var connectTimeout = Interval.seconds(10)
  /// How long a closed link may go on sending what was queued.
  public var finishTimeout = Interval.seconds(2)
  /// Bytes that may wait in one TCP link. A PUSH is at most 61 KiB: room for 64 of them.
  public var linkQueueBytes = 4_194_304
  /// Bytes that may wait in one Unix connection.
  public var unixQueueBytes = 1_048_576
  /// TCP_USER_TIMEOUT, milliseconds: unacknowledged or unread for so long means gone. (A peer that is alive but does
  /// not read is cut off as well; that is meant.)
  public var userTimeoutMs: Int32 = 20_000
  /// Keepalive finds a silent peer that is gone: after idle + probes × interval seconds. The kernel takes 1 to 32,767
  /// seconds and 1 to 127 probes.
  public var keepIdleSeconds: Int32 = 15
  public var keepIntervalSeconds: Int32 = 5
  public var keepProbes: Int32 = 3
  /// SO_RCVBUF and SO_SNDBUF of the UDP socket; the kernel may give less (net.core.rmem_max).
  public var datagramBufferBytes: Int32 = 1_048_576
  /// SO_SNDBUF of links; 0 leaves the kernel's own growth on, which is right except in tests of short writes.
  public var linkBufferBytes: Int32 = 0
  /// How long a listener rests when the process or the host has no descriptors left.
  public var acceptPause = Interval.milliseconds(100)
  /// How long a queue rests when the kernel has no buffers (ENOBUFS), since writability does not tell.
  public var bufferPause = Interval.milliseconds(2)
  /// The most TCP links and the most Unix connections.
  public var linksMax = NetLimits.links
  public var unixLinksMax = NetLimits.unixLinks

  public init() {}
}
