// Owns: the client's side of the admin socket: questions out, answers and notifications in, one at a time or several
// on their way. Blocking: the command line and the worker process have nothing else to do.
// Refuses to know: what methods mean. JSON-RPC 2.0; DESIGN section 12.
import CLinux
import FoundationEssentials
import Glibc

public final class AdminClient {
  /// A question on its way; `finish` takes its answer.
  public struct Ticket: Hashable, Sendable {
    let number: UInt64
    let method: String
  }

  public let path: String
  private let socket: UnixSocket
  private var reader = AnswerReader()
  private var nextNumber: UInt64 = 1
  private var open: Set<UInt64> = []
  private var answers: [UInt64: Result<[UInt8], RPCError>] = [:]
  private var notices: [EventNotice] = []
  /// Notifications thrown away here because nobody took them.
  public private(set) var noticesLost: UInt64 = 0
  /// True makes every wait end soon with `.interrupted`; asked several times a second.
  public var isInterrupted: () -> Bool = { false }

  /// Connects. Throws what is wrong, why, and what to do.
  public init(path: String) throws(ClientError) {
    do throws(UnixSocket.Fault) {
      socket = try UnixSocket(path: path)
    } catch {
      throw Self.unreachable(path, error)
    }
    self.path = path
  }

  /// Connects and says hello, lowering the own role when `role` is given.
  public convenience init(path: String, client: String, role: Role? = nil) throws(ClientError) {
    try self.init(path: path)
    _ = try call("hello", HelloParams(client: client, role: role), as: HelloResult.self)
  }

  /// One question and its answer. `timeoutMs` nil: waits for ever.
  public func call<Params: Encodable, Result: Decodable>(
    _ method: String, _ params: Params, as type: Result.Type, timeoutMs: Int64? = ClientLimits.answerMs
  ) throws(ClientError) -> Result {
    try finish(try begin(method, params), as: type, timeoutMs: timeoutMs)
  }

  /// As above, without parameters.
  public func call<Result: Decodable>(
    _ method: String, as type: Result.Type, timeoutMs: Int64? = ClientLimits.answerMs
  ) throws(ClientError) -> Result {
    try call(method, NoParams(), as: type, timeoutMs: timeoutMs)
  }

  /// Sends a question. At most `AdminLimits.inFlightMax` may wait at once: more than that traps.
  public func begin<Params: Encodable>(_ method: String, _ params: Params) throws(ClientError) -> Ticket {
    precondition(open.count < AdminLimits.inFlightMax, "\(open.count) questions on their way")
    let number = nextNumber
    nextNumber += 1
    var line = Array(#"{"jsonrpc":"2.0","id":\#(number),"method":"\#(method)","params":"#.utf8)
    line += AdminJSON.encode(params)
    line += [UInt8(ascii: "}"), UInt8(ascii: "\n")]
    do throws(UnixSocket.Fault) {
      try socket.send(line, timeoutMs: ClientLimits.sendMs)
    } catch {
      throw lost(method, error.words)
    }
    open.insert(number)
    return Ticket(number: number, method: method)
  }

  /// Waits for the answer of a question; notifications that come first are kept.
  public func finish<Result: Decodable>(
    _ ticket: Ticket, as _: Result.Type, timeoutMs: Int64? = ClientLimits.answerMs
  ) throws(ClientError) -> Result {
    try waitForAnswer(ticket, timeoutMs: timeoutMs)
    return try decode(try taken(ticket), ticket.method)
  }

  private func waitForAnswer(_ ticket: Ticket, timeoutMs: Int64?) throws(ClientError) {
    precondition(open.contains(ticket.number), "no question \(ticket.number) is on its way")
    let deadline = timeoutMs.map { clinux_monotonic_micros() / 1000 + $0 }
    while answers[ticket.number] == nil {
      guard try pump(until: deadline, method: ticket.method) else {
        open.remove(ticket.number)
        throw ClientError(
          .timeout, "no answer to \(ticket.method) within \(timeoutMs ?? 0) ms", why: "the daemon at \(path) is busy",
          fix: "try again; `tally status` shows what it does")
      }
    }
  }

  private func taken(_ ticket: Ticket) throws(ClientError) -> [UInt8] {
    open.remove(ticket.number)
    switch answers.removeValue(forKey: ticket.number) {
    case .failure(let error): throw ClientError(method: ticket.method, error)
    case .success(let bytes): return bytes
    case nil: preconditionFailure("the answer to \(ticket.number) is gone")
    }
  }

  /// One question and its answer as JSON, for `tally api`.
  public func raw<Params: Encodable>(
    _ method: String, _ params: Params, timeoutMs: Int64? = ClientLimits.answerMs
  ) throws(ClientError) -> [UInt8] {
    let ticket = try begin(method, params)
    try waitForAnswer(ticket, timeoutMs: timeoutMs)
    return try taken(ticket)
  }

  /// The next notification; nil when none came in time. `timeoutMs` nil: waits for ever.
  public func nextNotice(timeoutMs: Int64?) throws(ClientError) -> EventNotice? {
    let deadline = timeoutMs.map { clinux_monotonic_micros() / 1000 + $0 }
    while notices.isEmpty {
      guard try pump(until: deadline, method: "event") else { return nil }
    }
    return notices.removeFirst()
  }

  /// True when the answer is here, so that `finish` would not wait.
  public func isAnswered(_ ticket: Ticket) -> Bool { answers[ticket.number] != nil }

  /// Lets go of every question on its way: their answers are thrown away when they come.
  public func forgetAll() {
    open.removeAll()
    answers.removeAll()
  }

  /// Takes what comes for at most `timeoutMs`, and at once when something came. False when nothing did.
  @discardableResult
  public func wait(timeoutMs: Int64) throws(ClientError) -> Bool {
    try pump(until: clinux_monotonic_micros() / 1000 + timeoutMs, method: "event")
  }

  /// Waits for bytes once. False at the deadline.
  private func pump(until deadline: Int64?, method: String) throws(ClientError) -> Bool {
    while true {
      if isInterrupted() { throw ClientError(.interrupted, "interrupted") }
      let left = deadline.map { $0 - clinux_monotonic_micros() / 1000 } ?? ClientLimits.pollMs
      if left < 0 { return false }
      let bytes: [UInt8]?
      do throws(UnixSocket.Fault) {
        bytes = try socket.receive(timeoutMs: Int32(min(left, ClientLimits.pollMs)))
      } catch {
        throw lost(method, error.words)
      }
      guard let bytes else {
        if deadline != nil && left <= 0 { return false }
        continue
      }
      if bytes.isEmpty { throw lost(method, "the daemon closed the connection") }
      for line in reader.lines(bytes) { try take(line) }
      return true
    }
  }

  private func take(_ line: [UInt8]) throws(ClientError) {
    do throws(AnswerReader.Failure) {
      switch try AnswerReader.read(line) {
      case .answer(let number, let result):
        if open.contains(number) { answers[number] = result }
      case .event(let notice):
        if notices.count >= ClientLimits.noticesMax {
          notices.removeFirst()
          noticesLost += 1
        }
        notices.append(notice)
      }
    } catch {
      throw ClientError(
        .software, "the daemon at \(path) does not speak Tally's admin protocol", why: error.what,
        fix: "is another program's socket there? `tally version` names both versions")
    }
  }

  private func decode<Value: Decodable>(_ bytes: [UInt8], _ method: String) throws(ClientError) -> Value {
    do throws(RPCError) {
      return try AdminJSON.decode(Value.self, from: bytes)
    } catch {
      throw ClientError(
        .software, "the daemon's answer to \(method) is of another version", why: error.message,
        fix: "use the tally that belongs to this tallyd")
    }
  }

  private func lost(_ method: String, _ why: String) -> ClientError {
    ClientError(
      .unavailable, "the daemon went away", why: "\(method) at \(path): \(why)",
      fix: "`tally up` starts it again; nothing it acknowledged is lost")
  }

  /// What a person can do about a socket that does not answer.
  static func unreachable(_ path: String, _ fault: UnixSocket.Fault) -> ClientError {
    let what = "cannot reach tally at \(path): \(fault.words)"
    switch fault.code {
    case ENOENT:
      return ClientError(.unavailable, what, why: "no daemon was started there", fix: "tally up")
    case ECONNREFUSED:
      return ClientError(.unavailable, what, why: "the daemon that made it has ended", fix: "tally up")
    case EACCES, EPERM:
      return ClientError(
        .permission, what, why: "you are uid \(getuid()); the socket's owner or group may connect",
        fix: "use the daemon's user, or ask its operator to set `admin.group` to a group of yours")
    case ENAMETOOLONG:
      return ClientError(
        .config, what, why: "the path of a Unix socket has at most \(clinux_unix_path_max()) bytes",
        fix: "use a shorter --data directory")
    case EAGAIN:
      return ClientError(.timeout, what, why: "its queue of connections is full", fix: "try again")
    default:
      return ClientError(.unavailable, what, fix: "`tally up`, or look into daemon.log beside the socket")
    }
  }
}

public enum ClientLimits {
  /// Milliseconds that an answer may take unless the caller says otherwise.
  public static let answerMs: Int64 = 30_000
  /// Milliseconds between two looks at whether the caller was interrupted.
  public static let pollMs: Int64 = 200
  /// Milliseconds that the daemon may leave the socket full.
  public static let sendMs: Int32 = 30_000
  /// Notifications kept for a caller that does not take them; the oldest goes first.
  public static let noticesMax = 4096
  /// Bytes of one line from the daemon.
  public static let lineMax = 64 << 20
}
