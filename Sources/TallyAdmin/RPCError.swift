// Owns: why a request was not carried out, as the client sees it. JSON-RPC 2.0 section 5.1.

/// `data.hint` says what to do about it.
public struct RPCError: Error, Hashable, Sendable {
  public let code: Int
  public let message: String
  public let hint: String

  public init(code: Int, message: String, hint: String) {
    self.code = code
    self.message = message
    self.hint = hint
  }

  public static let parseErrorCode = -32700
  public static let invalidRequestCode = -32600
  public static let methodNotFoundCode = -32601
  public static let invalidParamsCode = -32602
  public static let internalErrorCode = -32603
  public static let notFoundCode = 1001
  public static let unreachableCode = 1002
  public static let timeoutCode = 1003
  public static let deniedCode = 1004
  public static let conflictCode = 1005
  public static let stoppingCode = 1006
  public static let limitCode = 1009
  public static let signingOffCode = 1010
  public static let storeFullCode = 1011
  public static let refusedCode = 1012

  public static func parse(_ what: String) -> RPCError {
    RPCError(code: parseErrorCode, message: what, hint: "one JSON-RPC 2.0 object per line, UTF-8, RFC 8259")
  }

  public static func invalidRequest(_ what: String) -> RPCError {
    RPCError(
      code: invalidRequestCode, message: what,
      hint: #"{"jsonrpc":"2.0","id":1,"method":"status","params":{}} and a newline"#)
  }

  public static func invalidParams(_ what: String) -> RPCError {
    RPCError(code: invalidParamsCode, message: what, hint: "see `tally api api.discover` for every method's parameters")
  }

  public static func notFound(_ what: String, hint: String) -> RPCError {
    RPCError(code: notFoundCode, message: what, hint: hint)
  }

  /// The daemon is on its way out and takes nothing new.
  public static let stopping = RPCError(
    code: stoppingCode, message: "the daemon is stopping", hint: "`tally up` starts it again")

  public static func denied(need: Role, have: Role) -> RPCError {
    RPCError(
      code: deniedCode, message: "this needs the role \(need.rawValue); this connection has \(have.rawValue)",
      hint: "connect as the daemon's user or root, or ask its operator to put you into the operators' group")
  }
}
