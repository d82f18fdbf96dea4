// Owns: one connection to the admin socket: lines in, answers out in the order in which they come, limits, role,
// subscriptions. Refuses to know: sockets, and what methods do.

/// A request that passed every check and waits to be carried out.
public struct AdminCall: Sendable {
  /// Names the answer's place; unique within one connection.
  public let number: UInt64
  public let method: Method
  public let request: RPCRequest
}

/// The state of one connection. Bytes and answers go in, calls and bytes come out.
public struct AdminSession: Sendable {
  /// An answer that is part of a batch waits for the rest of it.
  private struct Batch: Sendable {
    var left: Int
    var answers: [[UInt8]]
  }
  private struct Waiting: Sendable {
    let id: [UInt8]?
    let batch: UInt64?
  }

  public private(set) var role: Role
  private let granted: Role
  private let methods: [Method]
  private var buffer: [UInt8] = []
  private var scanned = 0
  private var isSkipping = false
  private var waiting: [UInt64: Waiting] = [:]
  private var batches: [UInt64: Batch] = [:]
  private var nextNumber: UInt64 = 1
  private var nextSubscription: UInt64 = 1
  public private(set) var subscriptions: [UInt64: Set<String>] = [:]
  /// Notifications that were dropped since the last one that was not.
  private var dropped: [UInt64: UInt64] = [:]

  public init(role: Role) { self.init(role: role, methods: MethodTable.all) }

  /// `methods`: another table, for tests.
  init(role: Role, methods: [Method]) {
    self.role = role
    self.methods = methods
    granted = role
  }

  public var inFlight: Int { waiting.count }
  public var isIdle: Bool { waiting.isEmpty }
  /// Nothing more is read while the client has too many questions open: it is held back, not refused.
  public var wantsBytes: Bool { waiting.count < AdminLimits.inFlightMax }

  /// Takes bytes; gives complete requests as calls and refusals as answer bytes. Stops at the limit of open questions,
  /// and goes on with what it holds when called again (with nothing).
  public mutating func receive(_ bytes: [UInt8], calls: inout [AdminCall], answers: inout [UInt8]) {
    buffer.append(contentsOf: bytes)
    var start = 0
    while waiting.count < AdminLimits.inFlightMax,
      let newline = buffer[max(start, scanned)...].firstIndex(of: UInt8(ascii: "\n"))
    {
      let line = buffer[start..<newline]
      start = newline + 1
      scanned = start
      if isSkipping {
        isSkipping = false
      } else if line.count >= AdminLimits.lineSizeMax {
        answers += tooLong
      } else if !line.allSatisfy({ $0 == 0x20 || $0 == 0x0d || $0 == 0x09 }) {
        take(line, calls: &calls, answers: &answers)
      }
    }
    if start > 0 { buffer.removeFirst(start) }
    scanned = waiting.count < AdminLimits.inFlightMax ? buffer.count : 0
    if buffer.count >= AdminLimits.lineSizeMax && waiting.count < AdminLimits.inFlightMax {
      // An oversized line is answered at once and its rest thrown away as it comes.
      if !isSkipping { answers += tooLong }
      isSkipping = true
      buffer.removeAll(keepingCapacity: false)
      scanned = 0
    }
  }

  private var tooLong: [UInt8] {
    Self.answer(
      RPCRequest.nullID,
      .failure(.invalidRequest("a line of more than \(AdminLimits.lineSizeMax) bytes")))
  }

  private mutating func take(_ line: ArraySlice<UInt8>, calls: inout [AdminCall], answers: inout [UInt8]) {
    switch RPCRequest.read(line) {
    case .single(let request): take(request, batch: nil, calls: &calls, answers: &answers)
    case .batch(let requests):
      let number = nextNumber
      nextNumber += 1
      let expected = requests.count { request in
        if case .success(let request) = request { request.id != nil } else { true }
      }
      batches[number] = Batch(left: expected, answers: [])
      for request in requests { take(request, batch: number, calls: &calls, answers: &answers) }
      if expected == 0 { batches[number] = nil }
    }
  }

  private mutating func take(
    _ request: Result<RPCRequest, RPCRequest.Refusal>, batch: UInt64?, calls: inout [AdminCall],
    answers: inout [UInt8]
  ) {
    switch request {
    case .failure(let refusal):
      put(Self.answer(refusal.id, .failure(refusal.error)), batch: batch, into: &answers)
    case .success(let request):
      let refuse = { (error: RPCError) in request.id.map { Self.answer($0, .failure(error)) } }
      guard let method = methods.first(where: { $0.name == request.method }) else {
        let error = RPCError(
          code: RPCError.methodNotFoundCode, message: "there is no method \"\(request.method)\"",
          hint: suggestion(for: request.method))
        if let bytes = refuse(error) { put(bytes, batch: batch, into: &answers) }
        return
      }
      guard role.covers(method.role) else {
        if let bytes = refuse(.denied(need: method.role, have: role)) { put(bytes, batch: batch, into: &answers) }
        return
      }
      let number = nextNumber
      nextNumber += 1
      waiting[number] = Waiting(id: request.id, batch: batch)
      calls.append(AdminCall(number: number, method: method, request: request))
    }
  }

  private func suggestion(for name: String) -> String {
    let names = methods.map(\.name)
    guard let near = Suggestion.nearest(to: name, among: names) else { return "see `tally api api.discover`" }
    return "did you mean \"\(near)\"?"
  }

  /// The result of a call, ready to be written; empty when the request was a notification or its batch waits.
  public mutating func finish(_ number: UInt64, _ result: Result<[UInt8], RPCError>) -> [UInt8] {
    guard let open = waiting.removeValue(forKey: number) else { return [] }
    guard let id = open.id else { return [] }
    var answers: [UInt8] = []
    put(Self.answer(id, result), batch: open.batch, into: &answers)
    return answers
  }

  private mutating func put(_ answer: [UInt8], batch: UInt64?, into answers: inout [UInt8]) {
    guard let batch, var open = batches[batch] else {
      answers += answer
      return
    }
    open.answers.append(Array(answer.dropLast()))
    open.left -= 1
    if open.left > 0 {
      batches[batch] = open
      return
    }
    batches[batch] = nil
    answers.append(UInt8(ascii: "["))
    for (place, one) in open.answers.enumerated() {
      if place > 0 { answers.append(UInt8(ascii: ",")) }
      answers += one
    }
    answers += Array("]\n".utf8)
  }

  /// One line. JSON-RPC 2.0 section 5.
  static func answer(_ id: [UInt8], _ result: Result<[UInt8], RPCError>) -> [UInt8] {
    var line = Array(#"{"jsonrpc":"2.0","id":"#.utf8)
    line += id
    switch result {
    case .success(let value):
      line += Array(#","result":"#.utf8)
      line += value
    case .failure(let error):
      line += Array(#","error":"#.utf8)
      line += AdminJSON.encode(
        ErrorBody(code: error.code, message: error.message, data: ErrorBody.Hint(hint: error.hint)))
    }
    line += Array("}\n".utf8)
    return line
  }

  struct ErrorBody: Codable {
    struct Hint: Codable {
      var hint: String
    }
    var code: Int
    var message: String
    var data: Hint
  }

  // Roles and subscriptions.

  /// `hello {role}`: only ever lowers. False when the wanted role is not covered.
  public mutating func lower(to wanted: Role) -> Bool {
    guard let lowered = role.lowered(to: wanted) else { return false }
    role = lowered
    return true
  }

  /// nil when the connection has too many.
  public mutating func subscribe(to topics: Set<String>) -> UInt64? {
    guard subscriptions.count < AdminLimits.subscriptionsMax else { return nil }
    let number = nextSubscription
    nextSubscription += 1
    subscriptions[number] = topics
    return number
  }

  /// The subscriptions that a topic concerns, ascending.
  public func subscribers(of topic: String) -> [UInt64] {
    subscriptions.keys.sorted().filter { subscriptions[$0]?.contains(topic) == true }
  }

  /// One notification line. When the client's queue is full it is dropped and counted; the next one says how many.
  public mutating func notify(_ notice: EventNotice, hasRoom: Bool) -> [UInt8] {
    guard hasRoom else {
      dropped[notice.subscription, default: 0] += 1
      return []
    }
    var notice = notice
    notice.dropped = dropped.removeValue(forKey: notice.subscription)
    return Array(#"{"jsonrpc":"2.0","method":"event","params":"#.utf8) + AdminJSON.encode(notice) + Array("}\n".utf8)
  }
}
