// Owns: well-formed texts to begin with, made by our own encoders. Refuses to know: how they are mutated.
import TallyBase
import TallyCrypto
import TallyGossip
import TallyLog
import TallyWire
import TallyWork

enum Samples {
  static let meshName = "lab"
  static let meshNonce = [UInt8](repeating: 1, count: 16)
  static let mesh = Names.meshID(name: meshName, nonce: meshNonce)
  static let hash = SHA256Hash.hash([1])
  static let content = ContentID(raw: hash.raw)

  /// A host of number `number`; a seed of 32 bytes always gives one.
  static func identity(_ number: UInt8) -> Identity {
    do {
      return try Identity(seed: [UInt8](repeating: number, count: 32))
    } catch {
      preconditionFailure("no identity of 32 bytes: \(error)")
    }
  }

  static let key = identity(1).publicKey
  static let feed = Names.feedID(mesh: mesh, author: key, incarnation: 7)
  static let verifierKey = VerifierKey(mesh: meshName, feed: feed, author: key)
  static let head = Head.signed(by: identity(1), mesh: meshName, feed: feed, size: 3, root: hash)
  static let note = head.note(mesh: meshName, author: key).bytes
  static let checkpoint = Head.signedText(mesh: meshName, feed: feed, size: 3, root: hash)
  static let proof = TlogProof(index: 1, path: [hash, hash], head: head, mesh: meshName, author: key).bytes

  static let token: [UInt8] = {
    var generator = Generator(seed: hash.raw, stream: 0)
    return InviteToken.issue(mesh: mesh, expires: 9, identity: identity(1), generator: &generator).encoded
  }()

  static let manifest: [UInt8] = written {
    try Manifest(
      workHash: hash, index: 2, exit: 1, stdout: hash,
      files: [
        Manifest.File(path: Array("a/b".utf8), sha256: hash, isExecutable: true),
        Manifest.File(path: Array("c\nd\\e".utf8), sha256: hash, isExecutable: false),
      ], links: [Manifest.Link(path: Array("l".utf8), target: Array("a/b".utf8))],
      directories: [Array("a".utf8)]
    ).text()
  }

  static let tree: [UInt8] = written {
    try Tree(lines: [
      Tree.Line(path: Array("a".utf8), node: .directory),
      Tree.Line(path: Array("a/b\n".utf8), node: .file(content, size: 70_000, isExecutable: true)),
      Tree.Line(path: Array("l".utf8), node: .link(target: Array("a/b".utf8))),
    ]).text()
  }

  static let works: [[UInt8]] = [
    WorkSpec(run: ["sh", "-c", "wc < /in/t > /out/n"], root: .host(arch: "x86_64")),
    WorkSpec(
      run: ["é\n\"\\", "x"], root: .tree(content, arch: "aarch64", recipe: Recipe(fields: ["suite": .text("12")])),
      inputs: [
        WorkInput(at: "t", content: .file(content, sha256: hash)), WorkInput(at: "u", content: .tree(content)),
      ], stdin: content, environment: ["A": "b"], cores: 4, over: WorkOver(table: content, rows: 9)),
    WorkSpec(run: ["main"], root: .wasm(content), epoch: 0),
  ].map { spec in written { try spec.canonicalBytes() } }

  static let invites: [[UInt8]] = [
    Invite(
      key: key, host: "192.0.2.4", port: 8255, mesh: meshName, nonce: meshNonce, token: "AAEC",
      meshKey: [UInt8](repeating: 7, count: 32)),
    Invite(key: key, host: "2001:db8::1", port: 9, mesh: meshName, nonce: meshNonce, token: nil, meshKey: nil),
    Invite(key: key, host: "seed.example.org", port: 8255, mesh: meshName, nonce: meshNonce, token: nil, meshKey: nil),
  ].map { Array($0.url.utf8) }

  static let endpoints: [[UInt8]] = [
    "192.0.2.4:8255", "[2001:db8::1]:8255", "[::ffff:10.0.0.1]:1", "[1:2:3:4:5:6:7:8]:65535", "[::]:0",
    "[fe80::1:0:0]:7",
  ].map { Array($0.utf8) }

  private static func written(_ body: () throws -> [UInt8]) -> [UInt8] {
    do { return try body() } catch { preconditionFailure("a sample that cannot be written: \(error)") }
  }
}
