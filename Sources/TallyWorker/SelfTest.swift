// Owns: whether this machine can run jobs, found out by running one. Refuses to know: who asks.

import CWorker
import Glibc

/// What was measured. `cause` and `fix` are empty when jobs run.
public struct SelfTest: Hashable, Sendable {
  public var canRun = false
  public var cause = ""
  /// What the operator can do about it.
  public var fix = ""
  public var limitsBy = LimitsBy()
  /// Whether a job is kept from making user namespaces of its own.
  public var disablesUserNamespaces = false
  /// The kernel user id that jobs run under.
  public var jobUser: UInt32 = 0
  /// From the call to the end of a job that does nothing, in milliseconds.
  public var startMs: UInt64 = 0
}

extension Sandbox {
  /// Runs a small job in a root of this machine's own shell, made in `scratch` (an existing directory, empty again
  /// afterwards), and looks at the job's identity, network and root from inside. Sets `disablesUserNamespaces` to
  /// what works here.
  public mutating func selfTest(scratch: String) -> SelfTest {
    var test = SelfTest()
    test.jobUser = jobUser?.user ?? geteuid()
    let root = "\(scratch)/self-test-\(getpid())"
    do {
      let missing = try LocalRoot.make(at: root, programs: ["sh", "cat", "id"])
      if !missing.isEmpty { throw WorkerFault.system(call: "find", path: missing.joined(separator: " "), code: ENOENT) }
      disablesUserNamespaces = true
      probe(root, &test)
      if !test.canRun {
        let first = test
        disablesUserNamespaces = false
        probe(root, &test)
        if !test.canRun { test = first }
      }
      test.disablesUserNamespaces = test.canRun && disablesUserNamespaces
    } catch {
      test.cause = "\(error)"
      test.fix = "the worker needs a shell on this machine and a writable \(scratch)"
    }
    do { try Folders.remove(root) } catch { test.cause += test.cause.isEmpty ? "\(error)" : "; \(error)" }
    return test
  }

  private func probe(_ root: String, _ test: inout SelfTest) {
    let script = "id -u; cat /proc/sys/kernel/hostname; (echo > /no) 2> /dev/null && echo /; cat /proc/net/dev"
    let limits = SandboxLimits(
      cpuSeconds: 5, wallSeconds: 10, memoryMiB: 64, diskMiB: 1, outputMiB: 1, processCount: 8)
    let spec = SandboxSpec(arguments: ["sh", "-c", script], root: root, limits: limits)
    var said: [UInt8] = []
    let start = SystemCall.nowMicros
    do throws(SandboxFault) {
      let outcome = try run(spec, onOutput: { if $0 == .output { said += $1 } }, shouldStop: { nil })
      test.startMs = UInt64(max(0, SystemCall.nowMicros - start)) / 1000
      test.limitsBy = outcome.limitsBy
      let lines = SystemCall.text(said).split(separator: "\n")
      // After two lines of heading the loopback device stands alone: there is nothing else to send by.
      let isClosed = lines.count == 5 && lines.last?.contains("lo:") == true
      test.canRun = outcome.reason == .exited(0) && lines.starts(with: ["1000", "tally"]) && isClosed
      test.cause = test.canRun ? "" : "the test job ended with \(outcome.reason): \(lines.joined(separator: " / "))"
      test.fix = test.canRun ? "" : "this is a fault of Tally's or of bubblewrap's: please report it"
    } catch {
      switch error {
      case .invalid(let why): test.cause = why
      case .unavailable(let cause, let fix): (test.cause, test.fix) = (cause, fix)
      }
    }
  }
}
