// trust.toml: what is written is read, and what cannot be understood trusts nobody.
import Glibc
import TallyBase
import TallyCrypto
import TallyExchange
import Testing

@testable import TallyDaemon

@Suite struct TrustFileTests {
  private func key(_ seed: UInt8) throws -> PublicKey { try Identity(seed: [UInt8](repeating: seed, count: 32)).publicKey }

  @Test func roundTrip() throws {
    var file = TrustFile()
    file.put(TrustFile.Entry(key: try key(1), name: "oak", relation: .trusted, owner: "Ada \"L\" \\ \u{1b}\n ü"))
    file.put(TrustFile.Entry(key: try key(2), relation: .blocked))
    file.put(TrustFile.Entry(key: try key(3), name: "elm"))
    file.lend = TrustFile.Lend(on: true, cores: 2, memoryMiB: 512, diskMiB: 100, slots: 1)
    #expect(file.entries == file.entries.sorted { $0.key < $1.key })
    let read = try TrustFile(parsing: file.text, path: "trust.toml")
    #expect(read == file)
    #expect(read.relations == [try key(1): .trusted, try key(2): .blocked], "a name alone is no relation")
    #expect(read.entry(of: try key(3))?.name == "elm")
    #expect(!file.text.unicodeScalars.contains("\u{1b}"))
  }

  @Test func plainMembershipNeedsNoLine() throws {
    var file = TrustFile()
    file.put(TrustFile.Entry(key: try key(1), relation: .trusted))
    file.put(TrustFile.Entry(key: try key(1), relation: .member))
    #expect(file.entries.isEmpty)
    #expect(try TrustFile(parsing: file.text, path: "x") == TrustFile())
  }

  @Test func savedForItsOwnerAlone() throws {
    let path = "/tmp/tally-trust-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    defer { unsafe unlink(path) }
    #expect(try TrustFile.load(path) == TrustFile(), "an absent file is an empty one")
    var file = TrustFile()
    file.put(TrustFile.Entry(key: try key(1), relation: .trusted))
    try file.save(path)
    var status = stat()
    #expect(unsafe stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(try TrustFile.load(path) == file)
  }

  @Test func theFileBeatsTheConfiguration() throws {
    let config = LendPolicy(lends: false, cores: 4, memoryMiB: 1, diskMiB: 1, slots: 1, relations: [:])
    var file = TrustFile()
    file.put(TrustFile.Entry(key: try key(1), relation: .trusted))
    #expect(!file.policy(config).lends && file.policy(config).relations.count == 1)
    file.lend = TrustFile.Lend(on: true, cores: 1, memoryMiB: 2, diskMiB: 3, slots: 4)
    let policy = file.policy(config)
    #expect(policy.lends && policy.cores == 1 && policy.slots == 4)
  }

  @Test func whatCannotBeUnderstoodIsRefused() throws {
    let host = "[[host]]\nkey = \"\(KeyText.encode(try key(1)))\"\nrelation = \"trusted\"\n"
    for (text, says) in [
      (host.replacing("relation", with: "relatoin"), "did you mean 'relation'?"),
      (host.replacing("\"trusted\"", with: "\"friend\""), "relation of"), (host.replacing("tal1", with: "tal2"), "not a host's key"),
      (host + host, "stands twice"), ("[[hosts]]\nkey = \"x\"\n", "did you mean 'host'?"), ("host = 1\n", "must be a list"),
      ("[lend]\non = true\n", "lend.cores"), ("[lend]\non = 1\n", "lend.on"), ("[[host]]\nrelation = \"trusted\"\n", "without a key"),
    ] {
      do throws(ConfigError) {
        _ = try TrustFile(parsing: text, path: "trust.toml")
        Issue.record("accepted: \(text)")
      } catch {
        #expect("\(error)".contains(says), "\(error) should say \(says)")
      }
    }
  }
}
