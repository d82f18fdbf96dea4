// One connection to the admin socket: framing, limits, roles, batches, notifications.
import Foundation
import Testing

@testable import TallyAdmin

@Suite struct SessionTests {
  private func receive(_ session: inout AdminSession, _ text: String) -> (calls: [AdminCall], answers: String) {
    var calls: [AdminCall] = []
    var answers: [UInt8] = []
    session.receive(Array(text.utf8), calls: &calls, answers: &answers)
    return (calls, String(decoding: answers, as: UTF8.self))
  }

  private func request(_ id: Int, _ method: String = "status") -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":{}}"# + "\n"
  }

  @Test func aLineInPiecesIsOneRequest() {
    var session = AdminSession(role: .read)
    let line = request(1)
    #expect(receive(&session, String(line.prefix(20))).calls.isEmpty)
    let (calls, answers) = receive(&session, String(line.dropFirst(20)))
    #expect(calls.map(\.method.name) == ["status"] && answers.isEmpty)
    #expect(session.inFlight == 1)
    let answer = String(decoding: session.finish(calls[0].number, .success(Array("{}".utf8))), as: UTF8.self)
    #expect(answer == #"{"jsonrpc":"2.0","id":1,"result":{}}"# + "\n")
    #expect(session.isIdle)
  }

  @Test func theSeventeenthQuestionWaits() {
    var session = AdminSession(role: .read)
    let lines = (1...20).map { request($0) }.joined()
    let (calls, answers) = receive(&session, lines)
    #expect(calls.count == AdminLimits.inFlightMax && answers.isEmpty)
    #expect(!session.wantsBytes, "the client is held back")
    _ = session.finish(calls[0].number, .success(Array("{}".utf8)))
    let (more, none) = receive(&session, "")
    #expect(more.count == 1 && none.isEmpty)
    for call in calls.dropFirst() + more { _ = session.finish(call.number, .success(Array("{}".utf8))) }
    #expect(receive(&session, "").calls.count == 3)
  }

  @Test func anOversizedLineIsRefusedAtOnceAndSkipped() {
    var session = AdminSession(role: .read)
    let (calls, answers) = receive(&session, String(repeating: "x", count: AdminLimits.lineSizeMax))
    #expect(calls.isEmpty && answers.contains("-32600") && answers.contains("\(AdminLimits.lineSizeMax)"))
    #expect(receive(&session, String(repeating: "y", count: 3 * AdminLimits.lineSizeMax)).answers.isEmpty, "once")
    let (next, refusal) = receive(&session, "tail\n" + request(2))
    #expect(next.count == 1 && refusal.isEmpty, "the rest of the line is thrown away")
    // The longest that fits.
    var longest = AdminSession(role: .read)
    let head = #"{"jsonrpc":"2.0","id":1,"method":"status","params":{"x":""#
    let fill = String(repeating: "a", count: AdminLimits.lineSizeMax - head.utf8.count - 4)
    #expect(receive(&longest, head + fill + "\"}}\n").calls.count == 1)
  }

  @Test func batchesAnswerTogetherAndEndAtTheLimit() {
    var session = AdminSession(role: .read)
    let one = request(1).dropLast()
    let note = #"{"jsonrpc":"2.0","method":"status"}"#
    let (calls, nothing) = receive(&session, "[\(one),\(note),{\"no\":1}]\n")
    #expect(calls.count == 2 && nothing.isEmpty, "an answer waits for the whole batch")
    #expect(session.finish(calls[1].number, .success(Array("{}".utf8))).isEmpty, "a notification gets no answer")
    let answer = String(decoding: session.finish(calls[0].number, .success(Array("{}".utf8))), as: UTF8.self)
    #expect(answer.hasPrefix("[") && answer.hasSuffix("]\n") && answer.contains("-32600") && answer.contains(#""id":1"#))

    let many = "[" + (0...AdminLimits.batchMax).map { request($0).dropLast() }.joined(separator: ",") + "]\n"
    let (none, refusal) = receive(&session, many)
    #expect(none.isEmpty && refusal.contains("-32600") && refusal.contains("limit is \(AdminLimits.batchMax)"))
    #expect(receive(&session, "[]\n").answers.contains("-32600"))
  }

  @Test func rolesOnlyFall() {
    var session = AdminSession(role: .operate)
    let isLower = session.lower(to: .read)
    #expect(isLower && session.role == .read)
    let isBack = session.lower(to: .operate)
    #expect(!isBack, "what was given up does not come back")
    #expect(receive(&session, request(1, "job.post")).answers.contains("1004"))
    var admin = AdminSession(role: .admin)
    let lowered = admin.lower(to: .worker)
    #expect(lowered)
    #expect(receive(&admin, request(1, "shutdown")).answers.contains("this needs the role admin; this connection has worker"))
    #expect(receive(&admin, request(2, "worker.next")).calls.count == 1)
  }

  @Test func everyMethodIsClosedToRolesThatDoNotCoverIt() {
    for method in MethodTable.all {
      for role in Role.allCases {
        var session = AdminSession(role: role)
        let (calls, answers) = receive(&session, request(1, method.name))
        #expect(calls.isEmpty == !role.covers(method.role), "\(method.name) for \(role)")
        #expect(answers.contains("1004") == calls.isEmpty)
      }
    }
    #expect(Set(MethodTable.all.map(\.name)).count == MethodTable.all.count)
  }

  @Test func aMisspeltMethodIsAnsweredWithTheNearest() {
    var session = AdminSession(role: .admin)
    let answer = receive(&session, request(1, "staus")).answers
    #expect(answer.contains("-32601") && answer.contains(#"did you mean \"status\"?"#))
    #expect(!receive(&session, request(2, "xyzzyplugh")).answers.contains("did you mean"))
    #expect(Suggestion.nearest(to: "fanot", among: ["fanout", "name"]) == "fanout")
    #expect(Suggestion.nearest(to: String(repeating: "a", count: 100), among: ["a"]) == nil)
  }

  @Test func subscriptionsEndAtTheLimitAndDropsAreCounted() throws {
    var session = AdminSession(role: .read)
    var numbers: [UInt64] = []
    for _ in 0...AdminLimits.subscriptionsMax { if let n = session.subscribe(to: ["job"]) { numbers.append(n) } }
    #expect(numbers.count == AdminLimits.subscriptionsMax, "one more is refused")
    #expect(session.subscribers(of: "job").count == AdminLimits.subscriptionsMax)
    #expect(session.subscribers(of: "entry").isEmpty)
    let notice = EventNotice(subscription: 1, type: "job", text: "x")
    let lines = [false, false, true, true].map { String(decoding: session.notify(notice, hasRoom: $0), as: UTF8.self) }
    #expect(lines[0].isEmpty && lines[1].isEmpty && lines[2].contains(#""dropped":2"#))
    #expect(!lines[3].isEmpty && !lines[3].contains("dropped"))
  }

  @Test func parametersAreNamedAndTyped() throws {
    let read = { (params: String) -> Result<JobParams, RPCError> in
      let request = RPCRequest(id: nil, method: "job.show", params: Array(params.utf8))
      do throws(RPCError) { return .success(try request.decode(JobParams.self)) } catch { return .failure(error) }
    }
    #expect(try read(#"{"id":"ab","index":3}"#).get().index == 3)
    for (params, says) in [
      (#"["ab"]"#, "named"), ("{}", "\"id\" is missing"), (#"{"id":7}"#, "must be a string"),
      (#"{"id":"a","index":-1}"#, "negative"), (#"{"id":"a","index":4294967296}"#, "too large"), (#"{"id":null}"#, "id"),
    ] {
      guard case .failure(let error) = read(params) else {
        Issue.record("\(params) was accepted")
        continue
      }
      #expect(error.code == RPCError.invalidParamsCode && error.message.contains(says), "\(params): \(error.message)")
    }
  }
}
