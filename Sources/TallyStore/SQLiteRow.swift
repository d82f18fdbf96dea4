// Owns: reading the columns of the row a statement stands on. Valid only inside the closure that was given it.
import CSQLite

struct SQLiteRow: ~Copyable {
  private let address: UInt

  init(address: UInt) { self.address = address }

  func integer(_ column: CInt) -> Int64 {
    // Safe: the statement stands on a row; SQLite answers 0 for a column that is not there.
    unsafe sqlite3_column_int64(OpaquePointer(bitPattern: address), column)
  }

  func isNull(_ column: CInt) -> Bool {
    // Safe: as above.
    unsafe sqlite3_column_type(OpaquePointer(bitPattern: address), column) == SQLITE_NULL
  }

  /// A copy of the column's bytes; empty for NULL.
  func blob(_ column: CInt) -> [UInt8] {
    // Safe: SQLite's pointer is valid until the next step and spans `column_bytes`; the bytes are copied here.
    let pointer = unsafe sqlite3_column_blob(OpaquePointer(bitPattern: address), column)
    let count = unsafe Int(sqlite3_column_bytes(OpaquePointer(bitPattern: address), column))
    guard let start = unsafe pointer, count > 0 else { return [] }
    return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
  }
}
