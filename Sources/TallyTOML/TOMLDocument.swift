// Owns: the door of this module: bytes in, table or fault out. TOML 1.0.0 (https://toml.io/en/v1.0.0).
// Refuses to know: files, and what any key means. Any bytes may come; none make it trap.

public enum TOMLDocument {
  /// Reads a whole document of at most `TOMLLimits.byteCountMax` bytes. A byte order mark at its start is skipped;
  /// line ends within strings become LF.
  public static func parse(_ bytes: [UInt8]) throws(TOMLError) -> TOMLTable {
    guard bytes.count <= TOMLLimits.byteCountMax else {
      throw TOMLError(
        line: 1, column: 1, what: "the document has \(bytes.count) bytes, the limit is \(TOMLLimits.byteCountMax)")
    }
    var cursor = TOMLCursor(bytes)
    try cursor.checkEncoding()
    var parser = TOMLParser(cursor)
    return try parser.document()
  }
}
