// Owns: one job while it runs: its streams, its usage against its limits, its end and the reason.
// Refuses to know: how it was set up.

import CWorker
import Glibc

/// Watches a job until nothing of it is left. One reason is kept: the first.
struct SandboxWatch {
  private let job: SandboxJob
  private let limits: SandboxLimits
  private let groups: JobGroups?
  private let startMicros: Int64
  private var reason: SandboxReason?
  private var killAtMicros: Int64?
  private var usage = SandboxUsage()
  private var openStreams: [(stream: OutputStream, descriptor: Descriptor)] = []
  private var statusText = ""
  private var waitMs = WorkerLimits.watchMsMin

  init(job: SandboxJob, spec: SandboxSpec, groups: JobGroups?) {
    self.job = job
    limits = spec.limits
    self.groups = groups
    startMicros = SystemCall.nowMicros
  }

  mutating func run(
    launch: SandboxLaunch, onOutput: (OutputStream, [UInt8]) -> Void, shouldStop: () -> StopReason?
  ) throws(WorkerFault) -> SandboxOutcome {
    openStreams = [(.output, launch.output), (.error, launch.error)]
    var nextLook = startMicros
    while true {
      var watched = [launch.supervisorHandle.number] + openStreams.map(\.descriptor.number)
      // Safe: at most three descriptors in the array.
      let ready = unsafe worker_poll(&watched, Int32(watched.count), waitMs)
      try readStreams(onOutput)
      if ready & 1 != 0 { break }
      if let stop = shouldStop() { ask(.cancelled(stop)) }
      if SystemCall.nowMicros >= nextLook {
        try look()
        waitMs = min(waitMs + 1, WorkerLimits.watchMsMax)
        nextLook = SystemCall.nowMicros + Int64(waitMs) * 1000
      }
      killWhenDue()
    }
    let wallMicros = SystemCall.nowMicros - startMicros
    // Nobody is left to write; what is in the pipes is all there is.
    try readStreams(onOutput)
    while let bytes = try SystemCall.read(launch.status.number, count: 4096), !bytes.isEmpty {
      statusText += SystemCall.text(bytes)
    }
    usage.wallMs = UInt64(max(0, wallMicros)) / 1000
    let ended = try reap(launch)
    let out = job.out
    return SandboxOutcome(
      reason: try finalReason(bubblewrap: ended), usage: usage, limitsBy: limitsBy(launch), out: out)
  }

  private func limitsBy(_ launch: SandboxLaunch) -> LimitsBy {
    LimitsBy(groupVersion: launch.groupVersion, controllers: groups?.controllers ?? [])
  }

  // MARK: The streams

  private mutating func readStreams(_ onOutput: (OutputStream, [UInt8]) -> Void) throws(WorkerFault) {
    let outputMax = limits.outputMiB << 20
    for (stream, descriptor) in openStreams {
      // A few chunks each, so that a flood on one stream keeps neither the other nor the watch waiting.
      for _ in 0..<8 {
        guard let bytes = try SystemCall.read(descriptor.number, count: WorkerLimits.outputChunkBytes) else { break }
        if bytes.isEmpty {
          openStreams.removeAll { $0.stream == stream }
          break
        }
        let room = outputMax - min(outputMax, usage.outputBytes)
        usage.outputBytes += UInt64(bytes.count)
        if room > 0 { onOutput(stream, UInt64(bytes.count) <= room ? bytes : Array(bytes[..<Int(room)])) }
        if usage.outputBytes > outputMax { stop(.output) }
      }
    }
  }

  // MARK: The limits

  /// Compares what the job uses now with what it may.
  private mutating func look() throws(WorkerFault) {
    let countMax = Int(limits.processCount + WorkerLimits.processCountSpare) + 64
    let tree = ProcessTree.look(under: job.first, countMax: countMax)
    usage.cpuMs = max(usage.cpuMs, tree.cpuMs)
    usage.processCountMax = max(usage.processCountMax, tree.threadCount)
    if tree.threadCount > limits.processCount { stop(.processes) }
    if tree.cpuMs >= limits.cpuSeconds * 1000 { stop(.cpuTime) }
    if tree.residentKiB > limits.memoryMiB << 10 {
      let exact = tree.privateKiB()
      usage.residentMaxKiB = max(usage.residentMaxKiB, exact)
      if exact > limits.memoryMiB << 10 { stop(.memory) }
    } else {
      usage.residentMaxKiB = max(usage.residentMaxKiB, tree.residentKiB)
    }
    if groups?.ranOutOfMemory == true { stop(.memory) }
    if groups?.ranOutOfProcesses == true { stop(.processes) }
    if try diskIsFull() { stop(.disk) }
    if SystemCall.nowMicros - startMicros >= Int64(limits.wallSeconds) * 1_000_000 { ask(.wallTime) }
  }

  private func diskIsFull() throws(WorkerFault) -> Bool {
    var scratchBytes: UInt64 = 0
    for directory in job.scratch {
      let room = try SystemCall.room(of: directory)
      scratchBytes += room.used_bytes
      if room.files_used > WorkerLimits.jobFileCountMax { return true }
    }
    let out = try SystemCall.room(of: job.out)
    return scratchBytes >= limits.diskMiB << 20 || out.used_bytes >= out.size_bytes
      || out.files_used > WorkerLimits.jobFileCountMax
  }

  // MARK: The end

  /// SIGTERM to all of the job's processes, SIGKILL after the grace.
  private mutating func ask(_ why: SandboxReason) {
    guard reason == nil else { return }
    reason = why
    killAtMicros = SystemCall.nowMicros + WorkerLimits.graceMicros
    let countMax = Int(limits.processCount + WorkerLimits.processCountSpare)
    ProcessTree.look(under: job.first, countMax: countMax).terminate(namespaceOf: job.first)
  }

  /// SIGKILL at once.
  private mutating func stop(_ why: SandboxReason) {
    if reason == nil { reason = why }
    killAtMicros = 0
    job.kill()
  }

  private mutating func killWhenDue() {
    guard let killAtMicros, SystemCall.nowMicros >= killAtMicros else { return }
    job.kill()
  }

  /// Takes the supervisor's result and the usage of everything that ran. Returns bubblewrap's wait status.
  private mutating func reap(_ launch: SandboxLaunch) throws(WorkerFault) -> Int32 {
    var used = worker_usage()
    // Safe: `used` is ours for the call.
    try SystemCall.check(unsafe worker_wait(launch.supervisor, &used), "wait4", "".utf8)
    let bytes = try SystemCall.readFull(launch.result.number, count: 8)
    guard bytes.count == 8 else {
      // Somebody killed the supervisor; the kernel ends the job with it, and we wait for that ourselves.
      job.kill()
      var watched = [job.firstHandle.number]
      // Safe: one descriptor in the array.
      while unsafe worker_poll(&watched, 1, 1000) == 0 { job.kill() }
      return SIGKILL
    }
    let word = { (at: Int) -> Int32 in
      Int32(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) })
    }
    // Processes that the kernel ends with their namespace are reaped by nobody: what was sampled stands for them.
    usage.cpuMs = max(usage.cpuMs, UInt64(max(0, used.user_micros + used.system_micros)) / 1000)
    // fork gave the supervisor our own size; only what exceeds that is surely the job's.
    if used.resident_max_kib > Int64(word(4)) + 1024 {
      usage.residentMaxKiB = max(usage.residentMaxKiB, UInt64(used.resident_max_kib))
    }
    return word(0)
  }

  private func finalReason(bubblewrap status: Int32) throws(WorkerFault) -> SandboxReason {
    if let reason { return reason }
    let ended: SandboxReason
    if let code = SandboxStatus.number(after: "exit-code", in: statusText) {
      ended = code > 128 && code <= 192 ? .signal(code - 128) : .exited(code)
    } else if status & 0x7f != 0 {
      ended = .signal(status & 0x7f)
    } else {
      // bubblewrap could not exec: shells answer 127, and its words are on standard error.
      ended = .exited(127)
    }
    if ended == .exited(0) { return ended }
    if groups?.ranOutOfMemory == true { return .memory }
    if usage.residentMaxKiB >= limits.memoryMiB << 10 { return .memory }
    if ended == .signal(SIGXCPU) || usage.cpuMs >= limits.cpuSeconds * 1000 { return .cpuTime }
    if ended == .signal(SIGXFSZ) { return .disk }
    if try diskIsFull() { return .disk }
    if groups?.ranOutOfProcesses == true { return .processes }
    return ended
  }
}
