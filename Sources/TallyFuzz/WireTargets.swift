// Owns: the binary decoders as targets: what is accepted is encoded again and must give the same bytes.
// Refuses to know: any layout.
import TallyBase
import TallyGossip
import TallyLog
import TallyWire

enum WireTargets {
  /// The field's name for `DecodeError`s, without a peer's numbers.
  static func signature(_ error: DecodeError) -> String {
    switch error {
    case .truncated: "truncated"
    case .trailing: "trailing"
    case .notCanonical(let field): "form of \(field)"
    case .aboveLimit(let field, _, _): "limit of \(field)"
    case .unknown(let field, _): "unknown \(field)"
    }
  }

  /// `again` decodes and encodes.
  static func codec(
    _ name: String, sizeMax: Int = 4096, seeds: @escaping @Sendable () -> [[UInt8]] = { [] },
    _ again: @escaping @Sendable ([UInt8]) throws(DecodeError) -> [UInt8]
  ) -> FuzzTarget {
    FuzzTarget(name, sizeMax: sizeMax, seeds: seeds) { input in
      do throws(DecodeError) {
        let bytes = try again(input)
        return bytes == input ? .accepted(sizeClass(input.count)) : .violated("another encoding of \(name)")
      } catch {
        return .refused(signature(error))
      }
    }
  }

  /// Longer values are other values: one signature for each power of two.
  private static func sizeClass(_ count: Int) -> String { "\(Int.bitWidth - count.leadingZeroBitCount)" }

  private static func value<Value: WireValue & SendableMetatype>(
    _ name: String, _: Value.Type, sizeMax: Int = 4096
  ) -> FuzzTarget {
    codec(name, sizeMax: sizeMax) { bytes throws(DecodeError) in try Value(decoding: bytes).encoded }
  }

  static let all: [FuzzTarget] = [
    codec("message", sizeMax: 70_000, Messages.again),
    codec("chunk", sizeMax: 65_536) { bytes throws(DecodeError) in
      PackedChunk.encode(try PackedChunk.decode(bytes))
    },
    value("entry", Entry.self, sizeMax: 5000),
    value("head", Head.self), value("fork-proof", ForkProof.self), value("node-record", NodeRecord.self),
    value("begin", BeginBody.self), value("sighting", SightingBody.self), value("evidence", EvidenceBody.self),
    value("record", RecordBody.self),
    codec("token", seeds: { [Samples.token] }) { bytes throws(DecodeError) in
      try InviteToken(decoding: bytes).encoded
    },
    codec("attributes") { bytes throws(DecodeError) in
      let attributes = try Attributes(decoding: bytes)
      var again = attributes.encoded
      // A newer architecture is read as another one; blocks travel as the bytes that came.
      if attributes.architecture == .other { again[2] = bytes[2] }
      return again
    },
    codec("job-post") { bytes throws(DecodeError) in
      let body = try JobPostBody.decode(bytes)
      if case .unknownRules = body { return bytes }
      return body.encode()
    },
    codec("lease-grant") { bytes throws(DecodeError) in try LeaseGrantBody.decode(bytes).encode() },
    codec("work-claim") { bytes throws(DecodeError) in try WorkClaimBody.decode(bytes).encode() },
    codec("work-fail") { bytes throws(DecodeError) in try WorkFailBody.decode(bytes).encode() },
    codec("accept", seeds: { [[3] + AcceptBody(amounts: [1, 0, 77]).encode()] }) { bytes throws(DecodeError) in
      // The first byte stands for the entry's links.
      guard let links = bytes.first else { return bytes }
      return [links] + (try AcceptBody.decode(Array(bytes.dropFirst()), links: Int(links)).encode())
    },
    codec("refuse") { bytes throws(DecodeError) in try RefuseBody.decode(bytes).encode() },
    codec("job-cancel") { bytes throws(DecodeError) in try JobCancelBody.decode(bytes).encode() },
    codec("packet", sizeMax: 1232, seeds: { Messages.packets }, Messages.packet),
  ]
}

/// Messages and packets by their type byte, as the node sorts them.
enum Messages {
  static func again(_ bytes: [UInt8]) throws(DecodeError) -> [UInt8] {
    var reader = ByteReader(bytes)
    let type = MessageType(rawValue: try reader.u8())
    switch type.rawValue {
    case 0x01...0x05: return try HopMessage(bytes).bytes
    case 0x10...0x25: return try mesh(type, bytes)
    case 0x30...0x3f: return try LogMessage(decoding: bytes).encoded
    default: return try exchange(type, &reader)
    }
  }

  private static func mesh(_ type: MessageType, _ bytes: [UInt8]) throws(DecodeError) -> [UInt8] {
    switch type {
    case .find: try Find(message: bytes).message
    case .nodes: try Nodes(message: bytes).message
    case .getRecord: try GetRecord(message: bytes).message
    case .record: try RecordWithAttributes(message: bytes).message
    case .members: try Members(message: bytes).message
    case .leave: try Leave(message: bytes).message
    case .reached: try Reached(message: bytes).message
    case .getMembers: try GetMembers(message: bytes).message
    default: throw .unknown(field: "mesh message", value: Int(type.rawValue))
    }
  }

  private static func exchange(_ type: MessageType, _ reader: inout ByteReader) throws(DecodeError) -> [UInt8] {
    switch type {
    case .ask: try AskMessage(body: &reader).message
    case .bid: try BidMessage(body: &reader).message
    case .lease: try LeaseMessage(body: &reader).message
    case .beat: try BeatMessage(body: &reader).message
    case .output: try OutputMessage(body: &reader).message
    case .result: try ResultMessage(body: &reader).message
    case .cancel, .settled: try TaskNotice(body: &reader).message(type)
    case .getLeaf, .noLeaf: try LeafRequest(body: &reader).message(type)
    case .leaf: try LeafMessage(body: &reader).message
    default: throw .unknown(field: "message type", value: Int(type.rawValue))
    }
  }

  static var packets: [[UInt8]] {
    var data = ByteWriter()
    DataHeader(receiver: 3, counter: 9).write(to: &data)
    let zeros = { (count: Int) in [UInt8](repeating: 0, count: count) }
    return [
      InitPacket.header(sender: 7) + zeros(InitPacket.noiseCount + 32),
      ResponsePacket.header(sender: 7, receiver: 8) + zeros(ResponsePacket.noiseCount + 32),
      data.bytes + zeros(40), HintPacket(version: 2, receiver: 5).bytes,
    ]
  }

  /// What stands in a UDP packet before anything is opened.
  static func packet(_ bytes: [UInt8]) throws(DecodeError) -> [UInt8] {
    switch bytes.first {
    case SessionPacket.initiate:
      let packet = try InitPacket(bytes)
      return InitPacket.header(sender: packet.sender) + packet.noise + packet.mac1 + [UInt8](repeating: 0, count: 16)
    case SessionPacket.respond:
      let packet = try ResponsePacket(bytes)
      let header = ResponsePacket.header(sender: packet.sender, receiver: packet.receiver)
      return header + packet.noise + packet.mac1 + [UInt8](repeating: 0, count: 16)
    case SessionPacket.data:
      var writer = ByteWriter()
      try DataHeader(bytes).write(to: &writer)
      return writer.bytes + bytes.dropFirst(DataHeader.byteCount)
    default: return try HintPacket(bytes).bytes
    }
  }
}
