// Owns: what a ledger is told once. Refuses to know: where it comes from.

import TallyBase

public struct LedgerConfig: Sendable {
  public let meshName: String
  public let meshID: MeshID
  public let me: PublicKey
  /// Digest of the recovery key, written into every `begin`; zero when the host has none.
  public let recoveryCommitment: Digest
  /// How often the clock is compared with one peer; jittered by a quarter either way.
  public var clockPeriod = LedgerLimits.clockPeriod

  public init(meshName: String, meshID: MeshID, me: PublicKey, recoveryCommitment: Digest = .zero) {
    self.meshName = meshName
    self.meshID = meshID
    self.me = me
    self.recoveryCommitment = recoveryCommitment
  }
}

/// One line of a vector clock: what is stored of a feed, and from where on it is forked.
public struct ClockLine: Hashable, Sendable {
  public let feed: FeedID
  /// Stored entries that count: never above `forkIndex`.
  public let size: UInt64
  /// RFC 6962 root at `size`.
  public let root: Digest
  public let forkIndex: UInt64?

  public init(feed: FeedID, size: UInt64, root: Digest, forkIndex: UInt64?) {
    self.feed = feed
    self.size = size
    self.root = root
    self.forkIndex = forkIndex
  }
}
