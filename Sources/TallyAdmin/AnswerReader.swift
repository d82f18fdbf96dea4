// Owns: the lines that a daemon sends, taken apart: answers by number, notifications. JSON-RPC 2.0 section 5.
import FoundationEssentials

struct AnswerReader {
  enum Line {
    case answer(UInt64, Result<[UInt8], RPCError>)
    case event(EventNotice)
  }
  struct Failure: Error {
    let what: String
  }

  private var buffer: [UInt8] = []
  private var scanned = 0

  /// The complete lines among what came so far, without their newlines.
  mutating func lines(_ bytes: [UInt8]) -> [[UInt8]] {
    buffer += bytes
    var lines: [[UInt8]] = []
    var start = 0
    while let end = buffer[max(start, scanned)...].firstIndex(of: UInt8(ascii: "\n")) {
      if end > start { lines.append(Array(buffer[start..<end])) }
      start = end + 1
      scanned = start
    }
    if start > 0 { buffer.removeFirst(start) }
    scanned = buffer.count
    return lines
  }

  static func read(_ line: [UInt8]) throws(Failure) -> Line {
    if line.count > ClientLimits.lineMax { throw Failure(what: "a line of \(line.count) bytes") }
    let shape: StrictJSON.Shape
    do throws(StrictJSON.Failure) { shape = try StrictJSON.scan(line[...]) } catch {
      throw Failure(what: error.description)
    }
    guard case .object(let members) = shape else { throw Failure(what: "a line that is no object") }
    var found: [String: [UInt8]] = [:]
    for member in members {
      guard let key = String(validating: line[member.key], as: UTF8.self) else { continue }
      found[key] = Array(line[member.value])
    }
    do throws(RPCError) {
      if found["method"] == Array(#""event""#.utf8), let params = found["params"] {
        return .event(try AdminJSON.decode(EventNotice.self, from: params))
      }
      if let error = found["error"] {
        let body = try AdminJSON.decode(AdminSession.ErrorBody.self, from: error)
        let number = number(found["id"]) ?? 0
        return .answer(number, .failure(RPCError(code: body.code, message: body.message, hint: body.data.hint)))
      }
    } catch { throw Failure(what: error.message) }
    guard let number = number(found["id"]), let result = found["result"] else {
      throw Failure(what: "an answer without id or result")
    }
    return .answer(number, .success(result))
  }

  private static func number(_ bytes: [UInt8]?) -> UInt64? {
    bytes.flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }
  }
}
