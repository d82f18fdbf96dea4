// Jobs that mean harm: each ends for a typed reason, and nothing of it is left.

import CWorker
import Glibc
import Testing

@testable import TallyWorker

@Suite(.serialized) struct HostileJobTests {
  /// Runs `script` with a marker in its command line, and asserts that nothing of it is left afterwards.
  private func run(
    _ bench: Bench, _ script: String, change: (inout SandboxSpec) -> Void = { _ in },
    shouldStop: () -> StopReason? = { nil }
  ) throws -> Ran {
    let marker = "tally-marker-\(worker_now_micros())"
    let mounts = machine(["/bin/cat", "/proc/self/mountinfo"])
    let files = machine(["/usr/bin/find", bench.scratch.path])
    var spec = bench.spec(": \(marker); \(script)")
    change(&spec)
    let ran = try bench.run(spec, shouldStop: shouldStop)
    #expect(processes(marked: marker) == [])
    #expect(machine(["/bin/cat", "/proc/self/mountinfo"]) == mounts)
    #expect(machine(["/usr/bin/find", bench.scratch.path]) == files)
    return ran
  }

  /// nil, said aloud, when the compiled jobs cannot be had.
  private func hostileBench() throws -> Bench? {
    let bench = try Bench.shared()
    guard bench.canRun("HostileJobTests") else { return nil }
    if !bench.hasHostile { print("SKIP HostileJobTests: no C compiler or static libc for Fixtures/jobs/hostile.c") }
    return bench.hasHostile ? bench : nil
  }

  @Test func the_hosts_files_are_not_there() throws {
    let bench = try Bench.shared()
    guard bench.canRun("HostileJobTests") else { return }
    let ran = try run(bench, "cat /etc/shadow || cat /root/.ssh/id_ed25519 || cat /proc/1/root/etc/shadow")
    #expect(ran.reason == .exited(1))
    #expect(ran.output == "")
    #expect(ran.error.contains("No such file"))
  }

  @Test func no_way_out_is_open() throws {
    guard let bench = try hostileBench() else { return }
    let ran = try run(bench, "exec hostile escape")
    #expect(ran.reason == .exited(0), "\(ran.output)")
    #expect(ran.output.contains("connect Network is unreachable"))
    #expect(ran.output.contains("memfd Function not implemented"))
  }

  @Test(arguments: ["fork", "threads"]) func endless_processes(way: String) throws {
    guard let bench = try hostileBench() else { return }
    let ran = try run(bench, "exec hostile \(way)")
    #expect(ran.reason == .processes)
    let most = 32 + WorkerLimits.processCountSpare
    #expect(ran.outcome.usage.processCountMax > 32 && ran.outcome.usage.processCountMax <= most)
  }

  @Test func a_fork_bomb_of_the_shell() throws {
    let bench = try Bench.shared()
    guard bench.canRun("HostileJobTests") else { return }
    #expect(try run(bench, "bomb() { while :; do bomb & done; }; bomb & exec sleep 20").reason == .processes)
  }

  @Test(arguments: ["/build", "/tmp", "/dev/shm", "/out"]) func ten_gigabytes(place: String) throws {
    let bench = try Bench.shared()
    guard bench.canRun("HostileJobTests") else { return }
    #expect(try run(bench, "head -c 10G /dev/zero > \(place)/file").reason == .disk)
  }

  @Test(arguments: ["sparse", "empty-files"]) func disk_without_bytes(way: String) throws {
    guard let bench = try hostileBench() else { return }
    #expect(try run(bench, "exec hostile \(way)").reason == .disk)
  }

  @Test(arguments: ["memory", "shared", "children"]) func sixty_four_gigabytes_of_memory(way: String) throws {
    guard let bench = try hostileBench() else { return }
    let ran = try run(bench, "exec hostile \(way)")
    #expect(ran.reason == .memory)
    #expect(ran.outcome.usage.residentMaxKiB <= (2 * 128 << 10) + (WorkerLimits.addressSpaceSpareBytes >> 10))
  }

  @Test func memory_through_a_pipe() throws {
    let bench = try Bench.shared()
    guard bench.canRun("HostileJobTests") else { return }
    #expect(try run(bench, "head -c 64G /dev/zero | tail -n 1").reason == .memory)
  }

  @Test func a_deaf_job_is_killed_after_the_grace() throws {
    guard let bench = try hostileBench() else { return }
    let ran = try run(bench, "exec hostile stubborn") { $0.limits.wallSeconds = 1 }
    #expect(ran.reason == .wallTime)
    #expect(ran.output == "ready\n")
    #expect(Int64(ran.outcome.usage.wallMs) >= 1000 + WorkerLimits.graceMicros / 1000)
  }

  @Test func a_job_may_tidy_up_when_its_time_is_over() throws {
    let bench = try Bench.shared()
    guard bench.canRun("HostileJobTests") else { return }
    let ran = try run(bench, "trap 'echo bye; exit 3' TERM; while :; do sleep 0.05; done") { $0.limits.wallSeconds = 1 }
    #expect(ran.reason == .wallTime)
    #expect(ran.output == "bye\n")
  }

  @Test func endless_output() throws {
    let bench = try Bench.shared()
    guard bench.canRun("HostileJobTests") else { return }
    let ran = try run(bench, "while :; do echo yes; done | cat; :") { $0.limits.outputMiB = 1 }
    #expect(ran.reason == .output)
    #expect(ran.output.utf8.count == 1 << 20)
    let both = try run(bench, "cat /dev/zero >&2")
    #expect(both.reason == .output)
    #expect(both.error.utf8.count == 4 << 20)
  }

  @Test func endless_computing() throws {
    guard let bench = try hostileBench() else { return }
    let alone = try run(bench, "exec hostile spin") { $0.limits.cpuSeconds = 1 }
    #expect(alone.reason == .cpuTime)
    #expect(alone.outcome.usage.cpuMs >= 900 && alone.outcome.usage.cpuMs < 3000)
    let two = try run(bench, "hostile spin & hostile spin") { $0.limits.cpuSeconds = 1 }
    #expect(two.reason == .cpuTime)
  }

  @Test func children_left_in_the_background_end_with_the_job() throws {
    let bench = try Bench.shared()
    guard bench.canRun("HostileJobTests") else { return }
    let ran = try run(bench, "(trap '' TERM HUP; sleep 600) & sleep 600 > /dev/null 2>&1 & echo done")
    #expect(ran.reason == .exited(0))
    #expect(ran.output == "done\n")
  }

  @Test func a_signal_from_inside_is_told_as_such() throws {
    let bench = try Bench.shared()
    guard bench.canRun("HostileJobTests") else { return }
    #expect(try run(bench, "kill -SEGV $$").reason == .signal(SIGSEGV))
    #expect(try run(bench, "kill -KILL $$").reason == .signal(SIGKILL))
  }

  @Test func whoever_asks_can_stop_a_job() throws {
    let bench = try Bench.shared()
    guard bench.canRun("HostileJobTests") else { return }
    var turns = 0
    let ran = try run(bench, "sleep 600 & sleep 600") {
      _ in
    } shouldStop: {
      turns += 1
      return turns > 3 ? .cancelled : nil
    }
    #expect(ran.reason == .cancelled(.cancelled))
  }

  @Test func the_job_ends_when_its_supervisor_is_killed() throws {
    let bench = try Bench.shared()
    guard bench.canRun("HostileJobTests") else { return }
    let sleeping = "sleep 61\(getpid())"
    var killed = false
    let ran = try run(bench, "\(sleeping); :") {
      _ in
    } shouldStop: {
      if killed { return nil }
      killed = true
      // The first is bubblewrap; its parent is the supervisor, which has our own command line.
      for process in processes(marked: sleeping).prefix(1) { _ = kill(parent(of: process), SIGKILL) }
      return nil
    }
    #expect(ran.reason == .signal(SIGKILL))
  }

  private func parent(of process: Int32) -> Int32 {
    let stat = machine(["/bin/cat", "/proc/\(process)/stat"]) ?? []
    let fields = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
    return fields.count > 1 ? Int32(fields[1]) ?? -1 : -1
  }

  @Test func control_groups_hold_too_where_they_may_be_made() throws {
    guard let groups = ControlGroups.prepare(owner: JobUser.forRoot()) else {
      print("SKIP control groups: no hierarchy here is ours or delegated to us")
      return
    }
    defer { groups.remove() }
    let bench = try Bench(groups: groups)
    guard bench.canRun("HostileJobTests"), bench.hasHostile else { return }
    #expect(bench.test.limitsBy.groupVersion == groups.version)
    print("control groups: \(bench.test.limitsBy)")
    if groups.controllers.contains("pids") {
      #expect(try run(bench, "exec hostile fork").reason == .processes)
      // Too quick for any sampling: only the group can tell.
      #expect(try run(bench, "exec hostile threads") { $0.limits.processCount = 1 }.reason == .processes)
    }
    if groups.controllers.contains("memory") {
      #expect(try run(bench, "exec hostile memory").reason == .memory)
    } else {
      print("SKIP memory control group: the group that this process is in is somebody else's")
    }
    for directory in groups.directories {
      #expect(throws: WorkerFault.self, "the last job took the worker's group with it") {
        _ = try SystemCall.openDirectory(path: directory)
      }
    }
  }
}
