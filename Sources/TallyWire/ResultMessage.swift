// Owns: the layout of RESULT (0x45).
// Refuses to know: leases, timers, sandboxes. Travels on a TCP link, sealed by the session. DESIGN section 10.
import TallyBase

/// The words beside a `work.claim`: the manifest that its digest hides, and where the files are.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 36 | task |
/// | 36 | 2 | attempt u16, from 1 |
/// | 38 | 8 | index of `work.claim` in the worker's feed u64 |
/// | 46 | 32 + 8 | content ID and size of stdout |
/// | 86 | 32 + 8 | content ID and size of stderr |
/// | 126 | 2+n | manifest text, counted by u16, ≤ 24 KiB |
/// | … | 2+n | tree text of /out, counted by u16, ≤ 32 KiB |
public struct ResultMessage: Hashable, Sendable {
  public var task: TaskID
  public var attempt: UInt16
  public var claimIndex: UInt64
  public var stdout: BlobReference
  public var stderr: BlobReference
  public var manifest: [UInt8]
  public var tree: [UInt8]

  public init(
    task: TaskID, attempt: UInt16, claimIndex: UInt64, stdout: BlobReference, stderr: BlobReference,
    manifest: [UInt8], tree: [UInt8]
  ) {
    self.task = task
    self.attempt = attempt
    self.claimIndex = claimIndex
    self.stdout = stdout
    self.stderr = stderr
    self.manifest = manifest
    self.tree = tree
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    task = try TaskID(from: &reader)
    attempt = try reader.u16()
    claimIndex = try reader.u64()
    stdout = try BlobReference(from: &reader)
    stderr = try BlobReference(from: &reader)
    manifest = try Self.counted(&reader, "result.manifest", limit: ExchangeWireLimits.manifestSizeMax)
    tree = try Self.counted(&reader, "result.tree", limit: ExchangeWireLimits.treeSizeMax)
    try reader.finish()
  }

  private static func counted(
    _ reader: inout ByteReader, _ field: StaticStringName, limit: Int
  ) throws(DecodeError) -> [UInt8] {
    let count = Int(try reader.u16())
    guard count <= limit else { throw .aboveLimit(field: field, value: count, limit: limit) }
    return try reader.take(count)
  }

  public var message: [UInt8] {
    var writer = ByteWriter(capacity: 140 + manifest.count + tree.count)
    writer.u8(MessageType.result.rawValue)
    task.write(to: &writer)
    writer.u16(attempt)
    writer.u64(claimIndex)
    stdout.write(to: &writer)
    stderr.write(to: &writer)
    writer.counted16(manifest)
    writer.counted16(tree)
    return writer.bytes
  }
}
