// Owns: reading tar archives by libarchive, entry by entry. Refuses to know: trees; and never extracts to a disk.
// Only tar, and only filters that libarchive has built in: others would start programs of this machine.

import CArchive
import Glibc

/// One open archive.
@safe final class ArchiveReader {
  struct Entry {
    /// As the archive says it, unchecked.
    let path: [UInt8]
    let mode: UInt32
    let linkTarget: [UInt8]?
    let hardLink: [UInt8]?
  }

  // Safe: made by init, freed by deinit, passed to libarchive alone.
  private let archive: OpaquePointer
  private let path: String

  init(path: String) throws(WorkerFault) {
    guard let opened = unsafe archive_read_new() else {
      throw .system(call: "archive_read_new", path: path, code: ENOMEM)
    }
    unsafe archive = opened
    self.path = path
    // Safe: `archive` is live; the name ends with NUL.
    unsafe archive_read_support_format_tar(opened)
    unsafe archive_read_support_filter_gzip(opened)
    unsafe archive_read_support_filter_bzip2(opened)
    unsafe archive_read_support_filter_xz(opened)
    unsafe archive_read_support_filter_zstd(opened)
    let result = unsafe archive_read_open_filename(opened, SystemCall.name(path), 1 << 18)
    if result != ARCHIVE_OK { throw fault }
  }

  deinit {
    // Safe: freed once.
    unsafe archive_read_free(archive)
  }

  private var fault: WorkerFault {
    // Safe: the text lives until the next call; it is copied.
    let text = unsafe archive_error_string(archive).map { unsafe String(cString: $0) } ?? "not a tar archive"
    return .unsafeTree(path: path, why: text)
  }

  /// The next entry; nil at the end.
  func next() throws(WorkerFault) -> Entry? {
    var entry: OpaquePointer?
    // Safe: libarchive owns the entry until the next call; everything taken from it is copied.
    let result = unsafe archive_read_next_header(archive, &entry)
    if result == ARCHIVE_EOF { return nil }
    guard result >= ARCHIVE_WARN, let entry = unsafe entry else { throw fault }
    // The plain form is nil for names in pax headers that the C locale cannot say; then UTF-8 is asked for.
    // Safe: as above.
    let name = unsafe archive_entry_pathname(entry) ?? archive_entry_pathname_utf8(entry)
    guard let name = unsafe name else { throw .unsafeTree(path: path, why: "an entry whose name cannot be read") }
    let link = unsafe archive_entry_symlink(entry) ?? archive_entry_symlink_utf8(entry)
    let hard = unsafe archive_entry_hardlink(entry) ?? archive_entry_hardlink_utf8(entry)
    return unsafe Entry(
      path: Self.bytes(name), mode: UInt32(archive_entry_mode(entry)), linkTarget: link.map { unsafe Self.bytes($0) },
      hardLink: hard.map { unsafe Self.bytes($0) })
  }

  private static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
    // Safe: ends with NUL, by libarchive's word.
    unsafe UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
  }

  /// The next piece of the entry's bytes; empty at its end.
  func read() throws(WorkerFault) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 256 << 10)
    // Safe: the buffer's room is passed.
    let count = unsafe archive_read_data(archive, &buffer, buffer.count)
    if count < 0 { throw fault }
    return Array(buffer[..<count])
  }
}
