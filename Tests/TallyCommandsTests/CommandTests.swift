// The command line's words: every verb, its --json, suggestions; and small things that people see.
import ArgumentParser
import TallyAdmin
import Testing

@testable import TallyCommands

@Suite struct CommandTests {
  private let verbs = [
    "demo", "up", "down", "invite", "run", "jobs", "output", "show", "why", "put", "get", "receipt", "verify",
    "record", "records", "balance", "lend", "trust", "id", "status", "peers", "ping", "lookup", "ledger", "clock",
    "checkpoint", "wait", "worker", "api", "version", "cancel", "accept", "refuse",
  ]

  @Test func everyVerbIsThereAndHasHelp() {
    let names = Tally.configuration.subcommands.map { $0.configuration.commandName ?? "" }
    #expect(Set(names) == Set(verbs) && names.count == verbs.count)
    for verb in Tally.configuration.subcommands {
      #expect(!verb.configuration.abstract.isEmpty)
      let help = Tally.helpMessage(for: verb)
      #expect(help.contains("--json") || verb.configuration.commandName == "worker", "\(verb)")
    }
  }

  @Test func aMisspeltVerbIsAnsweredWithAnother() {
    let error = Tally.unknownVerb(["statsu", "--json"])
    #expect(error?.code == .usage && error?.what == "there is no verb 'statsu'; did you mean 'status'?")
    #expect(Tally.unknownVerb(["xyzzyplugh"])?.what == "there is no verb 'xyzzyplugh'")
    for words in [[], ["--version"], ["help"]] + verbs.map({ [$0] }) { #expect(Tally.unknownVerb(words) == nil) }
    #expect { _ = try Tally.parseAsRoot(["run", "--root", "/"]) } throws: {
      Tally.exitCode(for: $0) == ExitCode(64) && Tally.fullMessage(for: $0).contains("the command is missing")
    }
    #expect { _ = try Tally.parseAsRoot(["demo", "--hosts", "2"]) } throws: { Tally.exitCode(for: $0).rawValue == 64 }
  }

  @Test func runTakesItsCommandBehindDashes() throws {
    let words = ["run", "--root", "r", "--in", "a", "--in", "b=c", "--env", "X=1", "--mem", "64", "--", "sh", "-c", "--json"]
    let command = try #require(try Tally.parseAsRoot(words) as? RunCommand)
    #expect(command.job.command == ["sh", "-c", "--json"] && command.job.inputs == ["a", "b=c"])
    #expect(!command.options.json && command.job.mem == 64)
  }

  @Test func exitCodesAreSysexits() {
    let codes = ClientError.Code.allCases.map(\.rawValue)
    #expect(codes == [1, 3, 64, 65, 66, 69, 70, 73, 75, 77, 78, 130])
    for (code, expected) in [
      (RPCError.timeoutCode, ClientError.Code.timeout), (RPCError.deniedCode, .permission),
      (RPCError.notFoundCode, .refused), (RPCError.invalidParamsCode, .usage), (RPCError.stoppingCode, .unavailable),
    ] {
      #expect(ClientError(method: "x", RPCError(code: code, message: "m", hint: "h")).code == expected)
    }
    #expect(RunCommand.shell(0) == 0 && RunCommand.shell(7) == 7 && RunCommand.shell(-9) == 137)
  }

  @Test func whatPeopleSee() {
    #expect(Output.time(ms: 0) == "1970-01-01 00:00:00")
    #expect(Output.time(ms: 951_827_696_000) == "2000-02-29 12:34:56")
    #expect(Output.time(ms: 4_102_444_799_999) == "2099-12-31 23:59:59")
    #expect(Output.size(1023) == "1023 B" && Output.size(5 << 20) == "5 MiB")
    #expect(Output.printable("a\u{1b}[2Jb\u{7f}") == "a?[2Jb?")
    #expect(Output.short(String(repeating: "ab", count: 32)) == "ababababab")
  }

  @Test func theConfigurationOfUpIsRead() {
    let text = HostSetup.text(name: "oak", listen: ["127.0.0.1:1"], advertise: [], seed: "tally://x")
    for line in ["[node]", "name = \"oak\"", "[listen]", "at = [\"127.0.0.1:1\"]", "[join]", "seeds = [\"tally://x\"]"] {
      #expect(text.split(separator: "\n").contains(Substring(line)), "\(line)")
    }
    #expect(!text.contains("[advertise]"))
  }

  @Test func theDemosCountIsTheScripts() {
    let counted = DemoWork.frequencies(Array("The the THE a'b; a\nb".utf8))
    #expect(String(decoding: counted, as: UTF8.self) == "      3 the\n      2 a\n      2 b\n")
    #expect(DemoWork.frequencies([]).isEmpty)
  }

  @Test func apiValuesAreTyped() throws {
    let encode = { (text: String) in String(decoding: AdminJSON.encode(["v": APIValue(text)]), as: UTF8.self) }
    #expect(encode("7") == #"{"v":7}"# && encode("true") == #"{"v":true}"# && encode("7a") == #"{"v":"7a"}"#)
  }
}
