// Owns: the limits of the layouts of unlogged dealings (messages 0x40 to 0x47).

/// Limits of the exchange's layouts.
public enum ExchangeWireLimits {
  /// Bytes of canonical work JSON.
  public static let workSizeMax = 16 * 1024
  /// Bytes of output carried by one OUTPUT message.
  public static let outputSizeMax = 32 * 1024
  /// Bytes of a manifest or of a tree text carried by one RESULT message; both together fit one frame with room left.
  public static let manifestSizeMax = 24 * 1024
  public static let treeSizeMax = 32 * 1024
}
