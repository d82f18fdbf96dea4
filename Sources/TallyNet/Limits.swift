// Owns: every bound of the network layer. Refuses to know: what the bytes mean.

/// Named maxima of queues, batches and tables. A test hits each on purpose.
public enum NetLimits {
  /// Bytes of one UDP payload: an IPv6 packet of 1,280 bytes (RFC 8200, section 5) less its headers of 40 and 8.
  public static let datagramBytes = 1232
  /// Datagrams in one recvmmsg or sendmmsg. Ours: 32 and 64 measured the same (262,000 echoes a second).
  public static let batchDatagrams = 64
  /// Datagrams received in one turn (DESIGN, section 2).
  public static let turnDatagrams = 256
  /// Datagrams waiting to be sent; the newest beyond it is dropped and counted. At most 1.3 MB.
  public static let sendQueueDatagrams = 1024
  /// Bytes read from one link in one turn.
  public static let linkTurnBytes = 65_536
  /// Bytes read from all links in one turn; what is left over is read first in the next turn.
  public static let turnLinkBytes = 1_048_576
  /// Connections accepted from one listener in one turn.
  public static let turnAccepts = 64
  /// TCP links, dialled and accepted together. One more is closed at once and counted.
  public static let links = 1024
  /// Connections on all Unix sockets together. One more is closed at once and counted.
  public static let unixLinks = 1152
  /// Connections that may wait in the kernel before they are accepted.
  public static let backlog = 256
  /// Rows taken from one epoll_wait.
  public static let pollRows = 64
  /// Supplementary groups of a peer that are read.
  public static let peerGroups = 1024
}
