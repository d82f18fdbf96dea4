// Owns: one task that another host gave to this one: what came of it so far, and how that is kept over a restart.
import TallyBase
import TallyLog
import TallyWire
import TallyWork

/// A task leased to this host's worker.
struct Lease: Sendable {
  enum Phase: Hashable, Sendable {
    /// The words are here, the entries of the grant are not yet.
    case waitingForGrant
    /// Waits for the worker process.
    case ready
    /// With the worker process.
    case running(BeatMessage.Stage)
    /// The claim or failure is written and waits to be released.
    case writing
    /// Released; the result is sent until the requester has settled.
    case done

    /// For people.
    var word: String {
      switch self {
      case .waitingForGrant: "waits for the entries of its lease"
      case .ready: "waits for the worker process"
      case .running(let stage): "\(stage)"
      case .writing: "writing its claim"
      case .done: "done, not settled"
      }
    }
  }

  let requester: PublicKey
  let message: LeaseMessage
  var phase: Phase = .waitingForGrant
  var terms: Terms?
  var grant: EntryLink?
  var cpuMs: UInt64 = 0
  /// The requester took it back while it ran: the worker process learns it with its next beat.
  var isCancelled = false
  /// Where the claim or failure stands, from when it is written until it is released.
  var place: EntryLink?
  /// Index of the claim in the own feed, once written, and the words beside it.
  var claimIndex: UInt64?
  var result: ResultMessage?
  var failed: FailReason?
  /// The body of the claim or failure, while it waits to be written.
  var body: [UInt8]?

  var grantLinks: [EntryLink] { grant.map { [$0] } ?? [] }
  var task: TaskID { message.task }
  var attempt: UInt16 { message.attempt }

  init(requester: PublicKey, message: LeaseMessage) {
    self.requester = requester
    self.message = message
  }

  // The row in the store: requester 32 · state u8 (0 open, 1 claimed, 2 failed) · [claim index u64] ·
  // counted lease message · counted result message.

  init(row: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(row)
    requester = try reader.named()
    let state = try reader.u8()
    guard state <= 2 else { throw .unknown(field: "lease.state", value: Int(state)) }
    if state == 1 { claimIndex = try reader.u64() }
    if state == 2 {
      let code = try reader.u8()
      guard let reason = FailReason(rawValue: code) else { throw .unknown(field: "lease.reason", value: Int(code)) }
      failed = reason
    }
    message = try Self.inner(&reader, .lease) { (body) throws(DecodeError) in try LeaseMessage(body: &body) }
    if state == 1 {
      result = try Self.inner(&reader, .result) { (body) throws(DecodeError) in try ResultMessage(body: &body) }
    }
    try reader.finish()
    phase = state == 0 ? .waitingForGrant : .done
  }

  private static func inner<Message>(
    _ reader: inout ByteReader, _ type: MessageType, _ read: (inout ByteReader) throws(DecodeError) -> Message
  ) throws(DecodeError) -> Message {
    let count = Int(try reader.u16())
    let bytes = try reader.take(count)
    var body = ByteReader(bytes)
    guard try body.u8() == type.rawValue else { throw .notCanonical(field: "lease.inner") }
    return try read(&body)
  }

  var row: [UInt8] {
    var writer = ByteWriter(capacity: 256 + message.work.count)
    writer.named(requester)
    if let claimIndex, result != nil {
      writer.u8(1)
      writer.u64(claimIndex)
    } else if let failed {
      writer.u8(2)
      writer.u8(failed.rawValue)
    } else {
      writer.u8(0)
    }
    writer.counted16(message.message)
    if claimIndex != nil, let result { writer.counted16(result.message) }
    return writer.bytes
  }
}
