// Clients with no manners: the daemon answers each mistake, and nobody else notices.
import Foundation
import TallyAdmin
import TallyHarness
import TallyNet
import Testing

extension ProcessTests {
  @Suite(.serialized, .timeLimit(.minutes(2))) struct AdminAbuse {
    /// What a line must get: one answer, an error of these codes, and a connection that goes on.
    private func requireError(_ raw: inout RawAdmin, _ line: [UInt8], _ codes: [Int], _ what: String) throws {
      try raw.send(line + [0x0a])
      let answer = try demand(try raw.line(), "no answer to \(what)")
      try demand(codes.contains { answer.contains("\"error\":{\"code\":\($0),") }, "\(what): \(answer.prefix(300))")
      try demand(answer.contains("\"jsonrpc\":\"2.0\""), "\(what): \(answer.prefix(300))")
    }

    private static var vectors: String? {
      let given = ProcessInfo.processInfo.environment["TALLY_VECTORS"]
      let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
      let path = (given ?? root + "/../shared/vectors") + "/json/test_parsing"
      return Files.exists(path) ? path : nil
    }

    @Test func everyMalformedDocumentIsRefused() throws {
      guard let path = Self.vectors else {
        skip("ProcessTests/json", "no shared vectors (TALLY_VECTORS, ../shared/vectors)")
        return
      }
      try Field.run("json") { field in
        let host = try field.host("a")
        try host.start()
        var raw = try RawAdmin(host.socket)
        var counts = (refused: 0, taken: 0, either: 0)
        for name in Files.list(path) where name.hasSuffix(".json") {
          let bytes = Files.bytes(path + "/" + name)
          // A newline ends a request here, whatever the document meant.
          if bytes.contains(0x0a) || bytes.contains(0x0d) || bytes.count > 120_000 { continue }
          let inside = Array(#"{"jsonrpc":"2.0","id":7,"method":"id","params":{"x":"#.utf8) + bytes + Array("}}".utf8)
          if name.hasPrefix("n_") {
            if !bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) {
              try requireError(&raw, bytes, [-32700, -32600], name)
            }
            try requireError(&raw, inside, [-32700, -32600], "\(name) inside params")
            counts.refused += 1
          } else {
            try raw.send(inside + [0x0a])
            let answer = try demand(try raw.line(), "no answer to \(name)")
            if name.hasPrefix("y_") {
              // JSON, so never a parse error; that there is no parameter x may be said or not.
              try demand(!answer.contains("-32700") && answer.contains("\"id\":7"), "\(name): \(answer.prefix(300))")
              counts.taken += 1
            } else {
              counts.either += 1
            }
          }
        }
        figure("JSONTestSuite on the socket", "\(counts.refused) refused, \(counts.taken) taken, \(counts.either) either way")
        try #require(counts.refused > 100 && counts.taken > 50)
        try #require(raw.call("id").contains("\"result\""))
      }
    }

    @Test func mistakesAreAnsweredOneByOne() throws {
      try Field.run("mistakes") { field in
        let host = try field.host("a")
        try host.start()
        var raw = try RawAdmin(host.socket)
        let unknown = try raw.call("statsu")
        try #require(unknown.contains("-32601") && unknown.contains("did you mean \\\"status\\\"?"), "\(unknown)")
        let wrong = try raw.call("ping", #"{"host":5}"#)
        try #require(wrong.contains("-32602"), "\(wrong)")
        let missing = try raw.call("ping")
        try #require(missing.contains("-32602"), "\(missing)")
        try #require(raw.ask(#"{"jsonrpc":"1.0","id":1,"method":"id"}"#).contains("-32600"))
        try #require(raw.ask("[]").contains("-32600"))
        // A notification is carried out and not answered: the next answer is the next question's.
        try raw.send(line: #"{"jsonrpc":"2.0","method":"id"}"#)
        try #require(raw.ask(#"{"jsonrpc":"2.0","id":"next","method":"id"}"#).contains("\"id\":\"next\""))

        // Too long: said at once, thrown away, and the connection goes on behind its newline.
        try raw.send([UInt8](repeating: 0x78, count: AdminLimits.lineSizeMax + 50_000) + [0x0a])
        let long = try demand(try raw.line(), "no answer to a long line")
        try #require(long.contains("-32600") && long.contains("\(AdminLimits.lineSizeMax)"), "\(long)")
        try #require(raw.call("id").contains("\"result\""))
        // A line of just the limit's size less one is read.
        let room = AdminLimits.lineSizeMax - 2
        let padded = #"{"jsonrpc":"2.0","id":1,"method":"id"}"#
        try #require(raw.ask(padded + String(repeating: " ", count: room - padded.utf8.count)).contains("\"result\""))
        // Words above their own limit.
        let large = try raw.call("record.put", #"{"words":"\#(Base64.encode([UInt8](repeating: 1, count: 65_537)))"}"#)
        try #require(large.contains("\"code\":1009"), "\(large.prefix(300))")
        // Half a line, then goodbye.
        do {
          let half = try RawAdmin(host.socket)
          try half.send(Array(#"{"jsonrpc""#.utf8))
        }
        try #require(host.record("after all that").durable)
      }
    }

    @Test func aRoleIsOnlyEverLowered() throws {
      try Field.run("roles") { field in
        let host = try field.host("a")
        try host.start()
        var raw = try RawAdmin(host.socket)
        try #require(raw.call("hello", #"{"role":"read"}"#).contains("\"role\":\"read\""))
        for (method, params) in [
          ("record.put", #"{"words":""}"#), ("shutdown", "{}"), ("lend", "{}"), ("ping", #"{"host":"a"}"#),
        ] {
          let answer = try raw.call(method, params)
          try #require(answer.contains("\"code\":1004") && answer.contains("has read"), "\(method): \(answer)")
        }
        let again = try raw.call("hello", #"{"role":"admin"}"#)
        try #require(again.contains("\"code\":1004"), "\(again)")
        try #require(raw.call("status").contains("\"clock_digest\""))
        // A worker takes tasks and decides nothing.
        var worker = try RawAdmin(host.socket)
        try #require(worker.call("hello", #"{"role":"worker"}"#).contains("\"role\":\"worker\""))
        try #require(worker.call("record.put", #"{"words":""}"#).contains("\"code\":1004"))
        try #require(host.status().entries == 1)
      }
    }

    @Test func aSlowReaderOnlyHurtsItself() throws {
      try Field.run("slow-reader") { field in
        let host = try field.host("a")
        try host.start()
        let child = try #require(host.child)
        var lazy = try RawAdmin(host.socket)
        try #require(lazy.call("events.subscribe").contains("\"subscription\":1"))
        // From here on it reads nothing. It has a queue of 512 KiB and the kernel's buffers before events are dropped.
        let writer = try RecordWriter(host)
        var latency = Samples()
        let before = child.residentKiB
        for number in 0..<6000 {
          try #require(writer.push())
          if number % 100 == 0 { latency.add(try milliseconds { _ = try host.id() }) }
        }
        writer.drain()
        try #require(writer.acknowledged.count == 6000)
        figure("beside a slow reader, 6,000 records; id", "\(latency.text); resident \(before) → \(child.residentKiB) KiB")
        try #require(child.residentKiB - before < 64 * 1024)

        // Now it reads: what was kept in order, then a notice that says how many are missing.
        var kept = 0
        var dropped: String?
        var more = 0
        while dropped == nil {
          guard let line = try lazy.line(timeoutMs: 500) else {
            // Everything kept was read; one more event carries the count.
            try #require(more < 5, "\(kept) events and no word about the dropped ones")
            more += 1
            try host.record("one more")
            continue
          }
          if line.contains("\"dropped\":") { dropped = line } else { kept += 1 }
        }
        let text = try #require(dropped)
        let count = try #require(text.range(of: "\"dropped\":").flatMap { Int(text[$0.upperBound...].prefix { $0.isNumber }) })
        figure("slow reader", "\(kept) events kept, \(count) dropped and counted")
        try #require(count > 0 && kept + count >= 6000)
      }
    }

    @Test func aThousandConnectionsAtOnce() throws {
      guard try OpenFiles.raise(to: 4096) >= 1600 else {
        skip("ProcessTests/connections", "the hard limit on open files is too low")
        return
      }
      try Field.run("connections") { field in
        let host = try field.host("a")
        try host.start()
        var idle = Samples()
        for _ in 0..<200 { idle.add(try milliseconds { _ = try host.admin().call("status", as: StatusResult.self) }) }
        var clients: [AdminClient] = []
        var busy = Samples()
        let took = try milliseconds {
          for number in 0..<1000 {
            clients.append(try host.connect())
            _ = try clients[number].begin("id", NoParams())
            if number % 5 == 0 { busy.add(try milliseconds { _ = try host.admin().call("status", as: StatusResult.self) }) }
          }
        }
        for client in clients { _ = try client.call("id", as: IDResult.self) }
        figure("1,000 connections opened and asked", "\(took) ms; daemon has \(host.child?.openFiles ?? 0) files open")
        figure("status of another client, idle", idle.text)
        figure("status of another client, meanwhile", busy.text)
        // Beyond the limit a connection is closed, not answered, and nobody else is hurt.
        var refused = 0
        for _ in 0..<300 {
          do {
            clients.append(try host.connect())
            _ = try clients[clients.count - 1].call("id", as: IDResult.self, timeoutMs: 5000)
          } catch let error as ClientError {
            try #require(error.code == .unavailable, "\(error)")
            refused += 1
          }
        }
        figure("1,300 connections", "\(refused) refused")
        try #require(refused > 0)
        try #require(host.record("beside a thousand").durable)
        clients.removeAll()
        try eventually("they are forgotten", state: { "\(host.child?.openFiles ?? 0)" }) {
          (host.child?.openFiles ?? 0) < 100
        }
        _ = try host.connect().call("id", as: IDResult.self)
      }
    }
  }
}
