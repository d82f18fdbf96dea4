// A task from its blobs to a claim, with the real sandbox.

import CWorker
import Glibc
import TallyBase
import TallyCrypto
import TallyWire
import TallyWork
import Testing

@testable import TallyWorker

@Suite(.serialized) struct TaskRunnerTests {
  final class Heard: TaskReport {
    var output: [UInt8] = []
    func output(_ stream: OutputStream, _ bytes: [UInt8]) { if stream == .output { output += bytes } }
    func shouldStop() -> StopReason? { nil }
  }

  /// A runner with the bench's root as a blob.
  private func prepare(_ bench: Bench, _ scratch: Scratch) throws -> (TaskRunner, MemoryBlobs, WorkSpec) {
    var builder = TreeBuilder(purpose: .root, sink: MemoryBlobs())
    try builder.add(directory: bench.root)
    let (_, root) = try builder.finish()
    for name in ["roots", "scratch"] { _ = try Folders.make(scratch.path + "/" + name) }
    let cache = try RootCache(directory: scratch.path + "/roots", bytesMax: 1 << 30)
    let runner = TaskRunner(sandbox: bench.sandbox, roots: cache, scratch: scratch.path + "/scratch")
    let work = WorkSpec(run: ["sh"], root: .tree(root.id, arch: TaskRunner.architecture, recipe: nil))
    return (runner, builder.sink, work)
  }

  private func task(_ work: WorkSpec, index: UInt32 = 0) throws -> WorkerTask {
    let resources = JobResources(
      cpuSeconds: 10, wallSeconds: 20, memoryMebibytes: 128, diskMebibytes: 16, outputMebibytes: 4, processes: 32)
    return WorkerTask(work: work, workHash: try work.workHash(), index: index, resources: resources)
  }

  private func finished(_ result: TaskResult) throws -> TaskOutput {
    guard case .finished(let output) = result.ending else {
      Issue.record("\(result.ending)")
      throw WorkerFault.blob(why: "not finished")
    }
    return output
  }

  @Test func word_frequencies_as_the_demo_counts_them() throws {
    let bench = try Bench.shared()
    guard bench.canRun("TaskRunnerTests") else { return }
    let scratch = try Scratch("task")
    var (runner, blobs, work) = try prepare(bench, scratch)
    let text = Array("the cat and the dog and the end\n".utf8)
    let input = blobs.put(text)
    let script = "tr ' ' '\\n' | LC_ALL=C sort | uniq -c | LC_ALL=C sort -rn"
    work.run = ["sh", "-c", "(\(script)) < /in/text > /out/counts; cat /out/counts"]
    work.inputs = [WorkInput(at: "text", content: .file(input.id, sha256: SHA256Hash.hash(text)))]
    let heard = Heard()
    let result = runner.run(try task(work, index: 3), blobs: &blobs, report: heard)
    let output = try finished(result)
    let counts = machine(["/bin/sh", "-c", "echo the cat and the dog and the end | (\(script))"])
    #expect(heard.output == counts)
    #expect(blobs.blobs[output.standardOutput.id] == heard.output)
    let manifest = try Manifest.parse(output.manifest)
    #expect(manifest.index == 3 && manifest.exit == 0)
    #expect(manifest.files.map(\.sha256) == [SHA256Hash.hash(heard.output)])
    #expect(result.units <= 10 && result.bytesFetched > 0)
    let claim = result.claim(salt: .zero)
    #expect(claim?.digest == Manifest.digest(salt: .zero, text: output.manifest))
    #expect(try TreeUnpacker.fetch(output.treeReference.id, from: &blobs).lines.count == 1)
    #expect(try SystemCall.names(in: SystemCall.openDirectory(path: runner.scratch)) == [], "nothing is left")
  }

  @Test func every_name_and_kind_in_out_is_told_and_nothing_leads_out() throws {
    let bench = try Bench.shared()
    guard bench.canRun("TaskRunnerTests") else { return }
    let scratch = try Scratch("task")
    var (runner, blobs, work) = try prepare(bench, scratch)
    let script = """
      cd /out; mkdir -p d/e locked; echo a > 'new
      line'; echo b > 'back\\slash'; echo c > d/run; chmod 755 d/run; echo s > locked/secret
      chmod 0 locked/secret locked
      ln -s /etc/shadow shadow; ln -s d dir-link; chmod 0 /out; exit 7
      """
    work.run = ["sh", "-c", script]
    let output = try finished(runner.run(try task(work), blobs: &blobs, report: NoReport()))
    #expect(output.exit == 7)
    let manifest = try Manifest.parse(output.manifest)
    let paths = manifest.files.map { String(decoding: $0.path, as: UTF8.self) }
    #expect(paths == ["back\\slash", "d/run", "locked/secret", "new\nline"])
    #expect(manifest.files.map(\.isExecutable) == [false, true, false, false])
    #expect(manifest.links.map { String(decoding: $0.target, as: UTF8.self) } == ["d", "/etc/shadow"])
    #expect(manifest.directories.map { String(decoding: $0, as: UTF8.self) } == ["d", "d/e", "locked"])
    // The manifest is what sha256sum reads: checked by it, in a copy of the output.
    let copy = scratch.path + "/copy"
    let unpacker = TreeUnpacker(epoch: 0)
    let tree = try TreeUnpacker.fetch(output.treeReference.id, from: &blobs)
    try unpacker.unpack(tree, purpose: .input, at: copy, from: &blobs)
    let place = try SystemCall.openDirectory(path: scratch.path)
    let sums = try Folders.create(Array("SUMS".utf8), mode: 0o644, in: place)
    try SystemCall.write(output.manifest, to: sums.number, path: "SUMS")
    #expect(machine(["/bin/sh", "-c", "cd '\(copy)' && sha256sum --strict -c ../SUMS"]) != nil)
  }

  @Test func an_empty_out_says_so() throws {
    let bench = try Bench.shared()
    guard bench.canRun("TaskRunnerTests") else { return }
    let scratch = try Scratch("task")
    var (runner, blobs, work) = try prepare(bench, scratch)
    work.run = ["true"]
    let output = try finished(runner.run(try task(work), blobs: &blobs, report: NoReport()))
    #expect(output.summary == "no files")
    #expect(try Manifest.parse(output.manifest).isEmpty)
    #expect(output.standardOutput.size == 0)
  }

  @Test func failures_have_a_reason_each() throws {
    let bench = try Bench.shared()
    guard bench.canRun("TaskRunnerTests") else { return }
    let scratch = try Scratch("task")
    var (runner, blobs, work) = try prepare(bench, scratch)
    let missing = ContentID(raw: Bytes32(word0: 9, word1: 9, word2: 9, word3: 9))
    func reason(_ work: WorkSpec) throws -> FailReason? {
      runner.run(try task(work), blobs: &blobs, report: NoReport()).failure()?.reason
    }
    var other = work
    other.root = .tree(missing, arch: TaskRunner.architecture, recipe: nil)
    #expect(try reason(other) == .rootUnavailable)
    other.root = .tree(missing, arch: "riscv64", recipe: nil)
    #expect(try reason(other) == .refused)
    other.root = .wasm(missing)
    #expect(try reason(other) == .refused)
    other = work
    other.stdin = missing
    #expect(try reason(other) == .blobUnavailable)
    other = work
    other.inputs = [WorkInput(at: "a", content: .tree(missing))]
    #expect(try reason(other) == .blobUnavailable)
    other = work
    other.run = ["sh", "-c", "head -c 10G /dev/zero > big"]
    #expect(try reason(other) == .disk)
    other.run = ["sh", "-c", "cat /dev/zero"]
    #expect(try reason(other) == .output)
    #expect(try SystemCall.names(in: SystemCall.openDirectory(path: runner.scratch)) == [])
    work.run = ["not-a-command"]
    #expect(try finished(runner.run(try task(work), blobs: &blobs, report: NoReport())).exit == 127)
  }

  @Test func standard_input_and_an_input_tree_arrive_read_only_and_dated() throws {
    let bench = try Bench.shared()
    guard bench.canRun("TaskRunnerTests") else { return }
    let scratch = try Scratch("task")
    var (runner, blobs, work) = try prepare(bench, scratch)
    let words = blobs.put(Array("from stdin\n".utf8))
    let file = blobs.put(Array("from tree\n".utf8))
    let tree = Tree(lines: [
      Tree.Line(path: Array("d".utf8), node: .directory),
      Tree.Line(path: Array("d/f".utf8), node: .file(file.id, size: file.size, isExecutable: false)),
    ])
    work.stdin = words.id
    work.inputs = [WorkInput(at: "src", content: .tree(blobs.put(try tree.text()).id))]
    work.environment = ["B": "2", "A": "1"]
    let script = """
      cat; cat /in/src/d/f; stat -c %Y /in/src /in/src/d/f /
      (echo > /in/src/d/f) 2> /dev/null || echo kept; echo $A$B
      """
    work.run = ["sh", "-c", script]
    let output = try finished(runner.run(try task(work), blobs: &blobs, report: NoReport()))
    let said = String(decoding: blobs.blobs[output.standardOutput.id] ?? [], as: UTF8.self)
    #expect(said == "from stdin\nfrom tree\n315532800\n315532800\n315532800\nkept\n12\n")
  }
}
