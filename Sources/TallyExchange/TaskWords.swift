// Owns: the words that stay beside a finished task: what a receipt reveals, and where the outputs are.
import TallyBase
import TallyWire

/// Kept by the requester until its owner deletes it; what then remains in the log cannot be linked to the work.
///
/// The row: flags u8 (1 public) · post salt 32 · task salt 32 · worker 32 · exit u32 · units u64 · stdout 40 ·
/// stderr 40 · counted work · counted manifest · counted tree.
public struct TaskWords: Hashable, Sendable {
  public let work: [UInt8]
  public let postSalt: Bytes32
  public let taskSalt: Bytes32
  public let isPublic: Bool
  public let outcome: JobOutcome

  public init(work: [UInt8], postSalt: Bytes32, taskSalt: Bytes32, isPublic: Bool, outcome: JobOutcome) {
    self.work = work
    self.postSalt = postSalt
    self.taskSalt = taskSalt
    self.isPublic = isPublic
    self.outcome = outcome
  }

  public init(row: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(row)
    isPublic = try reader.flag("words.public")
    postSalt = try reader.bytes32()
    taskSalt = try reader.bytes32()
    let worker: PublicKey = try reader.named()
    let exit = Int32(bitPattern: try reader.u32())
    let units = try reader.u64()
    let stdout = try BlobReference(from: &reader)
    let stderr = try BlobReference(from: &reader)
    work = try reader.take(Int(try reader.u16()))
    let manifest = try reader.take(Int(try reader.u16()))
    let tree = try reader.take(Int(try reader.u16()))
    try reader.finish()
    outcome = JobOutcome(
      worker: worker, exit: exit, units: units, stdout: stdout, stderr: stderr, manifest: manifest, tree: tree)
  }

  public var row: [UInt8] {
    var writer = ByteWriter(capacity: 256 + work.count + outcome.manifest.count + outcome.tree.count)
    writer.flag(isPublic)
    writer.bytes32(postSalt)
    writer.bytes32(taskSalt)
    writer.named(outcome.worker)
    writer.u32(UInt32(bitPattern: outcome.exit))
    writer.u64(outcome.units)
    outcome.stdout.write(to: &writer)
    outcome.stderr.write(to: &writer)
    writer.counted16(work)
    writer.counted16(outcome.manifest)
    writer.counted16(outcome.tree)
    return writer.bytes
  }
}
