// Owns: why the daemon could not start or go on, with the exit code that says so. sysexits(3); DESIGN section 12.
import TallyNet

public struct DaemonFailure: Error, Sendable {
  public let exitCode: Int32
  public let what: String
  public let why: String
  public let fix: String

  public init(_ exitCode: Int32, _ what: String, why: String, fix: String) {
    self.exitCode = exitCode
    self.what = what
    self.why = why
    self.fix = fix
  }

  /// EX_DATAERR, EX_UNAVAILABLE, EX_OSERR, EX_IOERR, EX_TEMPFAIL, EX_NOPERM, EX_CONFIG.
  public static let badData: Int32 = 65
  public static let unavailable: Int32 = 69
  public static let osError: Int32 = 71
  public static let cannotCreate: Int32 = 73
  public static let inputOutput: Int32 = 74
  public static let tryAgain: Int32 = 75
  public static let noPermission: Int32 = 77
  public static let config: Int32 = 78

  /// Three lines at most: what, why, how to mend it.
  public var text: String { "error: \(what)\n  why: \(why)\n  fix: \(fix)" }

  init(_ error: ConfigError) { self.init(Self.config, error.place, why: error.why, fix: error.fix) }

  /// Runs system calls that must succeed for the daemon to live.
  static func system<Result: ~Copyable>(
    _ purpose: String, _ body: () throws(SystemError) -> Result
  ) throws(DaemonFailure) -> Result {
    do throws(SystemError) {
      return try body()
    } catch {
      throw DaemonFailure(
        osError, "cannot \(purpose)", why: error.text, fix: "see the reason; raise limits if it is one")
    }
  }
}
