// Owns: control groups for jobs, version 2 else version 1 `pids` and `memory`. Refuses to know: what a job is.
// systemd's rule of one writer holds: groups are made only at the root of a hierarchy, or beneath a group that is
// delegated to us (owned by our user, or marked by `user.delegate`), never within somebody else's.

import CWorker
import Glibc

/// A place in the control group file system where this worker may make groups.
public struct ControlGroups: Hashable, Sendable {
  public let version: Int
  /// One directory of ours per controller; one for all in version 2.
  public let directories: [String]
  public let controllers: [String]

  /// Makes this worker's own group, and hands it to `owner` when there is one. nil when none may be made: the
  /// rlimits hold alone then, and `LimitsBy` says so.
  public static func prepare(owner: JobUser?) -> ControlGroups? {
    let places = GroupPlaces.read()
    return prepareSecond(places, owner: owner) ?? prepareFirst(places, owner: owner)
  }

  private static func prepareSecond(_ places: GroupPlaces, owner: JobUser?) -> ControlGroups? {
    guard let base = places.unified, places.isOurs(base) else { return nil }
    let offered = GroupFile.words(base.directory + "/cgroup.controllers")
    let wanted = ["memory", "pids"].filter { offered.contains($0) }
    guard !wanted.isEmpty else { return nil }
    sweep(base.directory)
    let own = base.directory + "/tally-\(getpid())"
    let enable = wanted.map { "+" + $0 }.joined(separator: " ")
    if base.group != "/" {
      // A group with processes of its own may not have limited children: the worker moves into a leaf.
      let leaf = base.directory + "/tally-worker"
      guard GroupFile.make(leaf), GroupFile.write("0", to: leaf + "/cgroup.procs") else { return nil }
    }
    guard GroupFile.write(enable, to: base.directory + "/cgroup.subtree_control"), GroupFile.make(own),
      GroupFile.write(enable, to: own + "/cgroup.subtree_control")
    else { return nil }
    GroupFile.handOver(own, ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"], to: owner)
    return ControlGroups(version: 2, directories: [own], controllers: wanted)
  }

  private static func prepareFirst(_ places: GroupPlaces, owner: JobUser?) -> ControlGroups? {
    var directories: [String] = []
    var controllers: [String] = []
    for controller in ["memory", "pids"] {
      guard let base = places.first(controller), places.isOurs(base) else { continue }
      sweep(base.directory)
      let own = base.directory + "/tally-\(getpid())"
      guard GroupFile.make(own) else { continue }
      GroupFile.handOver(own, ["cgroup.procs", "tasks"], to: owner)
      directories.append(own)
      controllers.append(controller)
    }
    if controllers.isEmpty { return nil }
    return ControlGroups(version: 1, directories: directories, controllers: controllers)
  }

  /// Removes the empty groups of workers that ended without doing so.
  private static func sweep(_ base: String) {
    let names: [[UInt8]]
    do { names = try SystemCall.names(in: SystemCall.openDirectory(path: base)) } catch { return }
    for name in names.map({ SystemCall.text($0) }) where name.hasPrefix("tally-") {
      guard let process = Int32(name.dropFirst(6)), kill(process, 0) != 0, errno == ESRCH else { continue }
      GroupFile.remove(base + "/" + name)
    }
  }

  /// Removes what `prepare` made. Call when no job runs.
  public func remove() {
    for directory in directories { GroupFile.remove(directory) }
  }

  /// Makes the groups of one job and sets their limits.
  func makeJob(_ number: Int64, limits: SandboxLimits) throws(WorkerFault) -> JobGroups {
    var made: [String] = []
    for (index, directory) in directories.enumerated() {
      let job = directory + "/job-\(number)"
      guard makeGroup(job, in: directory) else {
        let code = errno
        for earlier in made { GroupFile.remove(earlier) }
        throw .system(call: "mkdir", path: job, code: code)
      }
      made.append(job)
      let mine = version == 2 ? controllers : [controllers[index]]
      for controller in mine { setLimit(controller, of: job, limits) }
    }
    return JobGroups(version: version, directories: made, controllers: controllers)
  }

  /// The worker's own group goes with its last job, so that a worker that is killed leaves none; it is made again here.
  private func makeGroup(_ job: String, in directory: String) -> Bool {
    for _ in 0..<10 {
      if GroupFile.make(job) { return true }
      guard errno == ENOENT, GroupFile.make(directory) else { return false }
      if version == 2 {
        let enable = controllers.map { "+" + $0 }.joined(separator: " ")
        _ = GroupFile.write(enable, to: directory + "/cgroup.subtree_control")
      }
    }
    return false
  }

  private func setLimit(_ controller: String, of job: String, _ limits: SandboxLimits) {
    if controller == "pids" {
      _ = GroupFile.write("\(limits.processCount + WorkerLimits.processCountSpare)", to: job + "/pids.max")
      return
    }
    // A tmpfs is charged to whoever writes to it, so the job's file systems need room in its memory too.
    let bytes = (limits.memoryMiB + 2 * limits.diskMiB + limits.outputMiB + 32) << 20
    if version == 2 {
      _ = GroupFile.write("\(bytes)", to: job + "/memory.max")
      _ = GroupFile.write("0", to: job + "/memory.swap.max")
    } else {
      _ = GroupFile.write("\(bytes)", to: job + "/memory.limit_in_bytes")
      _ = GroupFile.write("\(bytes)", to: job + "/memory.memsw.limit_in_bytes")
    }
  }
}

/// The groups of one running job.
struct JobGroups {
  let version: Int
  let directories: [String]
  let controllers: [String]

  /// The files through which a process enters, open.
  func doors() throws(WorkerFault) -> [Descriptor] {
    var doors: [Descriptor] = []
    for directory in directories { doors.append(try SystemCall.openControl(path: directory + "/cgroup.procs")) }
    return doors
  }

  /// True when the kernel killed for memory.
  var ranOutOfMemory: Bool {
    directories.contains { directory in
      let file = version == 2 ? "/memory.events" : "/memory.oom_control"
      return GroupFile.value("oom_kill", in: directory + file) > 0
    }
  }

  /// True when the kernel refused a process.
  var ranOutOfProcesses: Bool {
    directories.contains { GroupFile.value("max", in: $0 + "/pids.events") > 0 }
  }

  /// A group is busy for a moment after its last process was reaped.
  func remove() {
    for directory in directories {
      for _ in 0..<200 {
        if GroupFile.remove(directory) || errno != EBUSY { break }
        worker_pause_micros(5_000)
      }
      // Busy while another job runs; not ours to remove when root handed it over. Both are well.
      GroupFile.remove(String(directory[..<(directory.lastIndex(of: "/") ?? directory.endIndex)]))
    }
  }
}
