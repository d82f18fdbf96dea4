// Owns: the named maximum of every field on the wire and on disk. A decoder refuses what is above; an encoder traps.

/// Each part adds its own in an extension beside its layouts.
public enum WireLimits {}

// The log. DESIGN section 9.
extension WireLimits {
  /// Bytes of an entry's leaf preimage.
  public static let entryBytes = 4096
  /// Bytes of the preimage of an entry that `evidence` must be able to hold (`accept`, `owe`, `settle`).
  public static let evidenceEntryBytes = 1024
  /// Links of one entry: what 4 KiB can hold beside the 14 fixed bytes.
  public static let entryLinks = (entryBytes - Entry.fixedByteCount) / EntryLink.byteCount
  /// Entries of one packed chunk, and between two kept heads.
  public static let chunkEntries = 256
  /// Bytes of one packed chunk, and of packed entries between two kept heads.
  public static let chunkBytes = 60 * 1024
  /// Bytes of leaf preimages after which a host closes its commit: packed they stay below `chunkBytes`.
  public static let commitBytes = 48 * 1024
  /// Entries of one feed: keeps sums of two sizes far from the end of 64 bits.
  public static let feedEntries: UInt64 = 1 << 48
  /// Feeds of one author in ABOUT_YOU. A host that has seen more sends the newest it can tell.
  public static let aboutYouFeeds = 64
  /// Feeds of one CLOCK page: 512 × at most 86 bytes stay below one sealed frame.
  public static let clockPageFeeds = 512
  /// Items of one IHAVE or STORED.
  public static let listItems = 256
  /// Links of one `sighting`.
  public static let sightingLinks = 4
}
