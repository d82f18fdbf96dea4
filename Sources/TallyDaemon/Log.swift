// Owns: the daemon's lines for people, on stderr: plain, or with a priority prefix under journald. sd-daemon(3).
import Glibc
import TallyNet

enum Log {
  private static let isJournal = getenv("JOURNAL_STREAM") != nil

  static func info(_ text: String) { write(6, text) }
  static func warning(_ text: String) { write(4, "warning: " + text) }

  static func failure(_ failure: DaemonFailure) { write(3, failure.text) }

  private static func write(_ priority: Int, _ text: String) {
    var line = ""
    for part in text.split(separator: "\n", omittingEmptySubsequences: false) {
      line += isJournal ? "<\(priority)>\(part)\n" : "\(part)\n"
    }
    let bytes = Array(line.utf8)
    // A log that cannot be written is nobody's to tell.
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }
}
