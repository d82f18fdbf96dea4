// Owns: the layout of BID (0x41).
// Refuses to know: leases, timers, sandboxes. Travels on a TCP link, sealed by the session. DESIGN section 10.
import TallyBase

/// The answer to an ask: a promise that holds for ten seconds, or a reason.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 8 | ask number u64 |
/// | 8 | 1 | 0 = yes, else the refusal |
/// | 9 | 4 | milliseconds until it could start u32; 0 in a refusal |
public struct BidMessage: Hashable, Sendable {
  public var ask: UInt64
  public var refusal: BidRefusal?
  public var startMs: UInt32

  public init(ask: UInt64, refusal: BidRefusal?, startMs: UInt32) {
    self.ask = ask
    self.refusal = refusal
    self.startMs = refusal == nil ? startMs : 0
  }

  public init(body reader: inout ByteReader) throws(DecodeError) {
    ask = try reader.u64()
    let code = try reader.u8()
    if code == 0 {
      refusal = nil
    } else {
      guard let known = BidRefusal(rawValue: code) else { throw .unknown(field: "bid.refusal", value: Int(code)) }
      refusal = known
    }
    startMs = try reader.u32()
    if refusal != nil && startMs != 0 { throw .notCanonical(field: "bid.start") }
    try reader.finish()
  }

  public var message: [UInt8] {
    var writer = ByteWriter(capacity: 14)
    writer.u8(MessageType.bid.rawValue)
    writer.u64(ask)
    writer.u8(refusal?.rawValue ?? 0)
    writer.u32(startMs)
    return writer.bytes
  }
}
