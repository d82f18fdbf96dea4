// Owns: the admin socket's readers as targets: strict JSON, request lines in any portions.
// Refuses to know: methods.
import TallyAdmin

enum AdminTargets {
  static let all: [FuzzTarget] = [json, lines]

  private static let samples: [[UInt8]] = [
    #"{"jsonrpc":"2.0","id":1,"method":"status","params":{}}"#,
    #"[{"jsonrpc":"2.0","id":"a","method":"peers.list"},{"jsonrpc":"2.0","method":"ping"}]"#,
    #"{"a":[1,-2.5e+3,true,false,null,"\u00e9\ud83d\ude00\n"],"b":{"c":{}}}"#,
    #"[[[[]]],"é",0,-0.1E-2]"#,
  ].map { Array($0.utf8) }

  static let json = FuzzTarget("strict-json", sizeMax: 2048, seeds: { samples }) { input in
    do throws(StrictJSON.Failure) {
      switch try StrictJSON.scan(input[...]) {
      case .object(let members):
        for member in members {
          guard case .some = part(input, member.value) else { return .violated("a member that is no JSON") }
          guard (0...input.count).contains(member.key.upperBound) else { return .violated("a key outside the text") }
        }
        return .accepted("object \(min(members.count, 4))")
      case .array(let elements):
        for element in elements where part(input, element) == nil { return .violated("an element that is no JSON") }
        return .accepted("array \(min(elements.count, 4))")
      case .other: return .accepted("other")
      }
    } catch {
      guard (0...input.count).contains(error.offset) else { return .violated("a failure outside the text") }
      return .refused(error.what)
    }
  }

  private static func part(_ input: [UInt8], _ range: Range<Int>) -> StrictJSON.Shape? {
    guard range.lowerBound >= 0, range.upperBound <= input.count else { return nil }
    do throws(StrictJSON.Failure) { return try StrictJSON.scan(input[range]) } catch { return nil }
  }

  /// The first byte says how the rest is cut; the answers must not depend on it.
  static let lines = FuzzTarget(
    "admin-lines", sizeMax: 4096,
    seeds: { samples.map { [7] + $0 + [10] } + [[3] + samples.joined(separator: [10]) + [10]] }
  ) { input in
    guard let first = input.first else { return .refused("empty") }
    let text = Array(input.dropFirst())
    let whole = run(text, portion: max(1, text.count))
    let cut = run(text, portion: 1 + Int(first) % 97)
    // A refusal may overtake the answer of a call; each line has its own id.
    let sorted = { (bytes: [UInt8]) in bytes.split(separator: 10).sorted { $0.lexicographicallyPrecedes($1) } }
    guard sorted(whole.answers) == sorted(cut.answers), whole.calls == cut.calls else {
      return .violated("portions change the answers")
    }
    let answers = String(validating: whole.answers, as: UTF8.self)
    guard answers != nil else { return .violated("an answer that is not UTF-8") }
    guard whole.answers.count <= 2048 + 1024 * text.count else {
      return .violated("\(whole.answers.count) bytes of answers")
    }
    let calls = whole.calls.joined(separator: " ")
    return calls.isEmpty ? .refused("\(min(whole.answers.count / 64, 20))") : .accepted(calls)
  }

  private static func run(_ text: [UInt8], portion: Int) -> (calls: [String], answers: [UInt8]) {
    var session = AdminSession(role: .admin)
    var (names, answers): ([String], [UInt8]) = ([], [])
    var start = 0
    repeat {
      var calls: [AdminCall] = []
      let end = min(text.count, start + portion)
      session.receive(Array(text[start..<end]), calls: &calls, answers: &answers)
      start = end
      while !calls.isEmpty {
        let batch = calls
        calls = []
        for call in batch {
          if names.count < 8 { names.append(call.method.name) }
          answers += session.finish(call.number, .success(Array("true".utf8)))
        }
        session.receive([], calls: &calls, answers: &answers)
      }
    } while start < text.count
    return (names, answers)
  }
}
