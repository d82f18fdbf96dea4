// Owns: the named limits of the work bodies. PROTOCOL.md, chapter "Work".

public enum WorkLimits {
  /// Bytes of canonical JSON of one work.
  public static let workBytesMax = 16 * 1024
  /// Workers that a post may ask to agree.
  public static let agreeMax = 32
  /// Bytes of a unit's name.
  public static let unitBytesMax = 8
  /// Tasks of one post.
  public static let tasksMax: UInt32 = 1_000_000
  /// Placement labels of one post, and the bytes of one.
  public static let labelsMax = 8
  public static let labelBytesMax = 32
  /// Seconds: limits of time and the ttl of a lease. One year.
  public static let secondsMax: UInt32 = 31_536_000
  /// MiB: limits of memory, disk and output. 16 TiB.
  public static let mebibytesMax: UInt32 = 16_777_216
  /// Items of one `accept`: the entry stays within 1 KiB, so that it fits into an `evidence`.
  public static let acceptItemsMax = 12
  /// Amounts, units and counters in bodies are below this: five bytes, 2^40.
  public static let amountEnd: UInt64 = 1 << 40
  /// Exit codes are 0 … 255, or minus the signal's number.
  public static let exitCodes: ClosedRange<Int32> = -64...255
}
