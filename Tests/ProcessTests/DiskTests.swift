// A full disk: the host says so, signs nothing that it cannot keep, goes on reading, and takes up again by itself.
import Foundation
import Glibc
import TallyAdmin
import TallyHarness
import Testing

extension ProcessTests {
  @Suite(.serialized, .timeLimit(.minutes(1))) struct Disks {
    /// A small file system of its own; nil where that is not allowed.
    private func smallDisk(_ field: Field, mebibytes: Int) throws -> String? {
      let path = field.directory + "/disk"
      try Files.makeDirectory(path)
      let (code, words) = try Child.run(
        "/bin/mount", ["-t", "tmpfs", "-o", "size=\(mebibytes)m,mode=0700", "tally-test", path])
      guard code == 0 else {
        skip("ProcessTests/disk-full", "mount is refused: \(words.split(separator: "\n").first ?? "")")
        return nil
      }
      field.atEnd {
        do { _ = try Child.run("/bin/umount", ["-l", path]) } catch { print("umount \(path): \(error)") }
      }
      return path
    }

    /// Takes every byte that is left.
    private func fill(_ path: String) -> Int {
      let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
      defer { close(descriptor) }
      var total = 0
      for size in [65_536, 4096] {
        let block = [UInt8](repeating: 0xaa, count: size)
        // Safe: `size` bytes are read from an array of that many.
        while true {
          let count = unsafe write(descriptor, block, size)
          if count <= 0 { break }
          total += count
        }
      }
      return total
    }

    @Test func aFullDiskStopsSigningAndNothingElse() throws {
      try Field.run("disk-full") { field in
        guard let disk = try smallDisk(field, mebibytes: 24) else { return }
        let seed = try field.host("a")
        try seed.start()
        let host = try field.host("b", seeds: [try seed.invite()], in: disk)
        try host.start()
        try field.converge([seed, host])
        var acknowledged: Set<String> = []
        for number in 0..<20 { acknowledged.insert(try host.record("while there is room \(number)").id) }

        try #require(fill(disk + "/ballast") > 1 << 20)
        // What is left of the journal's own pages is used up first.
        var raw = try RawAdmin(host.socket)
        let words = Base64.text(of: 32_768)
        var refusal = ""
        try eventually("a write is refused", within: 20, everyMs: 0) {
          let answer = try raw.call("record.put", #"{"words":"\#(words)"}"#)
          if let id = Self.recordID(answer) { acknowledged.insert(id) } else { refusal = answer }
          return !refusal.isEmpty
        }
        figure("disk full: the client reads", refusal)
        // The commit that met the full disk was taken back; the next write is not even tried. Both say what to do.
        try #require(refusal.contains("\"code\":1011") && refusal.contains("free space"), "\(refusal)")
        let next = try raw.call("record.put", #"{"words":"aGVsbG8="}"#)
        try #require(next.contains("\"code\":1011") && next.contains("the store is full"), "\(next)")
        let full = try host.status()
        try #require(full.signing.hasPrefix("off: the store is full"), "\(full.signing)")
        try #require(full.warnings.contains { $0.code == "signing" })
        // Reading goes on: entries and proofs of its own feed, and the others' answers.
        let proof = try host.admin().call(
          "ledger.proof", ProofParams(feed: full.feed, index: 3), as: ProofResult.self)
        _ = try Stranger.check(proof, mesh: Field.mesh, author: try host.key())
        try #require(host.ping(seed).rttUs > 0)
        // The other one is not stopped by it.
        let elsewhere = try seed.record("elsewhere there is room", wait: "released")

        Files.remove(disk + "/ballast")
        let took = try milliseconds {
          try eventually("it signs again", within: 40, state: { try host.status().signing }) {
            try host.status().signing == "on"
          }
        }
        figure("disk freed to signing", "\(took) ms")
        acknowledged.insert(try host.record("there is room again", wait: "released").id)
        acknowledged.insert(elsewhere.id)
        try field.converge([seed, host])
        try #require(host.status().store == "ok")

        host.crash()
        try host.start()
        try field.converge([seed, host])
        for one in [seed, host] {
          let lost = acknowledged.subtracting(try one.recordIDs())
          try #require(lost.isEmpty, "\(one.name) lost \(lost.count) acknowledged records")
          try #require(one.status().forks == 0)
        }
        try #require(host.status().feed == full.feed)
      }
    }

    /// The ID in an answer to `record.put`; nil for an error.
    private static func recordID(_ answer: String) -> String? {
      guard let start = answer.range(of: #""id":""#)?.upperBound else { return nil }
      return String(answer[start...].prefix(64))
    }
  }
}
