// Owns: bubblewrap's words for a specification, and whether a specification may be run at all.
// Refuses to know: processes. The words are fixed; nothing of a job's is ever taken as an option.

/// Builds bubblewrap's options. DESIGN 10 "Layout in the sandbox".
enum SandboxCommand {
  /// Descriptors of the child: see worker_start.
  static let argumentsDescriptor = 3
  static let statusDescriptor = 4
  static let gateDescriptor = 5
  static let filterDescriptor = 6

  static let path = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
  /// What every root holds, each a real directory.
  static let mountPoints = ["build", "dev", "in", "out", "proc", "tmp"]

  /// Throws `.invalid` unless every word and number of `spec` can be passed on as it is.
  static func validate(_ spec: SandboxSpec) throws(SandboxFault) {
    let words = spec.arguments + spec.environment.flatMap { [$0.name, $0.value] }
    guard !spec.arguments.isEmpty, spec.arguments[0] != "" else { throw .invalid("no command") }
    guard words.count <= WorkerLimits.argumentCountMax else { throw .invalid("too many words in the command") }
    guard words.reduce(0, { $0 + $1.utf8.count + 1 }) <= WorkerLimits.argumentBytesMax else {
      throw .invalid("command and environment are too long")
    }
    let paths = spec.inputs.flatMap { [$0.at, $0.path] } + [spec.root]
    guard !(words + paths).contains(where: { $0.utf8.contains(0) }) else { throw .invalid("a word holds NUL") }
    for variable in spec.environment where variable.name.isEmpty || variable.name.utf8.contains(UInt8(ascii: "=")) {
      throw .invalid("environment variable with the name \"\(variable.name)\"")
    }
    guard spec.inputs.count <= WorkerLimits.inputCountMax else { throw .invalid("too many inputs") }
    for input in spec.inputs {
      guard let parts = TreePath(Array(input.at.utf8)), parts.names.count <= WorkerLimits.depthMax else {
        throw .invalid("input at \"\(input.at)\": not a relative path")
      }
    }
    let limits = spec.limits
    let numbers = [
      limits.cpuSeconds, limits.wallSeconds, limits.memoryMiB, limits.diskMiB, limits.outputMiB, limits.processCount,
    ]
    guard numbers.allSatisfy({ $0 >= 1 && $0 <= WorkerLimits.limitValueMax }) else {
      throw .invalid("a limit is zero or too large")
    }
    guard spec.processors.allSatisfy({ (0..<1024).contains($0) }) else { throw .invalid("no such processor") }
  }

  /// The options, NUL-terminated each, for bubblewrap's `--args`.
  static func options(for spec: SandboxSpec, disablesUserNamespaces: Bool) -> [UInt8] {
    var words = ["--unshare-all", "--unshare-user"]
    if disablesUserNamespaces { words.append("--disable-userns") }
    words += ["--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    words += ["--uid", "1000", "--gid", "1000", "--hostname", "tally"]
    words += ["--json-status-fd", "\(statusDescriptor)", "--block-fd", "\(gateDescriptor)"]
    words += ["--seccomp", "\(filterDescriptor)"]
    words += ["--ro-bind", spec.root, "/", "--proc", "/proc", "--dev", "/dev"]
    let disk = "\(spec.limits.diskMiB << 20)"
    // /dev would be a tmpfs without a size; only its shm stays writable, and that has one.
    words += ["--size", disk, "--perms", "1777", "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    words += ["--size", "\(1 << 20)", "--tmpfs", "/in"]
    for input in spec.inputs { words += ["--ro-bind", input.path, "/in/" + input.at] }
    words += ["--remount-ro", "/in"]
    words += ["--size", disk, "--tmpfs", "/build", "--size", disk, "--perms", "1777", "--tmpfs", "/tmp"]
    words += ["--size", "\(spec.limits.outputMiB << 20)", "--tmpfs", "/out"]
    words += ["--chdir", "/build", "--clearenv"]
    for variable in environment(of: spec) { words += ["--setenv", variable.name, variable.value] }
    return SystemCall.terminated(words)
  }

  /// The command line of bubblewrap itself.
  static func commandLine(for spec: SandboxSpec) -> [UInt8] {
    SystemCall.terminated(["bwrap", "--args", "\(argumentsDescriptor)", "--"] + spec.arguments)
  }

  /// The fixed environment, then the job's own; a later name overrides an earlier.
  static func environment(of spec: SandboxSpec) -> [(name: String, value: String)] {
    let fixed = [
      ("PATH", path), ("HOME", "/build"), ("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("SOURCE_DATE_EPOCH", "\(spec.epoch)"),
      ("TALLY_INDEX", "\(spec.index)"),
    ]
    return fixed.map { (name: $0.0, value: $0.1) } + spec.environment
  }
}
