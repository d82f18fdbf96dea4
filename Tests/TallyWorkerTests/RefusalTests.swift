// What cannot be run says why, and leaves nothing.

import Glibc
import TallyBase
import TallyWire
import TallyWork
import Testing

@testable import TallyWorker

@Suite(.serialized) struct RefusalTests {
  private static func spec(_ change: (inout SandboxSpec) -> Void) -> SandboxSpec {
    var spec = SandboxSpec(
      arguments: ["true"], root: "/nonexistent",
      limits: SandboxLimits(
        cpuSeconds: 1, wallSeconds: 1, memoryMiB: 16, diskMiB: 1, outputMiB: 1, processCount: 4))
    change(&spec)
    return spec
  }

  static let invalid: [SandboxSpec] = [
    spec { $0.arguments = [] },
    spec { $0.arguments = [""] },
    spec { $0.arguments = ["a\u{0}b"] },
    spec { $0.arguments = Array(repeating: "x", count: WorkerLimits.argumentCountMax + 1) },
    spec { $0.arguments = [String(repeating: "x", count: WorkerLimits.argumentBytesMax)] },
    spec { $0.environment = [(name: "", value: "x")] },
    spec { $0.environment = [(name: "A=B", value: "x")] },
    spec { $0.inputs = [SandboxInput(at: "../etc", path: "/etc")] },
    spec { $0.inputs = [SandboxInput(at: "/etc", path: "/etc")] },
    spec { $0.inputs = [SandboxInput(at: "", path: "/etc")] },
    spec { $0.inputs = Array(repeating: SandboxInput(at: "a", path: "/"), count: WorkerLimits.inputCountMax + 1) },
    spec { $0.limits.memoryMiB = 0 },
    spec { $0.limits.cpuSeconds = WorkerLimits.limitValueMax + 1 },
    spec { $0.processors = [1024] },
    spec { $0.processors = [-1] },
  ]

  @Test(arguments: invalid.indices) func a_specification_that_cannot_be_run(index: Int) throws {
    let error = #expect(throws: SandboxFault.self) {
      _ = try Sandbox().run(Self.invalid[index], onOutput: { _, _ in }, shouldStop: { nil })
    }
    guard case .invalid? = error else {
      Issue.record("case \(index): \(String(describing: error))")
      return
    }
  }

  @Test func words_of_a_job_are_never_options() {
    let hostile = Self.spec {
      $0.arguments = ["--bind", "/", "/"]
      $0.environment = [(name: "LD_PRELOAD", value: "--share-net")]
    }
    let line = SystemCall.text(SandboxCommand.commandLine(for: hostile)).split(separator: "\u{0}")
    #expect(line == ["bwrap", "--args", "3", "--", "--bind", "/", "/"])
    let options = SystemCall.text(SandboxCommand.options(for: hostile, disablesUserNamespaces: true))
      .split(separator: "\u{0}")
    #expect(options.suffix(3) == ["--setenv", "LD_PRELOAD", "--share-net"])
    #expect(options.contains("--clearenv"))
  }

  @Test func a_missing_bubblewrap_is_named_with_the_fix() throws {
    let scratch = try Scratch("no-bwrap")
    var sandbox = Sandbox(program: "/nonexistent/bwrap")
    let test = sandbox.selfTest(scratch: scratch.path)
    #expect(!test.canRun)
    #expect(test.cause == "bubblewrap is not at /nonexistent/bwrap")
    #expect(test.fix == "apt install bubblewrap")
    #expect(try SystemCall.names(in: SystemCall.openDirectory(path: scratch.path)) == [])
  }

  @Test func a_root_that_the_job_user_cannot_reach_is_named() throws {
    let bench = try Bench()
    guard bench.canRun("RefusalTests") else { return }
    guard geteuid() == 0 else { return print("SKIP unreachable root: jobs run as ourselves here") }
    #expect(unsafe chmod(bench.scratch.path, 0o700) == 0)
    let error = #expect(throws: SandboxFault.self) { _ = try bench.run("true") }
    guard case .unavailable(let cause, let fix)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(cause.contains("Permission denied") && fix.contains("read the root"))
    #expect(processes(marked: bench.scratch.path) == [])
  }

  @Test func a_root_without_mount_points_is_refused() throws {
    let scratch = try Scratch("bare")
    for link in [false, true] {
      if link { #expect(unsafe symlink("/etc", scratch.path + "/build") == 0) }
      let spec = Self.spec { $0.root = scratch.path }
      #expect(throws: SandboxFault.self) {
        _ = try Sandbox().run(spec, onOutput: { _, _ in }, shouldStop: { nil })
      }
    }
  }

  @Test func a_job_as_root_is_refused() throws {
    guard geteuid() == 0 else { return print("SKIP job as root: we are not root") }
    let error = #expect(throws: SandboxFault.self) {
      _ = try Sandbox(jobUser: nil).run(Self.spec { _ in }, onOutput: { _, _ in }, shouldStop: { nil })
    }
    #expect(error == .invalid("a job may not run as root"))
    #expect(JobUser(user: 0, group: 1) == nil && JobUser(user: 1, group: 0) == nil)
  }

  @Test func every_reason_of_the_sandbox_has_its_reason_in_the_record() {
    let table: [(SandboxReason, FailReason?)] = [
      (.exited(3), nil), (.signal(9), nil), (.wallTime, .timeout), (.cpuTime, .timeout), (.memory, .memory),
      (.disk, .disk), (.processes, .processes), (.output, .output), (.cancelled(.cancelled), .cancelled),
      (.cancelled(.ownerNeedsMachine), .lost), (.sandboxUnavailable(""), .sandbox),
    ]
    for (reason, expected) in table { #expect(reason.failReason == expected) }
    #expect(SandboxReason.signal(11).manifestExit == -11 && SandboxReason.signal(11).exitCode == 139)
  }

  @Test func bubblewraps_status_lines_are_read_whole_only() {
    #expect(SandboxStatus.number(after: "child-pid", in: "{ \"child-pid\": 123, \"x\": 1 }") == 123)
    #expect(SandboxStatus.number(after: "child-pid", in: "{ \"child-pid\": 123") == nil)
    #expect(SandboxStatus.number(after: "exit-code", in: "{ \"child-pid\": 1 }\n{ \"exit-code\": 4 }\n") == 4)
    #expect(SandboxStatus.number(after: "exit-code", in: "") == nil)
  }
}
