// Owns: from what a person types to a work and its terms. Refuses to know: who will run it. DESIGN section 10.
import ArgumentParser
import FoundationEssentials
import TallyAdmin
import TallyBase
import TallyWire
import TallyWork
import TallyWorker

struct JobOptions: ParsableArguments {
  @Option(help: "The file system that the command runs in: a directory, or a tar archive.")
  var root: String
  @Option(name: .customLong("in"), help: "A file or directory; appears as /in/NAME. As AT=PATH it appears as /in/AT.")
  var inputs: [String] = []
  @Option(help: "A file for standard input; - for ours.")
  var stdin: String?
  @Option(help: "A variable for the command, NAME=VALUE.")
  var env: [String] = []
  @Option(help: "Cores that the command uses.")
  var cores: UInt64 = 1
  @Option(help: "Seconds of processor time, at most.")
  var cpu: UInt32?
  @Option(help: "Seconds, at most.")
  var wall: UInt32?
  @Option(help: "MiB of memory, at most.")
  var mem: UInt32?
  @Option(help: "MiB below /build and /tmp, at most.")
  var disk: UInt32?
  @Option(help: "MiB of results, at most.")
  var outMb: UInt32?
  @Option(help: "Processes, at most.")
  var procs: UInt16?
  @Flag(name: .customLong("public"), help: "Everybody may see and keep work and results.")
  var isPublic = false
  @Flag(help: "You accept or refuse the result yourself.")
  var hold = false
  @Flag(help: "This host's own worker may run it.")
  var local = false
  @Argument(parsing: .postTerminator, help: "The command, behind --.")
  var command: [String] = []

  func validate() throws {
    if command.isEmpty { throw ValidationError("the command is missing: tally run --root DIR -- COMMAND…") }
  }
}

enum JobBuild {
  /// Sends everything the work needs to the daemon and gives what is to be posted.
  static func make(_ options: JobOptions, _ client: AdminClient) throws(ClientError) -> PostParams {
    let root = try JobFiles.tree(options.root, purpose: .root, client)
    if root.skipped > 0 { Output.note("\(root.skipped) devices, pipes or sockets of \(options.root) were left out") }
    var spec = WorkSpec(
      run: options.command, root: .tree(root.reference.id, arch: TaskRunner.architecture, recipe: nil),
      cores: options.cores)
    do throws(WorkSpecError) {
      for text in options.env { try spec.addVariable(text) }
      for text in options.inputs { try add(text, to: &spec, client) }
      if let path = options.stdin { spec.stdin = try stdin(path, client) }
      var params = PostParams(work: String(decoding: try spec.canonicalBytes(), as: UTF8.self))
      params.cpuS = options.cpu
      params.wallS = options.wall
      params.memMb = options.mem
      params.diskMb = options.disk
      params.outMb = options.outMb
      params.procs = options.procs
      params.isPublic = options.isPublic
      params.hold = options.hold
      params.local = options.local
      return params
    } catch {
      throw ClientError(.usage, "\(error.field): \(error.problem)", fix: error.fix)
    }
  }

  private static func stdin(_ path: String, _ client: AdminClient) throws(WorkSpecError) -> ContentID {
    do throws(ClientError) { return try JobFiles.file(path, client).0.id } catch { throw wrap("stdin", error) }
  }

  private static func wrap(_ field: String, _ error: ClientError) -> WorkSpecError {
    WorkSpecError(field: field, problem: error.what, fix: error.fix.isEmpty ? error.why : error.fix)
  }

  private static func add(_ text: String, to spec: inout WorkSpec, _ client: AdminClient) throws(WorkSpecError) {
    var path = text
    var place = text.split(separator: "/").last.map(String.init) ?? text
    if !PosixFile.exists(text), let split = text.firstIndex(of: "=") {
      place = String(text[..<split])
      path = String(text[text.index(after: split)...])
    }
    let content: WorkInput.Content
    do throws(ClientError) {
      if try JobFiles.isDirectory(path) {
        content = .tree(try JobFiles.tree(path, purpose: .input, client).reference.id)
      } else {
        let (reference, sha256) = try JobFiles.file(path, client)
        content = .file(reference.id, sha256: sha256)
      }
    } catch { throw wrap("in", error) }
    try spec.addInput(at: place, content)
  }
}
