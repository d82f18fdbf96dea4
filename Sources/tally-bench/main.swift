// Owns: the words of `tally-bench`. The figures are TallyBench's.
import Foundation
import TallyBench

let usage = """
  usage: tally-bench [--json] [NAME…]
         tally-bench [--json] daemon --tallyd PATH [--seconds N] [--hosts N]
  names: \(Benchmarks.names.joined(separator: " ")) (default: all)
  """

func report(_ figures: [Figure], json: Bool) {
  for figure in figures { print(json ? figure.json : Benchmarks.text(figure)) }
}

func fail(_ what: String, _ code: Int32) -> Never {
  FileHandle.standardError.write(Data("tally-bench: \(what)\n".utf8))
  exit(code)
}

let json = CommandLine.arguments.contains("--json")
let words = CommandLine.arguments.dropFirst().filter { $0 != "--json" }


func option(_ name: String, in words: [String]) -> String? {
  guard let place = words.firstIndex(of: name), place + 1 < words.count else { return nil }
  return words[place + 1]
}

do {
  if words.first == "daemon" {
    guard let path = option("--tallyd", in: words) else { fail("which daemon?\n\(usage)", 64) }
    let seconds = option("--seconds", in: words).flatMap { Double($0) } ?? 30
    let hosts = option("--hosts", in: words).flatMap { Int($0) } ?? 5
    report(try DaemonBench.run(tallyd: path, hosts: hosts, seconds: seconds), json: json)
  } else {
    for name in words.isEmpty ? Benchmarks.names : words {
      guard let figures = try Benchmarks.run(name) else { fail("no benchmark \(name)\n\(usage)", 64) }
      report(figures, json: json)
    }
  }
} catch {
  fail("\(error)", 70)
}
