// Owns: why a verb of the command line could not do its work: what, why, and what to do about it, with the exit code
// that says so to a script. sysexits(3); DESIGN section 12.

public struct ClientError: Error, Hashable, Sendable {
  /// The exit codes of every verb.
  public enum Code: Int32, Sendable, CaseIterable {
    /// The daemon answered, and refused or failed.
    case refused = 1
    /// A check was made and does not hold.
    case checkFailed = 3
    case usage = 64
    /// What was read is not what it should be.
    case badData = 65
    case noInput = 66
    /// No daemon, or none any more.
    case unavailable = 69
    case software = 70
    case cannotCreate = 73
    /// In time nothing came; trying again may help.
    case timeout = 75
    case permission = 77
    case config = 78
    case interrupted = 130
  }
  public let code: Code
  public let what: String
  /// Empty when `what` says it all.
  public let why: String
  public let fix: String

  public init(_ code: Code, _ what: String, why: String = "", fix: String = "") {
    self.code = code
    self.what = what
    self.why = why
    self.fix = fix
  }

  /// At most three lines for standard error.
  public var text: String {
    var text = "error: \(Self.line(what))\n"
    if !why.isEmpty { text += "  \(Self.line(why))\n" }
    if !fix.isEmpty { text += "  fix: \(Self.line(fix))\n" }
    return text
  }

  /// What a daemon refused.
  public init(method: String, _ error: RPCError) {
    let code: Code =
      switch error.code {
      case RPCError.timeoutCode: .timeout
      case RPCError.deniedCode: .permission
      case RPCError.invalidParamsCode: .usage
      case RPCError.stoppingCode: .unavailable
      default: .refused
      }
    self.init(code, error.message, fix: error.hint)
  }

  /// One line, and nothing in it that moves a terminal's cursor.
  private static func line(_ text: String) -> String {
    var line = ""
    for scalar in text.unicodeScalars {
      let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
      line.unicodeScalars.append(isControl ? " " : scalar)
    }
    return line
  }
}
