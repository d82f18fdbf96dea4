// Owns: the daemon's lines for people: what is logged at which level. Where they go is the handler's.
import Logging

enum Log {
  /// Once, before the first line; `level` and above are written.
  static func start(_ level: LogLevel) {
    let threshold = Logger.Level(rawValue: level.rawValue) ?? .info
    LoggingSystem.bootstrap { _ in JournalHandler(logLevel: threshold) }
  }

  private static let logger = Logger(label: "tallyd")

  static func info(_ text: String) { logger.info("\(text)") }
  static func warning(_ text: String) { logger.warning("\(text)") }
  static func failure(_ failure: DaemonFailure) { logger.error("\(failure.text)") }
}
