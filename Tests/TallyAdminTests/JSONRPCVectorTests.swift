// The examples of JSON-RPC 2.0, section 7, and cases made from its rules, with the methods that they invent.
import Foundation
import Testing

@testable import TallyAdmin

@Suite struct JSONRPCVectorTests {
  private struct File: Decodable {
    struct Case: Decodable {
      let name: String
      let request: String
      let response: String?
      let note: String?
    }
    let cases: [Case]
  }

  private static let methods = ["subtract", "sum", "update", "notify_hello", "notify_sum", "get_data"].map {
    Method($0, .read, "of the specification", result: "-")
  }

  @Test(arguments: ["spec_examples.json", "made_cases.json"])
  func cases(_ name: String) throws {
    guard let folder = Vectors.find("jsonrpc") else { return }
    let file = try JSONDecoder().decode(File.self, from: Data(contentsOf: folder.appendingPathComponent(name)))
    #expect(!file.cases.isEmpty)
    for test in file.cases {
      let answer = try answer(test.request)
      let expected = try test.response.map { try value($0) }
      #expect(matches(answer, expected, isLoose: name == "made_cases.json"), "\(test.name): \(answer as Any)")
    }
  }

  private func value(_ text: String) throws -> NSObject {
    try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed) as! NSObject
  }

  /// The line on the wire has no newline inside: white space is the same to JSON.
  private func answer(_ request: String) throws -> NSObject? {
    var session = AdminSession(role: .read, methods: Self.methods)
    var calls: [AdminCall] = []
    var output: [UInt8] = []
    let line = request.replacingOccurrences(of: "\n", with: " ").replacingOccurrences(of: "\r", with: " ")
    session.receive(Array((line + "\n").utf8), calls: &calls, answers: &output)
    for call in calls { output += session.finish(call.number, try carryOut(call)) }
    return output.isEmpty ? nil : try value(String(decoding: output, as: UTF8.self))
  }

  private func carryOut(_ call: AdminCall) throws -> Result<[UInt8], RPCError> {
    let params = try JSONSerialization.jsonObject(with: Data(call.request.params))
    let list = (params as? [Any] ?? []).compactMap { $0 as? Int }
    switch call.method.name {
    case "subtract":
      let named = params as? [String: Any]
      let left = list.first ?? named?["minuend"] as? Int
      let right = list.count > 1 ? list[1] : named?["subtrahend"] as? Int
      guard let left, let right else { return .failure(.invalidParams("two numbers")) }
      return .success(Array("\(left - right)".utf8))
    case "sum": return .success(Array("\(list.reduce(0, +))".utf8))
    case "get_data": return .success(Array(#"["hello",5]"#.utf8))
    default: return .success(Array("null".utf8))
    }
  }

  /// Batches in any order; of errors only code and id count. `isLoose`: null or the recovered id are both right.
  private func matches(_ answer: NSObject?, _ expected: NSObject?, isLoose: Bool) -> Bool {
    guard let answer, let expected else { return answer == nil && expected == nil }
    if let answers = answer as? [NSObject], let wanted = expected as? [NSObject] {
      guard answers.count == wanted.count else { return false }
      var left = answers
      for one in wanted {
        guard let place = left.firstIndex(where: { matches($0, one, isLoose: isLoose) }) else { return false }
        left.remove(at: place)
      }
      return true
    }
    guard let answer = answer as? [String: NSObject], let expected = expected as? [String: NSObject] else { return false }
    let isSameID = answer["id"] == expected["id"] || (isLoose && expected["id"] == NSNull())
    guard isSameID, answer["jsonrpc"] == "2.0" as NSString else { return false }
    if let error = expected["error"] as? [String: NSObject] {
      return (answer["error"] as? [String: NSObject])?["code"] == error["code"]
    }
    return answer["result"] == expected["result"]
  }
}
