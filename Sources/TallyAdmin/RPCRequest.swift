// Owns: one JSON-RPC 2.0 request as it came: which method, which answer address, which parameters still undecoded.
// JSON-RPC 2.0 sections 4 and 6.
import FoundationEssentials

public struct RPCRequest: Hashable, Sendable {
  /// The bytes of `id` as the client wrote them; nil for a notification, which gets no answer.
  public let id: [UInt8]?
  public let method: String
  /// The bytes of `params`; `{}` when there are none.
  public let params: [UInt8]

  /// The requests of one line: one, or those of a batch. An element that is no request has its own error.
  public enum Line: Sendable {
    case single(Result<RPCRequest, Refusal>)
    case batch([Result<RPCRequest, Refusal>])
  }
  /// A request that cannot be read; answered under its id when that could be read, else under null.
  public struct Refusal: Error, Hashable, Sendable {
    public let id: [UInt8]
    public let error: RPCError
  }

  public static let nullID = Array("null".utf8)

  public static func read(_ line: ArraySlice<UInt8>) -> Line {
    do throws(StrictJSON.Failure) {
      switch try StrictJSON.scan(line) {
      case .object(let members): return .single(read(members, of: line))
      case .other: return .single(.failure(Refusal(id: nullID, error: .invalidRequest("a request is an object"))))
      case .array(let elements):
        if elements.isEmpty {
          return .single(.failure(Refusal(id: nullID, error: .invalidRequest("an empty batch"))))
        }
        if elements.count > AdminLimits.batchMax {
          let what = "a batch of \(elements.count) requests, the limit is \(AdminLimits.batchMax)"
          return .single(.failure(Refusal(id: nullID, error: .invalidRequest(what))))
        }
        var requests: [Result<RPCRequest, Refusal>] = []
        for element in elements {
          guard case .object(let members) = try StrictJSON.scan(line[element]) else {
            requests.append(.failure(Refusal(id: nullID, error: .invalidRequest("a request is an object"))))
            continue
          }
          requests.append(read(members, of: line))
        }
        return .batch(requests)
      }
    } catch {
      return .single(.failure(Refusal(id: nullID, error: .parse(error.description))))
    }
  }

  private static func read(_ members: [StrictJSON.Member], of line: ArraySlice<UInt8>) -> Result<RPCRequest, Refusal> {
    var found: [String: ArraySlice<UInt8>] = [:]
    for member in members {
      guard let key = String(validating: line[member.key], as: UTF8.self) else { continue }
      if found[key] != nil {
        return .failure(Refusal(id: nullID, error: .invalidRequest("the member \"\(key)\" stands twice")))
      }
      found[key] = line[member.value]
    }
    var id: [UInt8]?
    if let raw = found["id"] {
      let first = raw.first ?? 0
      let isNumber = first == UInt8(ascii: "-") || 0x30...0x39 ~= first
      guard isNumber || first == UInt8(ascii: "\"") || Array(raw) == nullID, raw.count <= 256 else {
        return .failure(Refusal(id: nullID, error: .invalidRequest("id must be a string, a number or null")))
      }
      id = Array(raw)
    }
    let refuse = { (what: String) in
      Result<RPCRequest, Refusal>.failure(Refusal(id: id ?? nullID, error: .invalidRequest(what)))
    }
    guard found["jsonrpc"].map(Array.init) == Array(#""2.0""#.utf8) else {
      return refuse(#""jsonrpc" must be "2.0""#)
    }
    guard let raw = found["method"], raw.first == UInt8(ascii: "\""), raw.count > 2, !raw.contains(0x5c),
      let method = String(validating: raw.dropFirst().dropLast(), as: UTF8.self)
    else { return refuse("method must be a plain string") }
    let params = found["params"].map(Array.init) ?? Array("{}".utf8)
    guard params.first == UInt8(ascii: "{") || params.first == UInt8(ascii: "[") else {
      return refuse("params must be an object")
    }
    return .success(RPCRequest(id: id, method: method, params: params))
  }

  /// Decodes the parameters of this method: the second of the two typed decodes.
  public func decode<Params: Decodable>(_: Params.Type) throws(RPCError) -> Params {
    guard params.first == UInt8(ascii: "{") else { throw .invalidParams("params must be named: an object") }
    return try AdminJSON.decode(Params.self, from: params)
  }
}
