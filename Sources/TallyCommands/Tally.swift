// Owns: the command line's root and its way out: every error becomes text on standard error and an exit code.
import ArgumentParser
import CLinux
import Glibc
import TallyAdmin

public struct Tally: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "tally",
    abstract: "Share work between machines without a server, and keep checkable receipts of who did what.",
    discussion: """
      tally up                       starts this host; elsewhere: tally up --join URL
      tally lend, tally trust NAME   lets others' jobs run here
      tally run --root DIR -- CMD    runs a job on another host
      tally demo                     shows all of it on this machine, and cleans up

      Exit codes: 0 ok, 1 refused, 3 a check does not hold, 64 usage, 65 bad data, 69 no daemon, 75 timeout,
      77 permission, 78 configuration; `run` and `wait ID` exit as the job did.
      """,
    version: TallyVersion.text,
    subcommands: [
      DemoCommand.self, UpCommand.self, DownCommand.self, InviteCommand.self, RunCommand.self, JobsCommand.self,
      OutputCommand.self, ShowCommand.self, WhyCommand.self, PutCommand.self, GetCommand.self, ReceiptCommand.self,
      VerifyCommand.self, RecordCommand.self, RecordsCommand.self, BalanceCommand.self, LendCommand.self,
      TrustCommand.self, IDCommand.self, StatusCommand.self, PeersCommand.self, PingCommand.self,
      LookupCommand.self, LedgerCommand.self, ClockCommand.self, CheckpointCommand.self, WaitCommand.self,
      WorkerCommand.self, APICommand.self, VersionCommand.self, CancelCommand.self, AcceptCommand.self,
      RefuseCommand.self,
    ])

  public init() {}

  /// Runs a command line and returns its exit code; help and usage errors leave at once, as ArgumentParser prints them.
  public static func carryOut(_ arguments: [String]) -> Int32 {
    _ = clinux_ignore_sigpipe()
    if let error = unknownVerb(arguments) {
      PosixText.put(error.text, to: 2)
      return error.code.rawValue
    }
    do {
      var command = try parseAsRoot(arguments)
      try command.run()
      return 0
    } catch let error as ClientError {
      PosixText.put(error.text, to: 2)
      return error.code.rawValue
    } catch let code as ExitCode {
      return code.rawValue
    } catch {
      exit(withError: error)
    }
  }

  /// ArgumentParser suggests options, not verbs.
  static func unknownVerb(_ arguments: [String]) -> ClientError? {
    var verbs: [String] = []
    for command in configuration.subcommands { verbs.append(command.configuration.commandName ?? "") }
    guard let verb = arguments.first, !verb.hasPrefix("-"), verb != "help", !verbs.contains(verb) else { return nil }
    let near = Suggestion.nearest(to: verb, among: verbs)
    return ClientError(
      .usage, "there is no verb '\(verb)'" + (near.map { "; did you mean '\($0)'?" } ?? ""), fix: "tally --help")
  }
}
