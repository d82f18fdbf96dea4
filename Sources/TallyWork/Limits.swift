// Owns: the named limits of this module.

public enum FoldLimits {
  /// Bytes of a record's body that the fold keeps in memory; longer ones are read from the store.
  public static let recordBodyBytes = 256
  /// Shown sums saturate here: the largest integer that JSON numbers hold exactly.
  public static let shownAmountMax: UInt64 = (1 << 53) - 1
}

public enum TextLimits {
  /// Bytes of a path, and of one of its parts.
  public static let pathBytes = 4096
  public static let partBytes = 255
  /// Lines and bytes of a manifest.
  public static let manifestLines = 65_536
  public static let manifestBytes = 8 << 20
  /// Lines and bytes of a tree.
  public static let treeLines = 262_144
  public static let treeBytes = 48 << 20
  /// Bytes of one file in a tree are below this.
  public static let fileSizeEnd: UInt64 = 1 << 40
  /// Arguments, variables and inputs of one work.
  public static let arguments = 1024
  public static let variables = 256
  public static let inputs = 256
  public static let coresMax: UInt64 = 1024
  /// Seconds since 1970; the end of the year 9999.
  public static let epochMax: UInt64 = 253_402_300_799
  /// Levels of arrays and objects in the JSON of a work.
  public static let jsonDepth = 6
  /// Bytes of a receipt.
  public static let receiptBytes = 10 << 20
  /// Bytes of the words that a record's receipt may hold.
  public static let receiptWordsBytes = 64 << 10
}
