// The blocking client against a daemon that a test plays: a socket, lines, and bad manners.
import CLinux
import Foundation
import Glibc
import Testing

@testable import TallyAdmin

/// Answers lines on a Unix socket in a thread of its own, until the client is gone.
private final class FakeDaemon: @unchecked Sendable {
  let path: String
  private let listener: Int32
  private let answer: @Sendable (String) -> [String]
  private let done = DispatchSemaphore(value: 0)

  /// `answer` gets a line and gives the lines to send; an answer of nothing but "hang up" closes the connection.
  init(answer: @escaping @Sendable (String) -> [String]) throws {
    self.answer = answer
    path = "/tmp/tally-admin-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
    listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    try #require(listener >= 0)
    let bound = unsafe clinux_unix_bind(listener, path, 0o600)
    try #require(bound >= 0 && listen(listener, 8) == 0)
    Thread.detachNewThread { [self] in serve() }
  }

  private func serve() {
    let connection = accept(listener, nil, nil)
    var buffer: [UInt8] = []
    var isOpen = true
    while isOpen {
      var bytes = [UInt8](repeating: 0, count: 65_536)
      let count = unsafe recv(connection, &bytes, bytes.count, 0)
      if count <= 0 { break }
      buffer += bytes[..<count]
      while isOpen, let end = buffer.firstIndex(of: 0x0a) {
        let line = String(decoding: buffer[..<end], as: UTF8.self)
        buffer.removeFirst(end + 1)
        for text in answer(line) {
          if text == "hang up" {
            isOpen = false
            break
          }
          PosixText.put(text + "\n", to: connection)
        }
      }
    }
    close(connection)
    close(listener)
    unsafe unlink(path)
    done.signal()
  }

  static func id(_ line: String) -> Int {
    let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    return object?["id"] as? Int ?? -1
  }
}

@Suite struct ClientTests {
  @Test func answersAreTakenByNumberInAnyOrder() throws {
    let waiting = Mutable<[Int]>([])
    let daemon = try FakeDaemon { line in
      waiting.value.append(FakeDaemon.id(line))
      if waiting.value.count < 2 { return [] }
      return waiting.value.reversed().map { #"{"jsonrpc":"2.0","id":\#($0),"result":{"staging":\#($0)}}"# }
    }
    let client = try AdminClient(path: daemon.path)
    let first = try client.begin("blob.begin", NoParams())
    let second = try client.begin("blob.begin", NoParams())
    let a = try client.finish(first, as: StagingResult.self)
    let b = try client.finish(second, as: StagingResult.self)
    #expect(a.staging == 1 && b.staging == 2)
  }

  @Test func notificationsComeWhileAnAnswerIsAwaited() throws {
    let daemon = try FakeDaemon { line in
      let event = #"{"jsonrpc":"2.0","method":"event","params":{"subscription":1,"type":"job","text":"running"}}"#
      return [event, event, #"{"jsonrpc":"2.0","id":\#(FakeDaemon.id(line)),"result":{"done":true}}"#]
    }
    let client = try AdminClient(path: daemon.path)
    _ = try client.call("status", as: Done.self)
    let first = try client.nextNotice(timeoutMs: 0)
    let second = try client.nextNotice(timeoutMs: 0)
    let third = try client.nextNotice(timeoutMs: 0)
    #expect(first?.text == "running" && second != nil && third == nil)
  }

  @Test func errorsSayWhatAndWhatToDo() throws {
    let daemon = try FakeDaemon { line in
      let data = #"{"code":1004,"message":"this needs the role admin","data":{"hint":"ask"}}"#
      return [#"{"jsonrpc":"2.0","id":\#(FakeDaemon.id(line)),"error":\#(data)}"#]
    }
    let client = try AdminClient(path: daemon.path)
    do throws(ClientError) {
      _ = try client.call("shutdown", as: Done.self)
      Issue.record("accepted")
    } catch {
      #expect(error.code == .permission && error.fix == "ask")
      #expect(error.text == "error: this needs the role admin\n  fix: ask\n")
    }
  }

  @Test func aDaemonThatHangsUpIsUnavailable() throws {
    let daemon = try FakeDaemon { _ in ["hang up"] }
    let client = try AdminClient(path: daemon.path)
    #expect { _ = try client.call("status", as: Done.self) } throws: { ($0 as? ClientError)?.code == .unavailable }
  }

  @Test func anotherProgramsSocketIsRecognised() throws {
    let daemon = try FakeDaemon { _ in ["HTTP/1.1 400 Bad Request"] }
    let client = try AdminClient(path: daemon.path)
    #expect { _ = try client.call("status", as: Done.self) } throws: { ($0 as? ClientError)?.code == .software }
  }

  @Test func aSilentDaemonIsATimeout() throws {
    let daemon = try FakeDaemon { _ in [] }
    let client = try AdminClient(path: daemon.path)
    #expect { _ = try client.call("status", NoParams(), as: Done.self, timeoutMs: 20) } throws: {
      ($0 as? ClientError)?.code == .timeout
    }
  }

  @Test func noSocketSaysWhatWhyAndFix() {
    do throws(ClientError) {
      _ = try AdminClient(path: "/nonexistent/admin.sock")
      Issue.record("connected")
    } catch {
      #expect(error.code == .unavailable && error.fix == "tally up")
      #expect(error.what == "cannot reach tally at /nonexistent/admin.sock: No such file or directory")
    }
    do throws(ClientError) {
      _ = try AdminClient(path: "/tmp/" + String(repeating: "x", count: 200))
      Issue.record("connected")
    } catch {
      #expect(error.code == .config && error.fix.contains("shorter"))
    }
  }

  @Test func textOfOthersMovesNoCursor() {
    let error = ClientError(.refused, "a\u{1b}[31mb\nc")
    #expect(error.text == "error: a [31mb c\n")
  }

  @Test func aBlobGoesInLeavesAndComesBack() throws {
    let store = Mutable<[UInt8]>([])
    let leaves = Mutable<[Int]>([])
    let daemon = try FakeDaemon { line in
      guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
        let id = object["id"] as? Int, let method = object["method"] as? String,
        let params = object["params"] as? [String: Any]
      else { return ["hang up"] }
      let result: String
      switch method {
      case "blob.begin": result = #"{"staging":9}"#
      case "blob.put":
        let bytes = Array(Data(base64Encoded: params["data"] as? String ?? "") ?? Data())
        leaves.value.append(bytes.count)
        store.value += bytes
        result = #"{"done":true}"#
      case "blob.finish": result = #"{"cid":"ab","size":\#(store.value.count)}"#
      default:
        let start = (params["leaf"] as? Int ?? 0) * AdminClient.leafSize
        let leaf = Data(store.value[start..<min(start + AdminClient.leafSize, store.value.count)])
        result =
          #"{"cid":"ab","size":\#(store.value.count),"leaf":0,"data":"\#(leaf.base64EncodedString())"}"#
      }
      return [#"{"jsonrpc":"2.0","id":\#(id),"result":\#(result)}"#]
    }
    let client = try AdminClient(path: daemon.path)
    let bytes = (0..<(20 * AdminClient.leafSize + 5)).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
    let row = try client.putBlob(bytes, as: .client)
    #expect(row.size == UInt64(bytes.count) && store.value == bytes)
    #expect(leaves.value == [Int](repeating: AdminClient.leafSize, count: 20) + [5], "only the last is shorter")
    let back = try client.getBlob("ab", as: .client, limit: bytes.count)
    #expect(back == bytes)
    #expect { _ = try client.getBlob("ab", as: .client, limit: 10) } throws: { ($0 as? ClientError)?.code == .badData }
  }
}

/// A value that a test's daemon thread and the test share, one after the other.
private final class Mutable<Value>: @unchecked Sendable {
  private let lock = NSLock()
  private var held: Value
  init(_ value: Value) { held = value }
  var value: Value {
    get { lock.withLock { held } }
    set { lock.withLock { held = newValue } }
  }
}
