// Owns: how values are written as JSON and read back: snake_case names, sorted keys, base64 for bytes.
import FoundationEssentials

public enum AdminJSON {
  public static func encode(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return Array(try encoder.encode(value))
    } catch {
      preconditionFailure("a result that has no JSON: \(error)")
    }
  }

  public static func decode<Value: Decodable>(_: Value.Type, from bytes: [UInt8]) throws(RPCError) -> Value {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      return try decoder.decode(Value.self, from: Data(bytes))
    } catch let error as DecodingError {
      throw .invalidParams(describe(error))
    } catch {
      throw .invalidParams("\(error)")
    }
  }

  private static func describe(_ error: DecodingError) -> String {
    let path = { (context: DecodingError.Context) in
      context.codingPath.isEmpty ? "params" : context.codingPath.map(\.stringValue).joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, _): return "the parameter \"\(snake(key.stringValue))\" is missing"
    case .typeMismatch(let type, let context): return "\(path(context)) must be \(name(of: type))"
    case .valueNotFound(let type, let context): return "\(path(context)) must be \(name(of: type)), not null"
    case .dataCorrupted(let context) where context.codingPath.isEmpty:
      // The line was scanned before and is JSON: what does not decode is a number that its type cannot hold.
      return "a number is negative, a fraction, or too large for its parameter"
    case .dataCorrupted(let context): return "\(path(context)): \(context.debugDescription)"
    @unknown default: return "parameters of another kind"
    }
  }

  private static func name(of type: Any.Type) -> String {
    switch type {
    case is String.Type: "a string"
    case is Bool.Type: "true or false"
    case is any FixedWidthInteger.Type: "a whole number"
    default: "a \(type)"
    }
  }

  private static func snake(_ name: String) -> String {
    var text = ""
    for character in name {
      if character.isUppercase { text += "_" + character.lowercased() } else { text.append(character) }
    }
    return text
  }
}

/// Bytes as base64 in JSON.
public struct Base64Bytes: Codable, Hashable, Sendable {
  public var bytes: [UInt8]
  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let data = Data(base64Encoded: text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not base64")
    }
    bytes = Array(data)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(Data(bytes).base64EncodedString())
  }
}
