// Owns: where things lie in a data directory, and where that directory is when nobody says. DESIGN section 12.
// Refuses to know: what the files hold.

public struct DataLayout: Hashable, Sendable {
  public let directory: String

  public init(directory: String) {
    var path = directory
    while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
    self.directory = path
  }

  public var config: String { directory + "/tally.toml" }
  public var mesh: String { directory + "/mesh.toml" }
  public var trust: String { directory + "/trust.toml" }
  public var adminSocket: String { directory + "/admin.sock" }
  public var workerSocket: String { directory + "/worker.sock" }
  public var daemonLog: String { directory + "/daemon.log" }
  public var workerLog: String { directory + "/worker.log" }
  public var daemonPID: String { directory + "/pid" }
  public var workerPID: String { directory + "/worker.pid" }
  public var rootCache: String { directory + "/roots" }

  /// `$TALLY_HOME`, else `$XDG_STATE_HOME/tally`, else `~/.local/state/tally`; nil when none of the variables is set.
  public static func standard(_ variable: (String) -> String?) -> DataLayout? {
    if let home = variable("TALLY_HOME"), !home.isEmpty { return DataLayout(directory: home) }
    if let state = variable("XDG_STATE_HOME"), !state.isEmpty { return DataLayout(directory: state + "/tally") }
    guard let home = variable("HOME"), !home.isEmpty else { return nil }
    return DataLayout(directory: home + "/.local/state/tally")
  }
}
