// A checkpoint is a C2SP signed note that a stranger checks with a parser and an Ed25519 that are not ours: Python's
// standard library and forty lines of arithmetic, in Fixtures/tools.
import TallyAdmin
import TallyBase
import TallyHarness
import Testing

extension ProcessTests {
  @Suite(.serialized, .timeLimit(.minutes(2))) struct Checkpoints {
    private static let python = "/usr/bin/python3"

    @Test func aStrangersParserChecksTheNoteOnEveryHost() throws {
      guard Files.exists(Self.python) else {
        print("SKIP aStrangersParserChecksTheNoteOnEveryHost: no \(Self.python)")
        return
      }
      let root = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
      let script = "/\(root)/Fixtures/tools/check_note.py"
      try Field.run("checkpoint") { field in
        let hosts = try field.mesh(of: 2)
        _ = try hosts[0].record("seen by a stranger", wait: "released")
        try field.converge(hosts)
        let feed = try hosts[0].status().feed
        for host in hosts {
          let answer = try host.admin().call("checkpoint", FeedParams(feed: feed), as: CheckpointResult.self)
          let path = field.directory + "/note-" + host.name
          try Files.write(answer.note, to: path)
          let (status, text) = try Child.run(Self.python, [script, answer.vkey, path])
          #expect(status == 0, "\(text)")
          #expect(text.contains(" \(answer.size) "), "\(text)")
          // It can fail: the same note about one entry more is refused.
          try Files.write(
            answer.note.replacing("\n\(answer.size)\n", with: "\n\(answer.size + 1)\n"), to: path + "-forged")
          let (forged, why) = try Child.run(Self.python, [script, answer.vkey, path + "-forged"])
          #expect(forged == 1 && why.contains("does not verify"), "\(why)")
        }
      }
    }
  }
}
