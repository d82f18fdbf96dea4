// Owns: the named maximum of every text this module reads. Wire and disk layouts have theirs in TallyWire/Limits.swift.

/// The ledger adds its own in an extension.
public enum LogLimits {
  /// Bytes of a signed note. 16 signatures of the largest kind that C2SP foresees would be 80 KiB.
  public static let noteBytes = 96 * 1024
  /// Signature lines of a note. C2SP asks for at least 16.
  public static let noteSignatures = 64
  /// Bytes of the opaque `extra` line of a proof, decoded.
  public static let proofExtraBytes = 16 * 1024
  /// Hashes of an inclusion or consistency proof: a tree of 2^64 leaves has no longer one.
  public static let pathHashes = 64
}
