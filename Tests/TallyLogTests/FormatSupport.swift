// Owns: what the tests of the log's formats share: the shared vectors' folder, small trees, real identities.
import Foundation
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire
import Testing

enum Vectors {
  /// The folder of shared vectors: beside the repository, or where TALLY_VECTORS says.
  static let folder: URL = {
    if let path = ProcessInfo.processInfo.environment["TALLY_VECTORS"] { return URL(fileURLWithPath: path) }
    return URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../shared/vectors").standardizedFileURL
  }()

  /// The file's bytes, or nil, said aloud, when the vectors are not on this machine.
  static func data(_ path: String, suite: String) throws -> Data? {
    guard FileManager.default.fileExists(atPath: folder.path) else {
      print("SKIP \(suite): no vectors at \(folder.path)")
      return nil
    }
    return try Data(contentsOf: folder.appendingPathComponent(path))
  }

  static func json<Value: Decodable>(_ type: Value.Type, _ path: String, suite: String) throws -> Value? {
    guard let data = try data(path, suite: suite) else { return nil }
    return try JSONDecoder().decode(type, from: data)
  }
}

extension Digest {
  init?(base64 text: String) {
    guard let bytes = Base64.decode(Array(text.utf8)) else { return nil }
    self.init(bytes)
  }
}

/// A tree by RFC 6962's own recursive words, to check ours against.
enum NaiveTree {
  static func root(_ leaves: ArraySlice<Digest>) -> Digest {
    guard leaves.count > 1 else { return leaves.first ?? SHA256Hash.hash([]) }
    let cut = leaves.startIndex + split(leaves.count)
    return SHA256Hash.node(root(leaves[..<cut]), root(leaves[cut...]))
  }

  static func path(_ index: Int, _ leaves: ArraySlice<Digest>) -> [Digest] {
    guard leaves.count > 1 else { return [] }
    let half = split(leaves.count)
    let cut = leaves.startIndex + half
    return index < half
      ? path(index, leaves[..<cut]) + [root(leaves[cut...])]
      : path(index - half, leaves[cut...]) + [root(leaves[..<cut])]
  }

  static func split(_ count: Int) -> Int {
    var half = 1
    while half * 2 < count { half *= 2 }
    return half
  }
}

/// One author with a feed in a mesh.
final class Author {
  let identity: Identity
  let incarnation: UInt64 = 7
  let mesh = "home"
  let meshID: MeshID
  let feed: FeedID

  init(_ number: UInt8 = 1) throws {
    identity = try Identity(seed: [UInt8](repeating: number, count: 32))
    meshID = Names.meshID(name: mesh, nonce: [UInt8](repeating: 3, count: 16))
    feed = Names.feedID(mesh: meshID, author: identity.publicKey, incarnation: 7)
  }

  var key: PublicKey { identity.publicKey }
  var row: FeedRow { FeedRow(feed: feed, author: identity.publicKey, incarnation: incarnation, reason: .member) }

  var begin: Entry {
    let body = BeginBody(author: identity.publicKey, incarnation: incarnation, recovery: .zero, continues: nil)
    return Entry(kind: .begin, timeMs: 1_700_000_000_000, links: [], body: body.encoded)
  }

  func entries(_ count: Int, tag: UInt8 = 0) -> [Entry] {
    var entries = [begin]
    for number in 1..<max(1, count) {
      let body: [UInt8] = [tag, UInt8(number & 255), UInt8(number >> 8)]
      entries.append(Entry(kind: .record, timeMs: 1_700_000_000_000 + Int64(number), links: [], body: body))
    }
    return entries
  }

  func head(size: UInt64, root: Digest) -> Head {
    Head.signed(by: identity, mesh: mesh, feed: feed, size: size, root: root)
  }

  func head(_ leaves: [Digest]) -> Head { head(size: UInt64(leaves.count), root: MerkleTree.root(leaves)) }
}

/// Made-up leaf hashes that differ from a given index on when the tag differs.
func leaves(_ count: Int, forkedAt fork: Int = .max, tag: UInt8 = 0) -> [Digest] {
  (0..<count).map { SHA256Hash.leaf([UInt8($0 & 255), UInt8($0 >> 8), $0 < fork ? 0 : tag]) }
}
