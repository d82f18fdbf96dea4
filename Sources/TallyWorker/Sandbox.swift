// Owns: running one job under bubblewrap, from its specification to its reason and usage.
// Refuses to know: tasks, blobs, the mesh. The measures and why they were chosen: PROTOCOL.md, chapter on the sandbox.

import CWorker
import Glibc

/// What this machine runs jobs with.
public struct Sandbox: Sendable {
  /// bubblewrap's path.
  public var program: String
  /// Whom jobs run as when we are root; nil when we are not.
  public var jobUser: JobUser?
  /// Where jobs' control groups are made; nil = rlimits and measuring alone.
  public var groups: ControlGroups?
  /// Whether this bubblewrap and kernel can forbid further user namespaces.
  public var disablesUserNamespaces = true

  public init(program: String = "/usr/bin/bwrap", jobUser: JobUser? = JobUser.forRoot(), groups: ControlGroups? = nil) {
    self.program = program
    self.jobUser = jobUser
    self.groups = groups
  }

  /// Runs one job and waits for it. Blocks the calling thread, which must live as long: the job dies with it.
  ///
  /// - Parameters:
  ///   - onOutput: gets what the job prints as it comes, at most `limits.outputMiB` in all. It must not block.
  ///   - shouldStop: asked at least every `WorkerLimits.watchMsMax` ms.
  /// - Throws: `.invalid` for a specification that cannot be run, `.unavailable` when this machine cannot run it now:
  ///   nothing of the job has run then, or the machine failed under it and it was ended.
  /// - Returns: when no process, mount or group of the job is left. Its /out lives in the outcome.
  public func run(
    _ spec: SandboxSpec, onOutput: (OutputStream, [UInt8]) -> Void, shouldStop: () -> StopReason?
  ) throws(SandboxFault) -> SandboxOutcome {
    try SandboxCommand.validate(spec)
    if geteuid() == 0, jobUser == nil { throw .invalid("a job may not run as root") }
    var launch: SandboxLaunch
    do {
      launch = try SandboxLaunch(self, spec)
    } catch {
      throw .unavailable(cause: "\(error)", fix: "")
    }
    let outcome: SandboxOutcome
    do {
      let job = try launch.begin(spec)
      var watch = SandboxWatch(job: job, spec: spec, groups: launch.groups)
      outcome = try watch.run(launch: launch, onOutput: onOutput, shouldStop: shouldStop)
    } catch {
      let said = launch.abandon()
      launch.groups?.remove()
      throw SandboxCause.explain(error, said: said, program: program)
    }
    launch.groups?.remove()
    return outcome
  }
}
