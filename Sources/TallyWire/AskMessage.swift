// Owns: the layout of ASK (0x40).
// Refuses to know: leases, timers, sandboxes. Travels on a TCP link, sealed by the session. DESIGN section 10.
import TallyBase

/// What a task needs of a host, without what it is.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 8 | ask number u64, the asker's own |
/// | 8 | 36 | task |
/// | 44 | 1 | architecture: 1 x86-64, 2 aarch64 |
/// | 45 | 1 | sandbox: 1 native, 2 WASM |
/// | 46 | 2 | cores u16 |
/// | 48 | 4 | memory MiB u32 |
/// | 52 | 4 | disk MiB u32 |
/// | 56 | 4 | wall seconds u32 |
public struct AskMessage: Hashable, Sendable {
  public var ask: UInt64
  public var task: TaskID
  public var architecture: UInt8
  public var sandbox: UInt8
  public var cores: UInt16
  public var memoryMiB: UInt32
  public var diskMiB: UInt32
  public var wallSeconds: UInt32

  public init(
    ask: UInt64, task: TaskID, architecture: UInt8, sandbox: UInt8, cores: UInt16, memoryMiB: UInt32, diskMiB: UInt32,
    wallSeconds: UInt32
  ) {
    self.ask = ask
    self.task = task
    self.architecture = architecture
    self.sandbox = sandbox
    self.cores = cores
    self.memoryMiB = memoryMiB
    self.diskMiB = diskMiB
    self.wallSeconds = wallSeconds
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    ask = try reader.u64()
    task = try TaskID(from: &reader)
    architecture = try reader.u8()
    sandbox = try reader.u8()
    guard (1...2).contains(sandbox) else { throw .unknown(field: "ask.sandbox", value: Int(sandbox)) }
    cores = try reader.u16()
    memoryMiB = try reader.u32()
    diskMiB = try reader.u32()
    wallSeconds = try reader.u32()
    try reader.finish()
  }

  /// The whole message, type byte included.
  public var message: [UInt8] {
    var writer = ByteWriter(capacity: 64)
    writer.u8(MessageType.ask.rawValue)
    writer.u64(ask)
    task.write(to: &writer)
    writer.u8(architecture)
    writer.u8(sandbox)
    writer.u16(cores)
    writer.u32(memoryMiB)
    writer.u32(diskMiB)
    writer.u32(wallSeconds)
    return writer.bytes
  }
}
