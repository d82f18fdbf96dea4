// Owns: every limit of the worker, with its unit and its source.

public enum WorkerLimits {
  /// Words in a job's command line.
  public static let argumentCountMax = 4_096
  /// Bytes in a job's command line and environment together. Ours: a quarter of what Linux allows by default.
  public static let argumentBytesMax = 512 << 10
  /// Inputs bound under /in. Each costs a mount.
  public static let inputCountMax = 256
  /// Files, directories and links in one tree.
  public static let treeEntryCountMax = 1_000_000
  /// Bytes in one path of a tree: Linux' PATH_MAX less its NUL.
  public static let pathBytesMax = 4_095
  /// Bytes in one name of a path (NAME_MAX).
  public static let nameBytesMax = 255
  /// Directories one within the other in a tree: one descriptor is held for each while it is walked.
  public static let depthMax = 128
  /// Bytes of names read from one directory.
  public static let directoryBytesMax = 64 << 20
  /// Bytes in one leaf of a blob (DESIGN 10).
  public static let leafBytes = 64 << 10
  /// Leaves in one blob that a worker will fetch: 64 GiB.
  public static let leafCountMax: UInt64 = 1 << 20
  /// Bytes of one tree text that a worker will fetch.
  public static let treeBytesMax = 128 << 20
  /// Bytes unpacked from one archive or tree, the sum of all files' sizes.
  public static let unpackedBytesMax: UInt64 = 64 << 30
  /// Files that a job may have on one of its writable file systems.
  public static let jobFileCountMax: UInt64 = 200_000
  /// Descriptors that one process of a job may have open.
  public static let jobDescriptorCountMax: UInt64 = 4_096
  /// Bytes of a job's stack.
  public static let jobStackBytes: UInt64 = 8 << 20
  /// Processes of a job beyond its own limit before the kernel refuses: bubblewrap's two, and so many that an excess
  /// is seen by the watch before the job is told. A job that is refused ends by itself, for a reason of its own.
  public static let processCountSpare: UInt64 = 64
  /// Bytes of address space beyond twice the memory limit. A backstop: what is resident is measured (PROTOCOL.md, 9).
  public static let addressSpaceSpareBytes: UInt64 = 256 << 20
  /// How long bubblewrap may take to set up, in microseconds.
  public static let setUpMicrosMax: Int64 = 10_000_000
  /// Between two looks at a job's usage, in milliseconds: at first, and at most after a while.
  public static let watchMsMin: Int32 = 5
  public static let watchMsMax: Int32 = 25
  /// From SIGTERM to SIGKILL, in microseconds.
  public static let graceMicros: Int64 = 2_000_000
  /// Bytes read from a job's pipe at once.
  public static let outputChunkBytes = 64 << 10
  /// Bytes kept of what bubblewrap says when it fails.
  public static let causeBytesMax = 2_048
  /// Most that any limit in a specification may say; compared before it is multiplied.
  public static let limitValueMax: UInt64 = 1 << 31
}
