// Owns: the words of `tally-fuzz`. Targets and the run are TallyFuzz's.
import Foundation
import TallyFuzz

let usage = """
  usage: tally-fuzz list
         tally-fuzz run TARGET|all [--seconds S] [--seed N] [--keep DIR]    find; a child traps, this process tells how
         tally-fuzz replay DIR [TARGET]     check every file of DIR (a corpus has one folder a target)
         tally-fuzz shorten TARGET FILE     print a shorter input with the same outcome, in hexadecimal
  """

func fail(_ what: String, _ code: Int32) -> Never {
  FileHandle.standardError.write(Data("tally-fuzz: \(what)\n".utf8))
  exit(code)
}

func option(_ name: String, in words: [String]) -> String? {
  guard let place = words.firstIndex(of: name), place + 1 < words.count else { return nil }
  return words[place + 1]
}

func target(_ name: String) -> FuzzTarget {
  guard let target = FuzzTargets.find(name) else { fail("no target \(name); see tally-fuzz list", 64) }
  return target
}

let words = Array(CommandLine.arguments.dropFirst())
do {
  switch words.first {
  case "list": for target in FuzzTargets.all { print(target.name) }
  case "run" where words.count > 1:
    let names = words[1] == "all" ? FuzzTargets.all.map(\.name) : [target(words[1]).name]
    var isClean = true
    for name in names {
      let parent = FuzzParent(
        target: name, seconds: option("--seconds", in: words).flatMap { Double($0) } ?? 10,
        seed: option("--seed", in: words).flatMap { UInt64($0) } ?? 1, keep: option("--keep", in: words))
      isClean = try parent.run() && isClean
    }
    exit(isClean ? 0 : 1)
  case "child" where words.count > 1: exit(try FuzzChild.run(target(words[1]), words) ? 0 : 1)
  case "replay" where words.count > 1:
    exit(try FuzzReplay.run(folder: words[1], only: words.count > 2 ? target(words[2]) : nil) ? 0 : 1)
  case "shorten" where words.count > 2:
    guard let data = FileManager.default.contents(atPath: words[2]) else { fail("cannot read \(words[2])", 66) }
    let short = FuzzRun.shorten([UInt8](data), target(words[1]))
    print(short.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())
  default: fail(usage, 64)
  }
} catch {
  fail("\(error)", 70)
}
