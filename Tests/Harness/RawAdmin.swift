// Owns: the admin socket without any manners: lines of bytes out, lines of text in.
import TallyAdmin

public struct RawAdmin: ~Copyable {
  private let socket: UnixSocket
  private var held: [UInt8] = []

  public init(_ path: String) throws { socket = try UnixSocket(path: path) }

  public func send(_ bytes: [UInt8]) throws { try socket.send(bytes, timeoutMs: 10_000) }
  public func send(line: String) throws { try send(Array(line.utf8) + [0x0a]) }

  /// The next line; nil when the daemon closed, or nothing came in time.
  public mutating func line(timeoutMs: Int32 = 10_000) throws -> String? {
    while true {
      if let end = held.firstIndex(of: 0x0a) {
        let line = String(decoding: held[..<end], as: UTF8.self)
        held.removeFirst(end + 1)
        return line
      }
      guard let bytes = try socket.receive(timeoutMs: timeoutMs), !bytes.isEmpty else { return nil }
      held += bytes
    }
  }

  /// Sends a line and takes its answer.
  public mutating func ask(_ line: String) throws -> String {
    try send(line: line)
    return try demand(try self.line(), "no answer to \(line.prefix(120))")
  }

  /// One request with parameters as JSON text.
  public mutating func call(_ method: String, _ params: String = "{}") throws -> String {
    try ask(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#)
  }
}
