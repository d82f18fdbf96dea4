// Owns: how large a TOML document may be. Each is hit on purpose by a test.

public enum TOMLLimits {
  /// Bytes of a document: a settings file of people, or 4,096 lines about hosts.
  public static let byteCountMax = 1 << 20
  /// Tables, arrays and keys within each other; what stands in the document's own table is at depth 1.
  public static let depthMax = 32
}
