// Owns: what the sandbox tests share: a root, a directory of their own, and one way to run a job.

import CWorker
import Glibc
import Testing

@testable import TallyWorker

/// A scratch directory that others may search, gone when the value is.
final class Scratch: Sendable {
  let path: String
  init(_ name: String) throws {
    path = "/tmp/tally-worker-test-\(getpid())-\(name)-\(worker_now_micros())"
    try #require(unsafe mkdir(path, 0o755) == 0)
    try #require(unsafe chmod(path, 0o755) == 0)
  }
  deinit { remove() }
  func remove() { _ = machine(["/bin/rm", "-rf", path]) }
}

private func terminated(_ words: [String]) -> [UInt8] {
  var bytes: [UInt8] = []
  for word in words { bytes += Array(word.utf8) + [0] as [UInt8] }
  return bytes
}

/// Runs a program of this machine; its standard output, or nil when it did not exit 0.
func machine(_ words: [String]) -> [UInt8]? {
  let line = terminated(words)
  var room = [UInt8](repeating: 0, count: 1 << 20)
  let count = unsafe worker_capture(line, line.count, &room, room.count)
  return count < 0 ? nil : Array(room[..<Int(count)])
}

/// What one job said and how it ended.
struct Ran {
  let outcome: SandboxOutcome
  let output: String
  let error: String
  var reason: SandboxReason { outcome.reason }
}

/// One root for all tests of this process, and whether sandboxes run here.
final class Bench: Sendable {
  let scratch: Scratch
  let root: String
  let sandbox: Sandbox
  let test: SelfTest
  /// Whether Fixtures/jobs/hostile.c could be compiled.
  let hasHostile: Bool

  init(groups: ControlGroups? = nil) throws {
    scratch = try Scratch("bench")
    root = scratch.path + "/root"
    try LocalRoot.make(at: root)
    var sandbox = Sandbox(groups: groups)
    test = sandbox.selfTest(scratch: scratch.path)
    self.sandbox = sandbox
    let source = fixture("jobs/hostile.c")
    let program = root + "/bin/hostile"
    hasHostile = Self.compiler.flatMap { machine([$0, "-O1", "-static", "-o", program, source]) } != nil
    // The tests' umask may be anything; the job runs as somebody else.
    if hasHostile { try #require(unsafe chmod(program, 0o755) == 0) }
  }

  /// The one that most tests use; its directory goes when the process ends.
  static func shared() throws -> Bench { try made.get() }

  private static let made: Result<Bench, any Error> = Result {
    atexit { Bench.removeShared() }
    return try Bench()
  }

  private static func removeShared() {
    if case .success(let bench) = made { bench.scratch.remove() }
  }

  /// A C compiler on PATH: the system's, or the one beside the Swift toolchain.
  private static var compiler: String? {
    let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/usr/bin:/bin"
    for name in ["cc", "gcc", "clang"] {
      for directory in path.split(separator: ":") {
        let program = "\(directory)/\(name)"
        if unsafe access(program, X_OK) == 0 { return program }
      }
    }
    return nil
  }

  func spec(_ script: String) -> SandboxSpec {
    SandboxSpec(
      arguments: ["sh", "-c", script], root: root,
      limits: SandboxLimits(
        cpuSeconds: 10, wallSeconds: 20, memoryMiB: 128, diskMiB: 16, outputMiB: 4, processCount: 32))
  }

  func run(_ spec: SandboxSpec, shouldStop: () -> StopReason? = { nil }) throws -> Ran {
    var output: [UInt8] = []
    var error: [UInt8] = []
    let outcome = try sandbox.run(
      spec, onOutput: { if $0 == .output { output += $1 } else { error += $1 } }, shouldStop: shouldStop)
    return Ran(
      outcome: outcome, output: String(decoding: output, as: UTF8.self), error: String(decoding: error, as: UTF8.self))
  }

  func run(_ script: String, change: (inout SandboxSpec) -> Void = { _ in }) throws -> Ran {
    var spec = spec(script)
    change(&spec)
    return try run(spec)
  }

  /// False, and said aloud, when no sandbox runs here.
  func canRun(_ suite: String) -> Bool {
    if !test.canRun { print("SKIP \(suite): \(test.cause); \(test.fix)") }
    return test.canRun
  }
}

func fixture(_ name: String, file: String = #filePath) -> String {
  let parts = file.split(separator: "/").dropLast(3).joined(separator: "/")
  return "/\(parts)/Fixtures/\(name)"
}

/// Processes of this machine whose command line holds `marker`, which a test puts into its job's.
func processes(marked marker: String) -> [Int32] {
  let names = (try? SystemCall.names(in: SystemCall.openDirectory(path: "/proc"))) ?? []
  return names.compactMap { Int32(SystemCall.text($0)) }.filter { process in
    guard process != getpid(), let line = SystemCall.contents(ofSmall: "/proc/\(process)/cmdline") else { return false }
    return SystemCall.text(line).contains(marker)
  }
}
