// Owns: the guard file: the own feed as far as it was ever made durable, outside the database, so that a database
// restored alone is noticed. DESIGN section 9, restore guard. Refuses to know: the database.
//
// Text, one line: "tally-guard/1 INCARNATION SIZE ROOT\n": 16 hexadecimal digits, a decimal number, 64 hexadecimal
// digits. Size 0 (incarnation and root zero) stands in a directory whose host has no feed yet.
import Glibc
import TallyBase
import TallyLog

struct GuardFile: Sendable {
  let path: String
  let directory: String

  enum Content: Hashable {
    case missing
    /// Not our text: treated as missing beside a store that is not empty.
    case damaged
    /// This host has not begun a feed.
    case none
    case mark(GuardMark)
  }

  static let none = GuardMark(incarnation: 0, size: 0, root: .zero)

  func read() throws(FileError) -> Content {
    guard let bytes = try FileStorage.readIfAny(path, limit: 200) else { return .missing }
    guard let mark = Self.parse(bytes) else { return .damaged }
    return mark == Self.none ? .none : .mark(mark)
  }

  /// Writes and syncs the next content beside the file. Before the store's commit, so that a full disk is noticed
  /// while the commit can still be rolled back.
  func prepare(_ mark: GuardMark) throws(StoreFault) {
    do throws(FileError) {
      try Failpoint.reach(file: .guardBeforeWrite)
      let file = try FileHandle(path + ".new", O_WRONLY | O_CREAT | O_TRUNC)
      try file.write(Self.format(mark), at: 0)
      try Failpoint.reach(file: .guardAfterWrite)
      try file.sync()
      try Failpoint.reach(file: .guardAfterSync)
    } catch { throw error.fault }
  }

  /// Puts the prepared content in place. Behind the store's commit and before success is reported.
  func publish() throws(StoreFault) {
    do throws(FileError) {
      try Failpoint.reach(file: .guardBeforeRename)
      try FileStorage.rename(path + ".new", to: path)
      try Failpoint.reach(file: .guardAfterRename)
      try FileStorage.syncDirectory(directory)
      try Failpoint.reach(file: .guardAfterDirectorySync)
    } catch {
      // The commit is durable and its guard is not known to be: never "full".
      throw .broken(detail: error.description)
    }
  }

  static func format(_ mark: GuardMark) -> [UInt8] {
    var writer = ByteWriter()
    for shift in (0..<8).map({ UInt64(56 - 8 * $0) }) {
      writer.u8(UInt8(truncatingIfNeeded: mark.incarnation >> shift))
    }
    return Array("tally-guard/1 \(Hex.encode(writer.bytes)) \(mark.size) \(mark.root.hex)\n".utf8)
  }

  static func parse(_ bytes: [UInt8]) -> GuardMark? {
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 4, words[3].last == "\n", let incarnation = UInt64(words[1], radix: 16),
      let size = UInt64(words[2]), let root = Digest(hex: words[3].dropLast())
    else { return nil }
    let mark = GuardMark(incarnation: incarnation, size: size, root: root)
    return format(mark) == bytes ? mark : nil
  }
}
