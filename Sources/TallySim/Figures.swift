// Owns: the numbers of a run. Refuses to know: which of them are good.

public struct Figures: Sendable {
  public var events: UInt64 = 0
  public var turns: UInt64 = 0
  public var datagrams: UInt64 = 0
  public var datagramBytes: UInt64 = 0
  public var datagramsLost: UInt64 = 0
  public var datagramsDoubled: UInt64 = 0
  public var datagramsCorrupted: UInt64 = 0
  public var datagramsSpoofed: UInt64 = 0
  public var linkBytes: UInt64 = 0
  /// Handshakes answered over UDP; those on links are at most `dials`.
  public var handshakes: UInt64 = 0
  public var dials: UInt64 = 0
  public var resets: UInt64 = 0
  public var commits: UInt64 = 0
  public var commitFaults: UInt64 = 0
  public var checks: UInt64 = 0
  public var reads: UInt64 = 0
  public var replies: UInt64 = 0
  public var crashes: UInt64 = 0
  public var starts: UInt64 = 0
  public var recordsAcknowledged: UInt64 = 0
  public var forkProofs: UInt64 = 0
  /// What the run met, sorted.
  public var marks: [Mark] = []
  /// Bytes sent by all hosts in the quiet time at the end, and its length in microseconds.
  public var quietBytes: UInt64 = 0
  public var quietTime: Int64 = 0
  /// When everything was equal, in microseconds of virtual time.
  public var convergedAt: Int64?

  public var bytes: UInt64 { datagramBytes + linkBytes }

  public var text: String {
    let converged = convergedAt.map { "\($0 / 1000)" } ?? "never"
    return """
      converged-ms=\(converged) events=\(events) turns=\(turns) datagrams=\(datagrams) \
      datagram-bytes=\(datagramBytes) lost=\(datagramsLost) doubled=\(datagramsDoubled) \
      corrupted=\(datagramsCorrupted) spoofed=\(datagramsSpoofed) link-bytes=\(linkBytes) \
      handshakes=\(handshakes) dials=\(dials) \
      resets=\(resets) commits=\(commits) commit-faults=\(commitFaults) checks=\(checks) reads=\(reads) \
      starts=\(starts) crashes=\(crashes) records=\(recordsAcknowledged) fork-proofs=\(forkProofs) \
      quiet-bytes-per-s=\(quietRate(hosts: 1)) \
      marks=\(marks.map(\.rawValue).joined(separator: ","))
      """
  }

  /// Bytes per second that one of `hosts` sends when nothing happens.
  public func quietRate(hosts: Int) -> UInt64 {
    quietTime == 0 ? 0 : quietBytes * 1_000_000 / UInt64(quietTime) / UInt64(max(1, hosts))
  }
}
