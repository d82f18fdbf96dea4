// Owns: how blob bytes come to the worker and leave it, leaf by leaf, and their names (RFC 6962 roots over 64 KiB).
// Refuses to know: sockets, files of the store.

import CWorker
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

/// Where leaves come from: the daemon's store, or a test's memory.
public protocol BlobSource {
  /// Leaf `index` of the blob `id`: 64 KiB, or fewer for the last; empty behind the last. Throws `.blob` when nobody
  /// has it. What comes is checked by whoever asked.
  mutating func leaf(_ id: ContentID, index: UInt64) throws(WorkerFault) -> [UInt8]
}

/// Where leaves go. Leaves of one blob come in order, then `finish`.
public protocol BlobSink {
  mutating func leaf(_ bytes: [UInt8]) throws(WorkerFault)
  /// All leaves since the last `finish` are the blob `reference`.
  mutating func finish(_ reference: BlobReference) throws(WorkerFault)
}

/// A sink that only lets names be computed.
public struct NoSink: BlobSink {
  public init() {}
  public mutating func leaf(_ bytes: [UInt8]) {}
  public mutating func finish(_ reference: BlobReference) {}
}

/// A sink that keeps whole blobs in memory, and gives them back: for tests, and for texts.
public struct MemoryBlobs: BlobSink, BlobSource {
  public private(set) var blobs: [ContentID: [UInt8]] = [:]
  private var open: [UInt8] = []

  public init() {}

  public mutating func leaf(_ bytes: [UInt8]) { open += bytes }

  public mutating func finish(_ reference: BlobReference) {
    blobs[reference.id] = open
    open = []
  }

  public mutating func leaf(_ id: ContentID, index: UInt64) throws(WorkerFault) -> [UInt8] {
    guard let blob = blobs[id] else { throw .blob(why: "nobody has the blob \(id.hex)") }
    let size = BlobLimits.leafSize(index: index, size: UInt64(blob.count))
    let start = Int(index) * BlobLimits.leafSize
    return size == 0 ? [] : Array(blob[start..<(start + size)])
  }

  /// Stores `bytes` as a blob.
  public mutating func put(_ bytes: [UInt8]) -> BlobReference {
    var writer = BlobWriter()
    do { return try writer.whole(bytes, to: &self) } catch { preconditionFailure("memory does not fail: \(error)") }
  }
}

/// Cuts a stream into leaves, names it, and hashes it whole as sha256sum does.
public struct BlobWriter {
  private var frontier = MerkleFrontier()
  private var pending: [UInt8] = []
  private var state = worker_sha256()
  /// Bytes so far.
  public private(set) var size: UInt64 = 0

  public init() {
    // Safe: `state` is ours.
    unsafe worker_sha256_begin(&state)
  }

  public mutating func add(_ bytes: [UInt8], to sink: inout some BlobSink) throws(WorkerFault) {
    // Safe: `bytes.count` bytes to read.
    unsafe worker_sha256_add(&state, bytes, bytes.count)
    size += UInt64(bytes.count)
    var start = 0
    while pending.count + bytes.count - start >= BlobLimits.leafSize {
      let end = start + BlobLimits.leafSize - pending.count
      let leaf = pending + bytes[start..<end]
      pending.removeAll(keepingCapacity: true)
      start = end
      frontier.append(SHA256Hash.leaf(leaf))
      try sink.leaf(leaf)
    }
    pending += bytes[start...]
  }

  /// Ends the blob. The writer may not be used again.
  public mutating func finish(
    to sink: inout some BlobSink
  ) throws(WorkerFault) -> (reference: BlobReference, sha256: Digest) {
    if !pending.isEmpty {
      frontier.append(SHA256Hash.leaf(pending))
      try sink.leaf(pending)
    }
    let reference = BlobReference(id: ContentID(raw: frontier.root.raw), size: size)
    try sink.finish(reference)
    var out = [UInt8](repeating: 0, count: 32)
    // Safe: 32 bytes of room.
    unsafe worker_sha256_end(&state, &out)
    guard let sha256 = Digest(out) else { preconditionFailure("a SHA-256 of \(out.count) bytes") }
    return (reference, sha256)
  }

  mutating func whole(_ bytes: [UInt8], to sink: inout some BlobSink) throws(WorkerFault) -> BlobReference {
    try add(bytes, to: &sink)
    return try finish(to: &sink).reference
  }

  /// Everything that can be read from `descriptor`.
  mutating func drain(_ descriptor: Descriptor, to sink: inout some BlobSink) throws(WorkerFault) {
    while let bytes = try SystemCall.read(descriptor.number, count: 256 << 10), !bytes.isEmpty {
      try add(bytes, to: &sink)
    }
  }
}

/// Reads one blob from a source and checks it against its name.
struct BlobReading {
  let id: ContentID
  private var frontier = MerkleFrontier()
  private(set) var size: UInt64 = 0

  init(_ id: ContentID) { self.id = id }

  /// Hands over the leaves in order; throws `.blob` unless they are what `id` names. The last leaf may have been
  /// handed over by then, so nothing is believed before this returns.
  mutating func read(
    from source: inout some BlobSource, size expected: UInt64? = nil, sizeMax: UInt64,
    each: ([UInt8]) throws(WorkerFault) -> Void
  ) throws(WorkerFault) {
    while true {
      guard frontier.size < WorkerLimits.leafCountMax else {
        throw .limit(name: "leaves of a blob", value: WorkerLimits.leafCountMax)
      }
      // Only when the size is not known is one more leaf asked for, to see that there is none.
      if let expected, size >= expected { break }
      let leaf = try source.leaf(id, index: frontier.size)
      if leaf.isEmpty { break }
      guard leaf.count <= BlobLimits.leafSize else { throw .blob(why: "a leaf of \(leaf.count) bytes of \(id.hex)") }
      size += UInt64(leaf.count)
      guard size <= sizeMax else { throw .limit(name: "bytes of a blob", value: sizeMax) }
      frontier.append(SHA256Hash.leaf(leaf))
      try each(leaf)
      if leaf.count < BlobLimits.leafSize { break }
    }
    guard frontier.root.raw == id.raw, expected == nil || expected == size else {
      throw .blob(why: "the bytes that came are not the blob \(id.hex)")
    }
  }

  static func whole(
    _ id: ContentID, from source: inout some BlobSource, sizeMax: UInt64
  ) throws(WorkerFault) -> [UInt8] {
    var bytes: [UInt8] = []
    var reading = BlobReading(id)
    try reading.read(from: &source, sizeMax: sizeMax) { leaf throws(WorkerFault) in bytes += leaf }
    return bytes
  }
}
