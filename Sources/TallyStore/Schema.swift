// Owns: the tables, the row keys and the version of the database. Refuses to know: what an entry says.
//
// A row of `tail`, `chunk` and `node` is found by its rowid alone, so no second index is kept:
//   rowid = feed number (24 bits) << 39 | place (39 bits)
//   tail: place = the entry's index · chunk: place = the index of its first entry
//   node: place = in-order number of a complete subtree of 256 · 2^l leaves: position · 2^(l+1) + 2^l - 1
import TallyBase
import TallyLog

enum Schema {
  /// In `PRAGMA user_version`. A database with a higher one was written by a newer Tally and is refused.
  static let version: Int64 = 1
  /// "TALY" in `PRAGMA application_id`.
  static let applicationID: Int64 = 0x5441_4c59
  /// Leaves below this level are hashed again when asked for; nodes at and above it are stored.
  static let nodeLevel = 8

  static let pragmas = """
    PRAGMA synchronous = FULL;
    PRAGMA mmap_size = 0;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA cache_size = -\(StoreLimits.pageCacheBytes / 1024);
    PRAGMA journal_size_limit = 4194304;
    """

  static let tables = """
    CREATE TABLE feed(
      id INTEGER PRIMARY KEY, feed BLOB NOT NULL UNIQUE, author BLOB NOT NULL, incarnation INTEGER NOT NULL,
      reason INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB, signature BLOB, peaks BLOB NOT NULL,
      tail_from INTEGER NOT NULL, tail_bytes INTEGER NOT NULL, fork_index INTEGER, fork_proof BLOB);
    CREATE TABLE tail(id INTEGER PRIMARY KEY, preimage BLOB NOT NULL);
    CREATE TABLE chunk(
      id INTEGER PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, signature BLOB NOT NULL,
      packed BLOB NOT NULL);
    CREATE TABLE node(id INTEGER PRIMARY KEY, hash BLOB NOT NULL);
    CREATE TABLE acknowledged(
      id INTEGER PRIMARY KEY, feed INTEGER NOT NULL, host BLOB NOT NULL, size INTEGER NOT NULL, UNIQUE(feed, host));
    CREATE TABLE value(
      id INTEGER PRIMARY KEY, part INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, UNIQUE(part, key));
    CREATE TABLE guard(
      id INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL UNIQUE, size INTEGER NOT NULL, root BLOB NOT NULL);
    CREATE VIEW heads AS
      SELECT lower(hex(f.feed)) AS feed, c.id & 549755813887 AS first, c.size AS size, lower(hex(c.root)) AS root,
        c.signature AS signature FROM chunk c JOIN feed f ON f.id = c.id >> 39
      UNION ALL
      SELECT lower(hex(feed)), tail_from, size, lower(hex(root)), signature FROM feed WHERE size > tail_from;
    """

  /// Row key of `place` in the feed with this number. Both were checked against their limits when they were stored.
  static func key(_ feed: Int64, _ place: UInt64) -> Int64 {
    precondition(place < StoreLimits.feedSize, "place \(place) of feed \(feed) does not fit a row key")
    return feed << 39 | Int64(place)
  }

  static func place(of key: Int64) -> UInt64 { UInt64(key & ((1 << 39) - 1)) }

  /// The first key behind all of this feed's.
  static func end(_ feed: Int64) -> Int64 { feed == (1 << 24) - 1 ? .max : (feed + 1) << 39 }

  /// Place of the complete subtree of 2^level leaves that starts at `position << level`.
  static func nodePlace(level: Int, position: UInt64) -> UInt64 {
    precondition(level >= nodeLevel, "level \(level) is not stored")
    let rise = UInt64(level - nodeLevel)
    return position << (rise + 1) | (1 << rise) - 1
  }

  /// Makes the tables of a new file, or checks the version of an old one. `path` is for the error's text.
  static func prepare(_ database: inout SQLiteDatabase, path: String) throws(StoreError) {
    let found: Int64
    let isOurs: Bool
    do throws(StoreFault) {
      found = try database.number("PRAGMA user_version")
      let owner = try database.number("PRAGMA application_id")
      let tableCount = try database.number("SELECT count(*) FROM sqlite_schema")
      isOurs = owner == applicationID || (owner == 0 && found == 0 && tableCount == 0)
    } catch { throw .store(error) }
    guard isOurs else { throw .notOurs(path: path) }
    guard found <= version else { throw .newerSchema(path: path, found: found, known: version) }
    do throws(StoreFault) {
      if found == 0 { try create(&database) } else { try database.execute(pragmas) }
    } catch { throw .store(error) }
  }

  private static func create(_ database: inout SQLiteDatabase) throws(StoreFault) {
    try database.execute("PRAGMA page_size = 16384")
    try database.execute("PRAGMA journal_mode = WAL")
    try database.execute(pragmas)
    try Failpoint.reach(.schemaBegin)
    try database.execute(
      """
      BEGIN IMMEDIATE; \(tables)
      PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version); COMMIT;
      """)
    try Failpoint.reach(.schemaCommitted)
  }
}
