// Owns: the set-up of one sandbox: descriptors, groups, the supervisor process, and the moment before the job begins.
// Refuses to know: what the job does afterwards.

import CWorker
import Glibc

/// A supervisor process, and our ends of its pipes.
struct SandboxLaunch {
  let groups: JobGroups?
  let groupVersion: Int?
  let jobUser: JobUser?
  let supervisor: Int32
  let supervisorHandle: Descriptor
  let output: Descriptor
  let error: Descriptor
  let status: Descriptor
  let result: Descriptor
  let gate: Descriptor
  /// Held so that a byte for a bubblewrap that is gone is not a SIGPIPE for the worker.
  private let gateReader: Descriptor

  /// Starts bubblewrap, which sets up and then waits at the gate. On a throw nothing is left behind.
  init(_ sandbox: Sandbox, _ spec: SandboxSpec) throws(WorkerFault) {
    try Self.checkRoot(spec.root)
    let input = try SystemCall.openFileOrNull(spec.standardInput)
    let output = try SystemCall.pipe()
    let error = try SystemCall.pipe()
    let status = try SystemCall.pipe()
    let result = try SystemCall.pipe()
    let gate = try SystemCall.pipe()
    let options = SandboxCommand.options(for: spec, disablesUserNamespaces: sandbox.disablesUserNamespaces)
    let arguments = try SystemCall.memoryFile(options)
    let filter = try SystemCall.memoryFile(try SystemCall.filter())
    for end in [output.read, error.read, status.read] {
      try SystemCall.check(worker_set_nonblocking(end.number), "fcntl", "".utf8)
    }
    let groups = try sandbox.groups?.makeJob(SystemCall.nowMicros, limits: spec.limits)
    var start = worker_start()
    start.standard_input = input.number
    start.standard_output = output.write.number
    start.standard_error = error.write.number
    start.arguments = arguments.number
    start.status = status.write.number
    start.gate = gate.read.number
    start.filter = filter.number
    start.result = result.write.number
    start.idle = spec.isIdle ? 1 : 0
    start.drop = sandbox.jobUser == nil ? 0 : 1
    start.user = sandbox.jobUser?.user ?? 0
    start.group = sandbox.jobUser?.group ?? 0
    var handle: Int32 = -1
    let process: Int32
    do {
      let doors = try groups?.doors() ?? []
      start.groups = (Self.door(doors, 0), Self.door(doors, 1), -1, -1)
      process = try Self.spawn(&start, spec, program: sandbox.program, handle: &handle)
      withExtendedLifetime(doors) {}
    } catch {
      groups?.remove()
      throw error
    }
    // Our copies of the job's ends close here, so that its streams end when it does.
    withExtendedLifetime((input, arguments, filter)) {}
    withExtendedLifetime((output.write, error.write, status.write, result.write)) {}
    if handle < 0 {
      // The kernel lacks pidfd_open (before 5.3): without it numbers could be mistaken.
      _ = kill(process, SIGKILL)
      var usage = worker_usage()
      // Safe: `usage` is ours for the call.
      _ = unsafe worker_wait(process, &usage)
      groups?.remove()
      throw .system(call: "pidfd_open", path: "", code: -handle)
    }
    self.groups = groups
    groupVersion = sandbox.groups?.version
    jobUser = sandbox.jobUser
    supervisor = process
    supervisorHandle = Descriptor(handle)
    self.output = output.read
    self.error = error.read
    self.status = status.read
    self.result = result.read
    self.gate = gate.write
    gateReader = gate.read
  }

  private static func door(_ doors: [Descriptor], _ index: Int) -> Int32 {
    index < doors.count ? doors[index].number : -1
  }

  private static func spawn(
    _ start: inout worker_start, _ spec: SandboxSpec, program: String, handle: inout Int32
  ) throws(WorkerFault) -> Int32 {
    for processor in spec.processors {
      // Safe: the mask has 1024 bits and `validate` has let only 0..<1024 pass.
      unsafe withUnsafeMutableBytes(of: &start.processors) { mask in
        unsafe mask[processor / 8] |= 1 << UInt8(processor % 8)
      }
    }
    let line = SandboxCommand.commandLine(for: spec)
    // Safe: name and line end with NUL; all live through the call.
    let process = unsafe worker_spawn(&start, SystemCall.name(program), line, line.count, &handle)
    return try SystemCall.check(process, "fork", "".utf8)
  }

  /// The mount points must be real directories: a link there would have the mounts land elsewhere.
  private static func checkRoot(_ root: String) throws(WorkerFault) {
    let directory = try SystemCall.openDirectory(path: root)
    for name in SandboxCommand.mountPoints {
      let file = try SystemCall.look(Array(name.utf8), in: directory)
      guard file.mode & UInt32(S_IFMT) == UInt32(S_IFDIR) else {
        throw .unsafeTree(path: "\(root)/\(name)", why: "is not a directory, as the root of a sandbox needs")
      }
    }
  }

  /// Waits until bubblewrap stands at the gate, takes hold of the job's file systems, sets its limits.
  func begin(_ spec: SandboxSpec) throws(WorkerFault) -> SandboxJob {
    let deadline = SystemCall.nowMicros + WorkerLimits.setUpMicrosMax
    let process = try firstProcess(deadline: deadline)
    let job = try SandboxJob(first: process, root: spec.root, deadline: deadline) { hasEnded }
    try job.limit(spec.limits, hasMemoryGroup: groups?.controllers.contains("memory") ?? false, user: jobUser)
    try SystemCall.write([1], to: gate.number, path: "gate")
    return job
  }

  /// The supervisor is over.
  var hasEnded: Bool {
    var watched = [supervisorHandle.number]
    // Safe: one descriptor in the array.
    return unsafe worker_poll(&watched, 1, 0) != 0
  }

  /// The process that bubblewrap says it made: the init of the job's namespace.
  private func firstProcess(deadline: Int64) throws(WorkerFault) -> Int32 {
    var text = ""
    while SystemCall.nowMicros < deadline {
      var watched = [status.number, supervisorHandle.number]
      // Safe: two descriptors in the array.
      _ = unsafe worker_poll(&watched, 2, 50)
      if let bytes = try SystemCall.read(status.number, count: 4096) {
        text += SystemCall.text(bytes)
        if let process = SandboxStatus.number(after: "child-pid", in: text) { return process }
        if bytes.isEmpty { break }
      }
    }
    throw .system(call: "bubblewrap", path: "set-up", code: hasEnded ? ECHILD : ETIMEDOUT)
  }

  /// Ends a set-up that failed. Returns what bubblewrap said.
  func abandon() -> String {
    // The supervisor's end takes bubblewrap with it, and that the job's namespace; but only the supervisor can
    // tell that all of them are gone, so the others are ended first.
    let tree = ProcessTree.look(under: supervisor, countMax: 64)
    for process in tree.processes.reversed() { _ = kill(process, SIGKILL) }
    var usage = worker_usage()
    // Safe: `usage` is ours for the call.
    _ = unsafe worker_wait(supervisor, &usage)
    do {
      return SystemCall.text(try SystemCall.read(error.number, count: WorkerLimits.causeBytesMax) ?? [])
    } catch {
      return "\(error)"
    }
  }
}

/// bubblewrap's JSON status lines, of which two numbers are of interest.
enum SandboxStatus {
  /// The integer that follows `"key":` in `text`, once its digits are followed by something else.
  static func number(after key: String, in text: String) -> Int32? {
    let bytes = Array(text.utf8)
    let marker = Array("\"\(key)\": ".utf8)
    guard bytes.count > marker.count else { return nil }
    for start in 0..<(bytes.count - marker.count) where bytes[start..<(start + marker.count)].elementsEqual(marker) {
      let digits = bytes[(start + marker.count)...].prefix { (0x30...0x39).contains($0) }
      guard digits.endIndex < bytes.count else { return nil }
      return Int32(SystemCall.text(digits))
    }
    return nil
  }
}
