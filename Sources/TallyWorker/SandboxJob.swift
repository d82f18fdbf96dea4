// Owns: a job at bubblewrap's gate: its first process, its writable file systems, its rlimits.

import CWorker
import Glibc

/// The init of a job's process namespace and the file systems that only the job writes to.
struct SandboxJob {
  let first: Int32
  let firstHandle: Descriptor
  let out: Descriptor
  /// /build, /tmp and /dev/shm.
  let scratch: [Descriptor]

  /// Waits until the job's root is in place, then opens what the job will write to. The descriptors keep the file
  /// systems after the job's namespace is gone, and nothing else does.
  init(first: Int32, root: String, deadline: Int64, hasEnded: () -> Bool) throws(WorkerFault) {
    self.first = first
    firstHandle = Descriptor(try SystemCall.check(worker_pidfd_open(first), "pidfd_open", "".utf8))
    (out, scratch) = try Self.writable(of: first, root: root, deadline: deadline, hasEnded: hasEnded)
  }

  private static func writable(
    of first: Int32, root: String, deadline: Int64, hasEnded: () -> Bool
  ) throws(WorkerFault) -> (out: Descriptor, scratch: [Descriptor]) {
    let expected = try SystemCall.look(through: root)
    let path = "/proc/\(first)/root"
    var last = WorkerFault.system(call: "bubblewrap", path: "set-up", code: ETIMEDOUT)
    while SystemCall.nowMicros < deadline {
      if hasEnded() { throw .system(call: "bubblewrap", path: "set-up", code: ECHILD) }
      do {
        let found = try SystemCall.look(through: path)
        if found.device == expected.device, found.inode == expected.inode {
          let top = try SystemCall.openDirectory(path: path)
          let out = try tmpfs("out", in: top)
          let dev = try SystemCall.openDirectory(Array("dev".utf8), in: top)
          return (out, [try tmpfs("build", in: top), try tmpfs("tmp", in: top), try tmpfs("shm", in: dev)])
        }
      } catch {
        last = error
      }
      worker_pause_micros(500)
    }
    throw last
  }

  private static func tmpfs(_ name: String, in directory: Descriptor) throws(WorkerFault) -> Descriptor {
    let opened = try SystemCall.openDirectory(Array(name.utf8), in: directory)
    guard try SystemCall.room(of: opened).is_tmpfs == 1 else {
      throw .unsafeTree(path: "/\(name)", why: "is not the job's own file system")
    }
    return opened
  }

  /// Sets the rlimits of the job's first process, which all others inherit, and marks it as the one to kill when
  /// the machine is out of memory. `user` is whom the job runs as when we are root.
  func limit(_ limits: SandboxLimits, hasMemoryGroup: Bool, user: JobUser?) throws(WorkerFault) {
    var table = worker_limits()
    let file = (max(limits.diskMiB, limits.outputMiB) << 20) + 4096
    // Since Linux 5.14 counted per user namespace: it holds this job alone, not all of its kernel user's processes.
    let processes = limits.processCount + WorkerLimits.processCountSpare
    let space =
      hasMemoryGroup ? UInt64.max : (2 * limits.memoryMiB << 20) + WorkerLimits.addressSpaceSpareBytes
    set(&table, WORKER_LIMIT_CORE, 0, 0)
    set(&table, WORKER_LIMIT_CPU, limits.cpuSeconds + 1, limits.cpuSeconds + 2)
    set(&table, WORKER_LIMIT_FSIZE, file, file)
    set(&table, WORKER_LIMIT_NOFILE, WorkerLimits.jobDescriptorCountMax, WorkerLimits.jobDescriptorCountMax)
    set(&table, WORKER_LIMIT_STACK, WorkerLimits.jobStackBytes, UInt64.max)
    set(&table, WORKER_LIMIT_MEMLOCK, 64 << 10, 64 << 10)
    set(&table, WORKER_LIMIT_NPROC, processes, processes)
    set(&table, WORKER_LIMIT_AS, space, space)
    // Safe: `table` is ours for the call.
    let result = unsafe worker_set_limits(first, &table, user?.user ?? 0, user?.group ?? 0)
    try SystemCall.check(result, "prlimit", "".utf8)
    _ = GroupFile.write("1000", to: "/proc/\(first)/oom_score_adj")
  }

  private func set(_ table: inout worker_limits, _ index: Int, _ soft: UInt64, _ hard: UInt64) {
    precondition((0..<8).contains(index), "no rlimit has the number \(index)")
    // Safe: both arrays have eight values and the index is below eight.
    unsafe withUnsafeMutableBytes(of: &table.soft) {
      unsafe $0.storeBytes(of: soft, toByteOffset: index * 8, as: UInt64.self)
    }
    // Safe: as above.
    unsafe withUnsafeMutableBytes(of: &table.hard) {
      unsafe $0.storeBytes(of: hard, toByteOffset: index * 8, as: UInt64.self)
    }
  }

  /// Ends every process of the job: the kernel kills a namespace with its init.
  func kill() { _ = worker_pidfd_signal(firstHandle.number, SIGKILL) }
}
