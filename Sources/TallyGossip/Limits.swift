// Owns: every maximum of membership and broadcast, with its unit and where it comes from.

import TallyBase

public enum GossipLimits {
  /// Members of a mesh in full view, those that left included (DESIGN, section 7).
  public static let members = 1024
  public static let candidates = 1024
  /// Candidates that advertise one address, and one group (/24, /48).
  public static let candidatesPerAddress = 8
  public static let candidatesPerGroup = 64
  /// On loopback and private networks many hosts share an address honestly: the caps above times this.
  public static let localScopeFactor = 32
  /// `reached` statements kept of one host; a member signs one of its own only while fewer than the second stand.
  public static let reachedKept = 4
  public static let reachedWanted = 3
  /// Up to so many hosts everybody links with everybody; above, each wants so many links.
  public static let fullLinkHosts = 8
  public static let linksWanted = 5
  public static let seeds = 64
  /// Links and sessions that membership remembers.
  public static let peers = 4096

  public static let candidateKept = Interval.seconds(600)
  /// Dial-backs to a candidate before a session that it opened must do.
  public static let candidateTries = 3
  public static let candidateRetry = Interval.seconds(60)
  /// A candidate that somebody else knows is left to them for so long.
  public static let candidateOfOthers = Interval.seconds(5)

  /// Time between probes of one member: this long for each member, within the two bounds (ours: 50 hosts stay below
  /// 500 B/s of pings and answers, since any packet from the other side counts).
  public static let probePerMember = Interval.milliseconds(400)
  public static let probeLeast = Interval.seconds(2)
  public static let probeMost = Interval.seconds(60)
  public static let probeTries = 3
  public static let timeoutLeast = Interval.milliseconds(50)
  public static let timeoutMost = Interval.seconds(1)
  /// Before the first measured round trip; includes a handshake.
  public static let timeoutUnknown = Interval.milliseconds(500)
  /// Probes must fail for so long before a member is shown as unreachable from here.
  public static let unreachableAfter = Interval.seconds(5)
  /// Retries of an unreachable member: doubled from the first to the last, given up after a week.
  public static let retryFirst = Interval.seconds(1)
  public static let retryLast = Interval.seconds(300)
  public static let retryFor = Interval.seconds(7 * 24 * 3600)

  /// When one unreachable member answers, all others are asked anew, at most once in so long.
  public static let hurryInterval = Interval.seconds(10)

  /// A link that lasted this long was a good one: the next dial of its peer comes at once again.
  public static let linkLasted = Interval.seconds(10)
  public static let dialFirst = Interval.seconds(1)
  public static let dialLast = Interval.seconds(30)
  /// The higher node ID of a pair waits so long for the lower to dial.
  public static let dialDeference = Interval.seconds(2)
  /// An unwanted link that we dialled is closed after this long.
  public static let unwantedKept = Interval.seconds(30)
  /// Changes are gathered for so long before the wanted links are computed again.
  public static let planDelay = Interval.milliseconds(200)

  /// Between comparisons of views with one random neighbour.
  public static let exchangeInterval = Interval.seconds(10)
  /// A neighbour's questions are answered once in so long; an equal pair of views is not answered again for longer.
  public static let answerInterval = Interval.milliseconds(500)
  public static let answerSamePair = Interval.seconds(600)
  /// Own records are renewed at most once in so long when somebody claims a larger number.
  public static let renewInterval = Interval.milliseconds(500)
  /// The longest pause between jumps while another instance with this key answers each with one of its own.
  public static let renewIntervalMost = Interval.seconds(60)

  /// Broadcast: feeds whose recent pushes are remembered, pushes a feed, and neighbours a push.
  public static let pushFeeds = 65_536
  public static let pushesPerFeed = 64
  public static let pushHolders = 16
  /// Heads announced to one congested neighbour at a time; the oldest feed gives way (the clock finds it later).
  public static let announcements = 256
  public static let announceDelay = Interval.milliseconds(25)

  /// Raw value of `StoreTable.members`.
  public static let storeTable: UInt8 = 2
  /// Bytes of an invite's text.
  public static let inviteByteCount = 1024
}
