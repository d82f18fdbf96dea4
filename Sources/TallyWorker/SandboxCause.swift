// Owns: why sandboxes do not run on a machine, in words, with the fix. Refuses to know: jobs.

import Glibc

/// Turns a failed set-up into a cause and a fix.
enum SandboxCause {
  static func explain(_ fault: WorkerFault, said: String, program: String) -> SandboxFault {
    // Safe: the name ends with NUL.
    if unsafe access(SystemCall.name(program), X_OK) != 0 {
      return .unavailable(cause: "bubblewrap is not at \(program)", fix: "apt install bubblewrap")
    }
    let words = said.split(separator: "\n").filter { $0.hasPrefix("bwrap: ") || $0.hasPrefix("tally: ") }
    guard let last = words.last else { return .unavailable(cause: "\(fault)", fix: "run `tally doctor`") }
    let text = String(last)
    if let known = namespaceCause(text) { return known }
    if text.contains("Can't mount proc") {
      return .unavailable(
        cause: "\(text): this container hides parts of /proc", fix: "run the worker outside it, or unmask /proc")
    }
    if text.contains("Can't find source path") || text.contains("Permission denied") {
      return .unavailable(
        cause: text, fix: "let the job user (\(JobUser.forRoot()?.user ?? getuid())) read the root and the inputs")
    }
    if text.contains("Unknown option") {
      return .unavailable(cause: "\(text): bubblewrap is older than 0.8", fix: "install bubblewrap 0.8 or later")
    }
    return .unavailable(cause: text, fix: "run `tally doctor`")
  }

  private static func namespaceCause(_ text: String) -> SandboxFault? {
    let signs = ["namespace", "uid map", "loopback", "Operation not permitted", "No space left"]
    guard signs.contains(where: { text.contains($0) }) else { return nil }
    let settings: [(path: String, bad: String, fix: String)] = [
      (
        "kernel/apparmor_restrict_unprivileged_userns", "1",
        "install deploy/apparmor/bwrap, or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
      ),
      ("kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
      ("user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"),
    ]
    for setting in settings {
      guard GroupFile.words("/proc/sys/" + setting.path) == [setting.bad] else { continue }
      let name = setting.path.map { $0 == "/" ? "." : String($0) }.joined()
      let cause = "\(name) = \(setting.bad): no user namespaces for this user (\(text))"
      return .unavailable(cause: cause, fix: setting.fix)
    }
    return .unavailable(
      cause: "user namespaces are not permitted here (\(text))",
      fix: "allow unshare(CLONE_NEWUSER) in the container's seccomp profile, or run the worker outside it")
  }
}
