// The same seed gives the same trace hash in two processes: an order that leaks from a hash table shows here, since
// each process hashes with a seed of its own.
import FoundationEssentials
import Glibc
import TallyBase
import TallySim
import Testing

@Suite(.serialized) struct DeterminismTests {
  @Test(arguments: [
    ["--scenario", "pair", "--seed", "7"],
    ["--scenario", "job-worker-crash", "--seed", "9"], ["--scenario", "swarm", "--seed", "10"],
    ["--scenario", "restore-both", "--seed", "12"],
  ])
  func twoProcessesGiveOneTrace(arguments: [String]) throws {
    try compare(arguments)
  }

  /// 50 hosts, 10 % loss, 10 % doubles, reordering, five crashes with restarts.
  @Test func fiftyHostsConvergeAlikeInTwoProcesses() throws {
    try compare(["--scenario", "chaos", "--seed", "5"])
  }

  private func compare(_ arguments: [String]) throws {
    guard let program = Self.program else {
      print("SKIP DeterminismTests: tally-sim is not built beside the tests; swift build --product tally-sim")
      return
    }
    let outputs = try Self.run(program, ["run"] + arguments, times: 2)
    let traces = outputs.map { $0.text.split(separator: "\n").first { $0.hasPrefix("trace ") } }
    #expect(outputs.allSatisfy { $0.status == 0 }, "\(outputs.map(\.text))")
    #expect(traces[0] != nil && traces[0] == traces[1], "\(traces)")
  }

  /// Beside the test bundle, as SwiftPM builds them.
  private static var program: String? {
    var folder = CommandLine.arguments[0].split(separator: "/").dropLast()
    if let index = CommandLine.arguments.firstIndex(of: "--test-bundle-path"), index + 1 < CommandLine.arguments.count {
      folder = CommandLine.arguments[index + 1].split(separator: "/").dropLast()
    }
    for candidate in ["/" + folder.joined(separator: "/"), "/" + Place.root + "/.build/debug"] {
      let path = candidate + "/tally-sim"
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    return nil
  }

  struct Outcome {
    let status: Int32
    let text: String
  }

  /// Both at once, each writing into a file of its own.
  private static func run(_ program: String, _ arguments: [String], times: Int) throws -> [Outcome] {
    let files = (0..<times).map { "/tmp/tally-sim-\(getpid())-\($0).txt" }
    let children = try files.map { try spawn(program, arguments, output: $0) }
    var outcomes: [Outcome] = []
    for (child, file) in zip(children, files) {
      var status: Int32 = 0
      // Safe: `status` outlives the call.
      unsafe waitpid(child, &status, 0)
      let text = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
      try FileManager.default.removeItem(atPath: file)
      outcomes.append(Outcome(status: status, text: text))
    }
    return outcomes
  }

  struct SpawnError: Error { let code: Int32 }

  private static func spawn(_ program: String, _ arguments: [String], output: String) throws -> pid_t {
    // Safe: each string is copied by strdup and freed below; the array ends with nil, as posix_spawn asks.
    var words = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
    defer { for index in unsafe words.indices { unsafe free(words[index]) } }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    var child: pid_t = 0
    let code = unsafe posix_spawn(&child, program, &actions, nil, &words, nil)
    guard code == 0 else { throw SpawnError(code: code) }
    return child
  }
}
