// Owns: the messages 0x30 to 0x3D as one type: `type u8 ‖ body`, as they travel inside a TCP link's frame.
// GRAFT, PRUNE and the sketches are drafts: this version refuses them as unknown.
import TallyBase

public enum LogMessage: Hashable, Sendable {
  case aboutYou(AboutYou)
  case clock(ClockMessage)
  case push(Push)
  case getRange(GetRange)
  case range(Push)
  case getPath(GetPath)
  case path(PathAnswer)
  case forkProof(ForkNotice)
  case ihave(IHave)
  case stored(Stored)
  case getHead(GetHead)
  case head(HeadAnswer)

  /// Takes exactly one message, its type byte included.
  public init(decoding bytes: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(bytes)
    let type = MessageType(rawValue: try reader.u8())
    switch type {
    case .aboutYou: self = .aboutYou(try AboutYou(reading: &reader))
    case .clock: self = .clock(try ClockMessage(reading: &reader))
    case .push: self = .push(try Push(reading: &reader))
    case .getRange: self = .getRange(try GetRange(reading: &reader))
    case .range: self = .range(try Push(reading: &reader))
    case .getPath: self = .getPath(try GetPath(reading: &reader))
    case .path: self = .path(try PathAnswer(reading: &reader))
    case .forkProof: self = .forkProof(try ForkNotice(reading: &reader))
    case .ihave: self = .ihave(try IHave(reading: &reader))
    case .stored: self = .stored(try Stored(reading: &reader))
    case .getHead: self = .getHead(try GetHead(reading: &reader))
    case .head: self = .head(try HeadAnswer(reading: &reader))
    default: throw .unknown(field: "log message", value: Int(type.rawValue))
    }
    try reader.finish()
  }

  public var type: MessageType {
    switch self {
    case .aboutYou: .aboutYou
    case .clock: .clock
    case .push: .push
    case .getRange: .getRange
    case .range: .range
    case .getPath: .getPath
    case .path: .path
    case .forkProof: .forkProof
    case .ihave: .ihave
    case .stored: .stored
    case .getHead: .getHead
    case .head: .head
    }
  }

  /// The message with its type byte.
  public var encoded: [UInt8] {
    var writer = ByteWriter(capacity: 256)
    writer.u8(type.rawValue)
    switch self {
    case .aboutYou(let body): body.write(into: &writer)
    case .clock(let body): body.write(into: &writer)
    case .push(let body), .range(let body): body.write(into: &writer)
    case .getRange(let body): body.write(into: &writer)
    case .getPath(let body): body.write(into: &writer)
    case .path(let body): body.write(into: &writer)
    case .forkProof(let body): body.write(into: &writer)
    case .ihave(let body): body.write(into: &writer)
    case .stored(let body): body.write(into: &writer)
    case .getHead(let body): body.write(into: &writer)
    case .head(let body): body.write(into: &writer)
    }
    return writer.bytes
  }
}
