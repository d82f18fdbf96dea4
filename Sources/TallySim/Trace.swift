// Owns: one hash over everything that went into and came out of every host, in order: equal traces, equal runs.
// Refuses to know: what the bytes mean.
import TallyBase
import TallyCrypto

/// A chain of BLAKE2b-256 over blocks of records. A record is: virtual time i64 · host u16 · length u32 · bytes.
public struct Trace {
  private var chain: Bytes32 = .zero
  private var writer = ByteWriter(capacity: blockBytes + 4096)
  public private(set) var recordCount: UInt64 = 0
  /// One line per record while somebody wants them: `microseconds host direction name bytes hash`.
  private(set) var lines: [String] = []
  private let keepsLines: Bool

  static let blockBytes = 65_536

  init(keepsLines: Bool) { self.keepsLines = keepsLines }

  mutating func add(time: Int64, host: Int, name: String, isInput: Bool, _ bytes: [UInt8]) {
    recordCount += 1
    writer.i64(time)
    writer.u16(UInt16(truncatingIfNeeded: host))
    writer.u32(UInt32(truncatingIfNeeded: bytes.count))
    writer.raw(bytes)
    if writer.bytes.count >= Self.blockBytes { close() }
    guard keepsLines else { return }
    let hash = Hex.encode(Array(Blake2b.hash256(bytes).bytes.prefix(6)))
    lines.append("\(time) \(host) \(isInput ? "<" : ">") \(name) \(bytes.count) \(hash)")
  }

  private mutating func close() {
    chain = Blake2b.hash256(chain.bytes, writer.bytes)
    writer.bytes.removeAll(keepingCapacity: true)
  }

  /// The hash over everything so far.
  public var hash: Digest { Digest(raw: Blake2b.hash256(chain.bytes, writer.bytes)) }
}
