// Owns: one SQLite connection and its prepared statements; turns SQLite's result codes into `StoreFault`.
// Refuses to know: any table. The addresses are kept as numbers so that their one (noncopyable) owner may move to
// another thread; SQLite is opened in its multi-thread mode, where a connection belongs to one thread at a time.
import CSQLite
import Glibc
import TallyLog

/// A value on its way into a statement.
enum SQLiteValue {
  case integer(Int64)
  case blob([UInt8])
  case null
}

struct SQLiteDatabase: ~Copyable, Sendable {
  enum Role {
    /// Creates the file when it is missing.
    case writer
    case reader
  }
  enum Checkpoint {
    /// Copies what no reader still needs.
    case passive
    /// Waits for readers and empties the log file.
    case truncate
  }

  private let address: UInt
  private let walPageCount: UInt
  /// By `Query.rawValue`; 0 when not prepared yet.
  private var statements: [UInt]

  init(path: String, role: Role) throws(StoreError) {
    var pointer: OpaquePointer?
    var flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    if role == .writer { flags |= SQLITE_OPEN_CREATE }
    // Safe: the path is copied by SQLite; the pointer is checked before it is used.
    let code = unsafe sqlite3_open_v2(path, &pointer, flags, nil)
    guard let opened = unsafe pointer else { throw .store(.broken(detail: "sqlite3_open: out of memory")) }
    if code != SQLITE_OK {
      let fault = unsafe Self.fault("open \(path)", code, opened)
      unsafe sqlite3_close_v2(opened)
      throw .store(fault)
    }
    address = UInt(bitPattern: opened)
    statements = [UInt](repeating: 0, count: Query.allCases.count)
    let pages = UnsafeMutablePointer<CInt>.allocate(capacity: 1)
    unsafe pages.initialize(to: 0)
    walPageCount = UInt(bitPattern: pages)
    // Safe: the connection is open; the counter lives until `deinit`, behind the close.
    unsafe sqlite3_busy_timeout(opened, StoreLimits.busyMs)
    sqlite3_soft_heap_limit64(StoreLimits.heapBytes)
    unsafe tally_sqlite3_count_wal_pages(opened, pages)
  }

  deinit {
    // Safe: each address was made by SQLite or `allocate` in this value and is released once, statements first.
    for statement in statements where statement != 0 { unsafe sqlite3_finalize(OpaquePointer(bitPattern: statement)) }
    unsafe sqlite3_close_v2(OpaquePointer(bitPattern: address))
    unsafe UnsafeMutablePointer<CInt>(bitPattern: walPageCount)?.deallocate()
  }

  /// Pages in the write-ahead log after the last commit of this connection.
  var walPages: Int {
    // Safe: allocated in `init`, freed in `deinit`; written only by this connection's commits.
    unsafe Int(UnsafePointer<CInt>(bitPattern: walPageCount)?.pointee ?? 0)
  }

  var isInTransaction: Bool {
    // Safe: the connection is open.
    unsafe sqlite3_get_autocommit(OpaquePointer(bitPattern: address)) == 0
  }

  /// Runs statements that return nothing of interest: pragmas and schema.
  mutating func execute(_ text: String) throws(StoreFault) {
    // Safe: the text is only read during the call.
    let code = unsafe sqlite3_exec(OpaquePointer(bitPattern: address), text, nil, nil, nil)
    if code != SQLITE_OK { throw fault(text, code) }
  }

  /// The single number that `text` (a pragma) answers.
  mutating func number(_ text: String) throws(StoreFault) -> Int64 {
    let statement = try prepare(text)
    // Safe: finalised once, here.
    defer { unsafe sqlite3_finalize(OpaquePointer(bitPattern: statement)) }
    let row = SQLiteRow(address: statement)
    let code = unsafe sqlite3_step(OpaquePointer(bitPattern: statement))
    guard code == SQLITE_ROW else { throw fault(text, code) }
    return row.integer(0)
  }

  /// Runs a statement to its end.
  mutating func run(_ query: Query, _ values: [SQLiteValue] = []) throws(StoreFault) {
    try rows(query, values) { _ in true }
  }

  /// Hands each row to `body` until it returns false or there are no more.
  mutating func rows(
    _ query: Query, _ values: [SQLiteValue] = [], _ body: (borrowing SQLiteRow) throws(StoreFault) -> Bool
  ) throws(StoreFault) {
    let statement = try cached(query)
    // Safe: the statement belongs to this connection and lives as long; reset also drops bound copies' use.
    defer {
      unsafe sqlite3_reset(OpaquePointer(bitPattern: statement))
      unsafe sqlite3_clear_bindings(OpaquePointer(bitPattern: statement))
    }
    try bind(values, to: statement, query)
    while true {
      let code = unsafe sqlite3_step(OpaquePointer(bitPattern: statement))
      if code == SQLITE_DONE { return }
      guard code == SQLITE_ROW else { throw fault(query.text, code) }
      if try !body(SQLiteRow(address: statement)) { return }
    }
  }

  /// Rolls back whatever is open. SQLite has rolled back by itself after some errors; both ends are the same.
  mutating func rollback() throws(StoreFault) {
    if isInTransaction { try execute("ROLLBACK") }
  }

  /// Copies the write-ahead log into the database and syncs it. `.full` leaves the log as it was.
  mutating func checkpoint(_ mode: Checkpoint) throws(StoreFault) {
    let flag = mode == .passive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE
    // Safe: the connection is open.
    let code = unsafe sqlite3_wal_checkpoint_v2(OpaquePointer(bitPattern: address), nil, flag, nil, nil)
    if code != SQLITE_OK && code & 0xff != SQLITE_BUSY { throw fault("checkpoint", code) }
    if mode == .truncate && code == SQLITE_OK { resetWalPages() }
  }

  private func resetWalPages() {
    // Safe: as in `walPages`.
    unsafe UnsafeMutablePointer<CInt>(bitPattern: walPageCount)?.pointee = 0
  }

  private mutating func cached(_ query: Query) throws(StoreFault) -> UInt {
    if statements[query.rawValue] == 0 { statements[query.rawValue] = try prepare(query.text) }
    return statements[query.rawValue]
  }

  private func prepare(_ text: String) throws(StoreFault) -> UInt {
    var statement: OpaquePointer?
    // Safe: the text is only read during the call; the result is checked.
    let code = unsafe sqlite3_prepare_v3(
      OpaquePointer(bitPattern: address), text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
    guard code == SQLITE_OK, let prepared = unsafe statement else { throw fault(text, code) }
    return UInt(bitPattern: prepared)
  }

  private func bind(_ values: [SQLiteValue], to statement: UInt, _ query: Query) throws(StoreFault) {
    var index: CInt = 0
    for value in values {
      index += 1
      // Safe: blobs are copied by the call (SQLITE_TRANSIENT), so the array may go away behind it.
      let code =
        switch value {
        case .integer(let number): unsafe sqlite3_bind_int64(OpaquePointer(bitPattern: statement), index, number)
        case .blob(let bytes):
          unsafe bytes.withUnsafeBytes {
            unsafe tally_sqlite3_bind_blob(
              OpaquePointer(bitPattern: statement), index, $0.baseAddress, CInt($0.count))
          }
        case .null: unsafe sqlite3_bind_null(OpaquePointer(bitPattern: statement), index)
        }
      if code != SQLITE_OK { throw fault(query.text, code) }
    }
  }

  private func fault(_ call: String, _ code: CInt) -> StoreFault {
    // Safe: the connection is open.
    guard let pointer = unsafe OpaquePointer(bitPattern: address) else { return .broken(detail: call) }
    return unsafe Self.fault(call, code, pointer)
  }

  /// Which of the two kinds a result code is. A failed sync is never "full": what is on disk is then unknown.
  private static func fault(_ call: String, _ code: CInt, _ pointer: OpaquePointer) -> StoreFault {
    // Safe: the message is copied into a String before the next call on the connection.
    let message = unsafe String(cString: sqlite3_errmsg(pointer))
    let number = unsafe sqlite3_system_errno(pointer)
    let detail = "\(call.prefix(60)): \(message) (sqlite \(code), errno \(number))"
    return classify(code, systemErrno: number) == .full ? .full(detail: detail) : .broken(detail: detail)
  }

  enum Kind { case full, broken }

  static func classify(_ code: CInt, systemErrno: CInt) -> Kind {
    switch code & 0xff {
    case SQLITE_FULL: return .full
    // Another program holds the database: nothing was written, a later commit may succeed.
    case SQLITE_BUSY, SQLITE_LOCKED: return .full
    case SQLITE_IOERR:
      let isSync = code == SQLITE_IOERR | (4 << 8) || code == SQLITE_IOERR | (5 << 8)
      return !isSync && (systemErrno == ENOSPC || systemErrno == EDQUOT) ? .full : .broken
    default: return .broken
    }
  }
}
