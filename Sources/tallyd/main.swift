// Parses the command line of the daemon, and nothing else: exit codes of sysexits(3).
import ArgumentParser
import TallyAdmin
import TallyDaemon

struct Tallyd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tallyd",
    abstract: "One host of a Tally mesh: finds the others, keeps the ledger, hands out jobs.",
    discussion: """
      `tally up` starts it for you. Settings come from flags, then TALLY_SECTION_KEY in the environment, then
      tally.toml in the data directory, then defaults.
      """,
    version: TallyVersion.text)

  @Option(help: "The data directory; default: $TALLY_HOME, $XDG_STATE_HOME/tally or ~/.local/state/tally.")
  var data: String?
  @Option(help: "The configuration file; default: tally.toml in the data directory.")
  var config: String?
  @Option(help: "An address for UDP and TCP; may be given again.")
  var listen: [String] = []
  @Option(help: "An address that others are told; may be given again.")
  var advertise: [String] = []
  @Option(help: "The name that this host proposes for itself.")
  var name: String?
  @Option(help: "trace, debug, info, notice, warning, error or critical.")
  var logLevel: String?

  func run() throws {
    var flags: [DaemonConfig.Flag] = [
      DaemonConfig.Flag(.listenAt, name: "--listen", values: listen),
      DaemonConfig.Flag(.advertiseAt, name: "--advertise", values: advertise),
    ]
    if let name { flags.append(DaemonConfig.Flag(.nodeName, name: "--name", values: [name])) }
    if let logLevel { flags.append(DaemonConfig.Flag(.logLevel, name: "--log-level", values: [logLevel])) }
    do {
      let config = try DaemonConfig.load(data: data, file: config, flags: flags, variable: PosixText.variable)
      throw ExitCode(Daemon.run(config: config))
    } catch let error as ConfigError {
      let text = ClientError(.config, error.place, why: error.why, fix: error.fix).text
      PosixText.put(text, to: 2)
      throw ExitCode(ClientError.Code.config.rawValue)
    }
  }
}

PosixText.obeyParent()
Tallyd.main()
