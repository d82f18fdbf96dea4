import TallyBase
import TallyCrypto
import TallyWire
extension WorkSpec {
  public func canonicalBytes() throws(WorkSpecError) -> [UInt8] { [] }
  public static func parse(_ bytes: [UInt8]) throws(WorkSpecError) -> WorkSpec { WorkSpec(run: [], root: .host(arch: "")) }
}
/// Hashes and commitments of DESIGN section 10.
public enum WorkHash {
  public static func work(_ canonical: [UInt8]) -> Digest { SHA256Hash.hash(Array("tally/work/1\n".utf8) + canonical) }
  public static func postCommitment(salt: Bytes32, workHash: Digest) -> Digest { SHA256Hash.hash(Array("tally/post/1".utf8) + salt.bytes + workHash.bytes) }
  public static func saltCommitment(_ taskSalt: Bytes32) -> Digest { SHA256Hash.hash(Array("tally/salt/1".utf8) + taskSalt.bytes) }
}
public struct TextError: Error, Hashable, Sendable { public let line: Int; public let problem: String }
public struct Manifest: Hashable, Sendable {
  public struct File: Hashable, Sendable { public var path: [UInt8]; public var sha256: Digest; public var isExecutable: Bool }
  public struct Link: Hashable, Sendable { public var path: [UInt8]; public var target: [UInt8] }
  public var workHash: Digest
  public var index: UInt32
  public var exit: Int32
  public var stdout: Digest?
  public var files: [File]
  public var links: [Link]
  public var directories: [[UInt8]]
  public func text() throws(TextError) -> [UInt8] { [] }
  public static func parse(_ bytes: [UInt8]) throws(TextError) -> Manifest { throw TextError(line: 0, problem: "") }
  public static func digest(salt: Bytes32, text: [UInt8]) -> Digest { SHA256Hash.hash(salt.bytes + text) }
}
public struct Tree: Hashable, Sendable {
  public enum Node: Hashable, Sendable { case directory; case file(ContentID, size: UInt64, isExecutable: Bool); case link(target: [UInt8]) }
  public struct Line: Hashable, Sendable { public var path: [UInt8]; public var node: Node }
  public var lines: [Line]
  public func text() throws(TextError) -> [UInt8] { [] }
  public static func parse(_ bytes: [UInt8]) throws(TextError) -> Tree { throw TextError(line: 0, problem: "") }
}
public struct Fold: Sendable {
  public init() {}
  public mutating func apply(feed: FeedID, author: PublicKey, index: UInt64, leaf: Digest, entry: Entry) {}
  public mutating func dropFrom(feed: FeedID, index: UInt64) {}
  public var digest: Digest { .zero }
  public var counts: FoldCounts { FoldCounts() }
  /// Oldest first; the newest `last` of them.
  public func jobs(last: Int) -> [JobSummary] { [] }
  public func summary(_ id: EntryID) -> JobSummary? { nil }
  public func job(_ id: EntryID) -> JobDetail? { nil }
  public func task(_ id: TaskID) -> TaskView? { nil }
  public func claim(_ link: EntryLink) -> ClaimView? { nil }
  /// Entry IDs of jobs and records whose hex begins with `prefix`, sorted.
  public func find(prefix: String) -> [EntryID] { [] }
  public var balances: [Balance] { [] }
  public func records(last: Int) -> [RecordView] { [] }
  public func record(_ id: EntryID) -> RecordView? { nil }
}
/// One entry with the proof that it stands in a feed, as a receipt carries it.
public struct ProvenEntry: Hashable, Sendable {
  public let author: PublicKey
  public let incarnation: UInt64
  public let index: UInt64
  public let entry: Entry
  public let path: [Digest]
  public let head: Head
}
public struct Verdict: Hashable, Sendable {
  public let faults: [String]
  public let signed: [String]
  public let shown: [String]
  public let notShown: [String]
  public let evidence: Evidence?
  public var holds: Bool { faults.isEmpty }
}
