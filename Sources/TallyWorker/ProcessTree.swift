// Owns: what a job's processes use, read from /proc. Refuses to know: limits.
// bubblewrap's init is the reaper of the job's namespace, so every process of the job descends from it.

import CWorker
import Glibc

/// One look at the descendants of a process.
struct ProcessTree {
  /// Kernel process ids of all descendants, the first process itself left out.
  var processes: [Int32] = []
  /// Processes and threads, the first process left out.
  var threadCount: UInt64 = 0
  /// User and system time of all of them and of the children they have waited for.
  var cpuMs: UInt64 = 0
  /// Resident pages of all of them: an upper bound, since shared pages are counted more than once.
  var residentKiB: UInt64 = 0

  private static let ticksPerSecond = UInt64(max(1, sysconf(CInt(_SC_CLK_TCK))))
  private static let pageKiB = UInt64(max(1, sysconf(CInt(_SC_PAGESIZE)))) / 1024

  /// Walks the tree under `first`, at most `countMax` processes of it.
  static func look(under first: Int32, countMax: Int) -> ProcessTree {
    var tree = ProcessTree()
    tree.add(first, isFirst: true)
    var waiting = children(of: first, threadCount: 1)
    while let process = waiting.popLast(), tree.processes.count < countMax {
      let threads = tree.add(process, isFirst: false)
      tree.processes.append(process)
      waiting += children(of: process, threadCount: threads)
    }
    return tree
  }

  @discardableResult
  private mutating func add(_ process: Int32, isFirst: Bool) -> UInt64 {
    guard let stat = SystemCall.contents(ofSmall: "/proc/\(process)/stat"),
      let close = stat.lastIndex(of: UInt8(ascii: ")"))
    else { return 1 }
    // proc(5): after the name in brackets come field 3 and on; 14 to 17 are times, 20 threads, 24 resident pages.
    let fields = stat[(close + 1)...].split(separator: UInt8(ascii: " "))
    guard fields.count > 21 else { return 1 }
    let number = { (field: Int) -> UInt64 in UInt64(SystemCall.text(fields[field - 3])) ?? 0 }
    cpuMs += (number(14) + number(15) + number(16) + number(17)) * 1000 / Self.ticksPerSecond
    if isFirst { return 1 }
    threadCount += number(20)
    residentKiB += number(24) * Self.pageKiB
    return number(20)
  }

  private static func children(of process: Int32, threadCount: UInt64) -> [Int32] {
    var tasks = ["\(process)"]
    if threadCount > 1 {
      do {
        let directory = try SystemCall.openDirectory(path: "/proc/\(process)/task")
        tasks = try SystemCall.names(in: directory).map { SystemCall.text($0) }
      } catch { return [] }
    }
    var found: [Int32] = []
    for task in tasks {
      guard let text = SystemCall.contents(ofSmall: "/proc/\(process)/task/\(task)/children") else { continue }
      found += text.split(separator: UInt8(ascii: " ")).compactMap { Int32(SystemCall.text($0)) }
    }
    return found
  }

  /// KiB of private and shared memory that no file backs, each shared page counted once: exact, but slow to read.
  func privateKiB() -> UInt64 {
    var sum: UInt64 = 0
    for process in processes {
      for line in GroupFile.lines("/proc/\(process)/smaps_rollup") {
        guard line.hasPrefix("Pss_Anon:") || line.hasPrefix("Pss_Shmem:") else { continue }
        sum += line.split(separator: " ").dropFirst().first.flatMap { UInt64($0) } ?? 0
      }
    }
    return sum
  }

  /// SIGTERM to every process that is still a descendant. A number read a moment ago may have been given away:
  /// only those that are in the job's process namespace are signalled.
  func terminate(namespaceOf first: Int32) {
    let home = namespace(of: first)
    for process in processes {
      let number = worker_pidfd_open(process)
      guard number >= 0 else { continue }
      let handle = Descriptor(number)
      guard let home, namespace(of: process) == home else { continue }
      _ = worker_pidfd_signal(handle.number, SIGTERM)
    }
  }

  private func namespace(of process: Int32) -> UInt64? {
    do { return try SystemCall.look(through: "/proc/\(process)/ns/pid").inode } catch { return nil }
  }
}
