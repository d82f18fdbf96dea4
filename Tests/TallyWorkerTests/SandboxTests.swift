// The layout and identity that a job sees, and how ordinary jobs end.

import Glibc
import TallyWorker
import Testing

@Suite(.serialized) struct SandboxTests {
  @Test func a_job_sees_the_layout_that_the_design_promises() throws {
    let bench = try Bench.shared()
    guard bench.canRun("SandboxTests") else { return }
    print("self-test: \(bench.test)")
    let script = """
      id -u; id -g; uname -n; pwd; echo $HOME $LC_ALL $TZ $SOURCE_DATE_EPOCH $TALLY_INDEX $EXTRA; nproc
      for d in / /in /usr /dev /bin; do touch $d/x 2>/dev/null && echo writable $d; done
      for d in /build /out /tmp /dev/shm; do touch $d/x || echo read-only $d; done
      cat /in/a/b.txt; ls /in; ls -l /proc/self/fd | wc -l; cat /proc/1/comm; umask
      """
    let scratch = try Scratch("layout")
    let input = scratch.path + "/input"
    #expect(machine(["/bin/sh", "-c", "echo hello > \(input) && chmod 644 \(input)"]) != nil)
    let ran = try bench.run(script) { spec in
      spec.inputs = [SandboxInput(at: "a/b.txt", path: input)]
      spec.index = 7
      spec.environment = [(name: "EXTRA", value: "more words")]
      spec.processors = [0]
    }
    let expected = """
      1000
      1000
      tally
      /build
      /build C.UTF-8 UTC 315532800 7 more words
      1
      hello
      a
      5
      bwrap
      0022

      """
    #expect(ran.output == expected)
    #expect(ran.error == "")
    #expect(ran.reason == .exited(0))
  }

  @Test(arguments: [0, 1, 3, 127, 255]) func an_exit_code_is_the_jobs_own(code: Int32) throws {
    let bench = try Bench.shared()
    guard bench.canRun("SandboxTests") else { return }
    #expect(try bench.run("exit \(code)").reason == .exited(code))
  }
}
