// Owns: every limit of sessions and links. Each is hit on purpose by a test.

import TallyBase
import TallyWire

public enum SessionLimits {
  /// Mesh keys that are accepted at one time (DESIGN section 4).
  public static let meshKeys = 3
  /// Bytes of the largest message in a datagram: 1,232 of UDP payload less header and tag.
  public static let datagramMessageBytes = SessionPacket.datagramLimit - DataHeader.byteCount - 16
  /// Bytes of the largest message on a link, as given and as unpacked: a frame less its tag and its form byte.
  public static let linkMessageBytes = LinkFrame.messageLimit
  /// A message on a link is packed only when it is longer than this many bytes.
  public static let compressAboveBytes = 256
  /// Peers with a UDP session.
  public static let peers = 4096
  /// UDP sessions kept with one peer (the one that heard nothing for longest goes first), and handshakes that run
  /// with it.
  public static let sessionsPerPeer = 4
  /// Handshakes that we began and that were not answered yet.
  public static let dialling = 1024
  /// Messages that wait for one handshake, or for one address to be proven.
  public static let waitingMessages = 16
  /// Handshakes answered over UDP but not confirmed yet, in all and per address group (loopback: in all only).
  public static let halfOpen = 512
  public static let halfOpenPerGroup = 64
  /// TCP links whose peer is not proven yet, in all and per address group (loopback: in all only).
  public static let halfOpenLinks = 64
  public static let halfOpenLinksPerGroup = 8
  /// TCP links in all.
  public static let links = 1024
  /// First handshake messages worked on per second, and at once after a quiet second. Ours: a quarter of one
  /// core, at 130 µs each.
  public static let handshakesPerSecond = 2000
  public static let handshakeBurst = 400
  /// How long an unconfirmed handshake is kept, over UDP and on an accepted link.
  public static let halfOpenLife = Interval.seconds(2)
  /// How long a dialled link waits for its handshake to be answered.
  public static let linkAnswerLife = Interval.seconds(5)
  /// The first wait for an answer to a handshake over UDP; it doubles with every try.
  public static let firstRetry = Interval.milliseconds(300)
  /// How often a handshake is tried over UDP: about nine seconds in all.
  public static let handshakeTries = 5
  /// A UDP session that heard nothing for this long is forgotten.
  public static let sessionIdle = Interval.seconds(900)
  /// When this long after a message was sent nothing at all came back, the session is made anew.
  public static let silenceBeforeRenewal = Interval.seconds(5)
  /// Wait for the echo of a path challenge, doubled with every try, and the number of tries.
  public static let firstChallenge = Interval.milliseconds(250)
  public static let challengeTries = 5
  /// Pings of one session whose answer is still waited for.
  public static let outstandingPings = 8
  /// Counters behind the highest that may still come.
  public static let replayWindow = 2048
  /// A session ends before its counter gets here; far below where ChaCha20-Poly1305 with 64 bits would end.
  public static let counterEnd: UInt64 = 1 << 60
  /// Peers whose working mesh key is remembered.
  public static let rememberedKeys = 4096
}
