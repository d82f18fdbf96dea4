// Owns: directories, feeds and scenarios for the store's tests.
import Foundation
import Synchronization
import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

@testable import TallyStore

/// A directory that goes away with its owner.
final class Scratch: Sendable {
  let path: String
  private static let counter = Mutex(0)

  init() throws {
    let number = Self.counter.withLock { value in
      value += 1
      return value
    }
    path = NSTemporaryDirectory() + "tally-store-\(ProcessInfo.processInfo.processIdentifier)-\(number)"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { print("left behind: \(path): \(error)") }
  }

  var data: String { path + "/data" }
}

/// A feed whose entries are a function of its seed; heads have true roots and false signatures, which a store
/// does not look at.
struct TestFeed: Sendable {
  let row: FeedRow
  private(set) var frontier = MerkleFrontier()
  private(set) var leaves: [Digest] = []
  private(set) var entries: [Entry] = []
  private let seed: UInt8

  init(seed: UInt8, reason: CarryReason = .own) {
    self.seed = seed
    let feed = FeedID(raw: Blake2b.hash256([1, seed]))
    let author = PublicKey(raw: Blake2b.hash256([2, seed]))
    row = FeedRow(feed: feed, author: author, incarnation: 0xfedc_ba98_0000_0000 | UInt64(seed), reason: reason)
  }

  var size: UInt64 { frontier.size }
  var mark: GuardMark { GuardMark(incarnation: row.incarnation, size: size, root: frontier.root) }
  var head: Head {
    let half = Bytes32(word0: size, word1: 7, word2: 7, word3: UInt64(seed))
    return Head(
      feed: row.feed, size: size, root: frontier.root, signature: Signature(first: half, second: frontier.root.raw))
  }

  /// An entry like a claim: one or two links, about 50 bytes of body.
  static func entry(_ index: UInt64, seed: UInt8, bodyCount: Int) -> Entry {
    let target = FeedID(raw: Blake2b.hash256([3, UInt8(index % 3)]))
    let place = [UInt8(truncatingIfNeeded: index), UInt8(truncatingIfNeeded: index >> 8)]
    let leaf = Digest(raw: Blake2b.hash256([4, seed], place))
    let links = [EntryLink(feed: target, index: index, leaf: leaf)]
    let body = (0..<bodyCount).map { UInt8(truncatingIfNeeded: UInt64($0) &* 31 &+ index &* 17 &+ UInt64(seed)) }
    return Entry(kind: .record, timeMs: 1_700_000_000_000 + Int64(index) * 1000, links: links, body: body)
  }

  /// Adds `count` entries and gives the operation that stores them.
  mutating func grow(_ count: Int, bodyCount: Int = 48) -> StoreOperation {
    let from = size
    let new = (0..<count).map { Self.entry(from + UInt64($0), seed: seed, bodyCount: bodyCount) }
    for entry in new {
      let leaf = SHA256Hash.leaf(entry.preimage)
      leaves.append(leaf)
      frontier.append(leaf)
    }
    entries += new
    return .entries(feed: row.feed, from: from, entries: new, head: head)
  }

  /// Root of the first `size` entries.
  func root(_ size: UInt64) -> Digest { MerkleTree.root(leaves[..<Int(size)]) }
}

/// A store over a directory, opened as the daemon opens it.
struct OpenStore: ~Copyable {
  let directory: DataDirectory
  var writer: StoreWriter
  let recovered: Recovered
  var reader: StoreReader
  private var number: UInt64 = 0

  init(_ path: String) throws(StoreError) {
    let directory = try DataDirectory(path)
    var writer = try StoreWriter(directory)
    let recovered = try writer.recover()
    let reader = try StoreReader(directory)
    self.recovered = recovered
    self.reader = reader
    self.writer = writer
    self.directory = directory
  }

  /// One commit; nil when it is durable.
  mutating func commit(_ operations: [StoreOperation], mark: GuardMark? = nil) -> StoreFault? {
    number += 1
    let (through, fault) = writer.apply([Commit(number: number, operations: operations, guardMark: mark)])
    precondition((through == number) || fault != nil, "neither durable nor a fault")
    return fault
  }

  mutating func ask(_ question: ReadRequest.Question) -> ReadResult.Answer {
    reader.answer(ReadRequest(id: 9, question: question)).answer
  }

  /// Ends as `tally down` does.
  consuming func close() throws {
    try writer.close()
    try directory.close()
  }

  /// Everything stored, by feed.
  mutating func replayed() throws(StoreError) -> [FeedID: [Entry]] {
    var result: [FeedID: [Entry]] = [:]
    try writer.replay { feed, from, entries in
      precondition(from == UInt64(result[feed]?.count ?? 0), "replay is not in order")
      result[feed, default: []] += entries
    }
    return result
  }
}

/// Runs a program; nil when it is not there.
func runProgram(_ path: String, _ arguments: [String]) throws -> (status: Int32, output: String)? {
  guard FileManager.default.isExecutableFile(atPath: path) else { return nil }
  let process = Process()
  let pipe = Pipe()
  process.executableURL = URL(fileURLWithPath: path)
  process.arguments = arguments
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: data, as: UTF8.self))
}
