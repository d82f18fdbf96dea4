// Owns: what a ledger is told once. Refuses to know: where it comes from.

import TallyBase

public struct LedgerConfig: Sendable {
  public let meshName: String
  public let meshID: MeshID
  public let me: PublicKey
  /// Commitment to the recovery key, written into every `begin`; zero when the host has none.
  public let recovery: Bytes32
  /// How often the clock is compared with one peer; jittered by a quarter either way.
  public var clockPeriod = LedgerLimits.clockPeriod

  public init(meshName: String, meshID: MeshID, me: PublicKey, recovery: Bytes32 = .zero) {
    self.meshName = meshName
    self.meshID = meshID
    self.me = me
    self.recovery = recovery
  }
}
