// Owns: how a line of the log looks on stderr: plain for a terminal or a file, with a priority prefix under journald,
// which adds the time by itself. sd-daemon(3).
import Logging

struct JournalHandler: LogHandler {
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  private let isJournal = PosixFacts.variable("JOURNAL_STREAM") != nil

  init(logLevel: Logger.Level) { self.logLevel = logLevel }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let text = (event.level == .warning ? "warning: " : "") + event.message.description
    var lines = ""
    for part in text.split(separator: "\n", omittingEmptySubsequences: false) {
      lines += isJournal ? "<\(Self.priority(event.level))>\(part)\n" : "\(part)\n"
    }
    PosixFacts.write(lines, to: 2)
  }

  /// syslog(3) priorities.
  private static func priority(_ level: Logger.Level) -> Int {
    switch level {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }
}
