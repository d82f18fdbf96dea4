// Owns: running a target in a child process, so that a trap is a finding and not the end; and replaying a folder.
// Refuses to know: targets. A run is a function of its seed: a child that trapped is run again, writing each input down
// before it is tried, and the last one written is the one.
import Foundation

/// What the child is told and tells.
public enum FuzzChild {
  /// Iterations between two looks at the clock, and two reports.
  static let block = 64
  /// Inputs that `--keep` writes at most.
  static let kept = 16

  /// `--seconds S`, `--seed N`, `--keep DIR`; `--until K --trace FILE`: iterations 0 to K, each input written to FILE.
  public static func run(_ target: FuzzTarget, _ words: [String]) throws -> Bool {
    func option(_ name: String) -> String? {
      guard let place = words.firstIndex(of: name), place + 1 < words.count else { return nil }
      return words[place + 1]
    }
    let seconds = option("--seconds").flatMap { Double($0) } ?? 10
    let seed = option("--seed").flatMap { UInt64($0) } ?? 1
    let until = option("--until").flatMap { Int($0) } ?? Int.max
    let from = option("--from").flatMap { Int($0) } ?? 0
    let trace = option("--trace")
    var run = FuzzRun(target, corpus: try CorpusFolder.ofRepository.pool(for: target), seed: seed)
    let end = ContinuousClock.now + .seconds(seconds)
    while run.iterations < until {
      if run.iterations % block == 0 {
        if trace == nil {
          print(run.iterations)
          fflush(nil)
          if ContinuousClock.now > end { break }
        }
      }
      let input = run.next()
      if let trace, run.iterations >= from { try Data(input).write(to: URL(fileURLWithPath: trace)) }
      if let violation = run.attempt(input) {
        print("violated: \(violation)")
        if trace != nil { return false }
        let file = "fuzz-\(target.name)-\(seed)-\(run.iterations)"
        try Data(input).write(to: URL(fileURLWithPath: file))
        print("input: \(file)")
        return false
      }
    }
    if let folder = option("--keep") { try keep(run, in: "\(folder)/\(target.name)") }
    print("done \(run.iterations) \(run.accepted) \(run.signatures.count)")
    return true
  }

  private static func keep(_ run: FuzzRun, in folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for input in run.found.prefix(kept) {
      let short = FuzzRun.shorten(input, run.target)
      var name: UInt64 = 0xcbf2_9ce4_8422_2325
      for byte in short { name = (name ^ UInt64(byte)) &* 0x100_0000_01b3 }
      try Data(short).write(to: URL(fileURLWithPath: "\(folder)/\(String(name, radix: 16))"))
    }
  }
}

/// The process that is left when a child traps.
public struct FuzzParent {
  private let target: String
  private let seconds: Double
  private let seed: UInt64
  private let keep: String?

  public init(target: String, seconds: Double, seed: UInt64, keep: String?) {
    self.target = target
    self.seconds = seconds
    self.seed = seed
    self.keep = keep
  }

  /// True when every property held and nothing trapped.
  public func run() throws -> Bool {
    let start = ContinuousClock.now
    let (status, lines, errors) = try child(["--seconds", "\(seconds)"] + (keep.map { ["--keep", $0] } ?? []))
    let took = (ContinuousClock.now - start) / .seconds(1)
    if let done = lines.last(where: { $0.hasPrefix("done ") }), status == 0 {
      let numbers = done.split(separator: " ").dropFirst().compactMap { Int($0) }
      print("\(target): \(numbers[0]) inputs, \(numbers[1]) accepted, \(numbers[2]) ways, \(Int(took)) s")
      return true
    }
    if let violation = lines.last(where: { $0.hasPrefix("violated") }) {
      print("\(target): \(violation) (\(lines.last ?? ""))")
      return false
    }
    let block = lines.compactMap { Int($0) }.last ?? 0
    let file = "fuzz-\(target)-\(seed)-trap"
    _ = try child(["--from", "\(block)", "--until", "\(block + FuzzChild.block)", "--trace", file])
    print("\(target): trapped after \(block) inputs; input: \(file)")
    print(errors.prefix(400))
    return false
  }

  private func child(_ more: [String]) throws -> (status: Int32, lines: [String], errors: String) {
    let process = Process()
    let (out, errors) = (Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["child", target, "--seed", "\(seed)"] + more
    process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    process.standardOutput = out
    process.standardError = errors
    try process.run()
    let text = out.fileHandleForReading.readDataToEndOfFile()
    let words = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let isTrap = process.terminationReason == .uncaughtSignal
    return (
      isTrap ? 128 + process.terminationStatus : process.terminationStatus,
      String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init),
      String(decoding: words, as: UTF8.self)
    )
  }
}

/// Checks files that are kept.
public enum FuzzReplay {
  /// Without a target, `folder` has one folder a target.
  public static func run(folder: String, only: FuzzTarget?) throws -> Bool {
    var isClean = true
    var count = 0
    for target in only.map({ [$0] }) ?? FuzzTargets.all {
      let place = only == nil ? "\(folder)/\(target.name)" : folder
      guard FileManager.default.fileExists(atPath: place) else { continue }
      for name in try FileManager.default.contentsOfDirectory(atPath: place).sorted() {
        guard let data = FileManager.default.contents(atPath: "\(place)/\(name)") else { continue }
        count += 1
        guard case .violated(let what) = target.check([UInt8](data)) else { continue }
        print("\(target.name)/\(name): \(what)")
        isClean = false
      }
    }
    print("\(count) inputs replayed")
    return isClean
  }
}
