// Owns: the daemon's lines for people, on stderr: plain, or with a priority prefix under journald. sd-daemon(3).
enum Log {
  private static let isJournal = PosixFacts.variable("JOURNAL_STREAM") != nil

  static func info(_ text: String) { write(6, text) }
  static func warning(_ text: String) { write(4, "warning: " + text) }

  static func failure(_ failure: DaemonFailure) { write(3, failure.text) }

  private static func write(_ priority: Int, _ text: String) {
    var line = ""
    for part in text.split(separator: "\n", omittingEmptySubsequences: false) {
      line += isJournal ? "<\(priority)>\(part)\n" : "\(part)\n"
    }
    PosixFacts.write(line, to: 2)
  }
}
