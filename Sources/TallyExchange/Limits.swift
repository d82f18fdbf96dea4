// Owns: the named limits of the exchange. Each is hit on purpose by a test.
import TallyBase

public enum ExchangeLimits {
  /// Members asked about one task in one round.
  public static let askCountMax = 8
  /// How long bids are waited for.
  public static let bidWait = Interval.milliseconds(300)
  /// How long a worker keeps a slot for a bid that is not followed by a lease.
  public static let reservationHeld = Interval.seconds(10)
  /// Reservations that one requester may hold here at once.
  public static let reservationsPerPeerMax = 16
  /// A worker speaks at least this often while it holds a lease.
  public static let beatInterval = Interval.seconds(5)
  /// Silence after which a lease is taken to be lost and the task is leased again: three beats.
  public static let leaseSilenceMax = Interval.seconds(15)
  /// Attempts of one task before its requester gives up.
  public static let attemptsMax: UInt16 = 8
  /// Pauses between rounds of asking when nobody can: 0.5 s doubling up to this.
  public static let askPauseMin = Interval.milliseconds(500)
  public static let askPauseMax = Interval.seconds(15)
  /// Open tasks of this requester.
  public static let requestsMax = 4096
  /// Leases held by this worker, waiting or running.
  public static let leasesMax = 256
  /// Leaf requests on their way to one peer.
  public static let leavesInFlightMax = 8
  /// Leaf requests of one peer waiting for the store here.
  public static let leavesServedMax = 32
  /// Leaves waiting for their turn.
  public static let leavesQueuedMax = 65_536
  /// A leaf that has not come after this long is asked for again, three times at most.
  public static let leafWait = Interval.seconds(10)
  public static let leafTriesMax = 3
  /// The time to live written into `lease.grant`, in seconds: how long after its last word the lease counts as held.
  public static let leaseTtlSeconds: UInt32 = 15
  /// Bytes of output forwarded for one task; beyond it the stream is only kept as a blob.
  public static let outputForwardedMax: UInt64 = 1 << 30
}
