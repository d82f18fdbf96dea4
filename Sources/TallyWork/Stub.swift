import TallyBase
import TallyCrypto
import TallyWire
extension WorkSpec {
  public func canonicalBytes() throws(WorkSpecError) -> [UInt8] { [] }
  public static func parse(_ bytes: [UInt8]) throws(WorkSpecError) -> WorkSpec { WorkSpec(run: [], root: .host(arch: "")) }
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
/// One entry with the proof that it stands in a feed, as a receipt carries it.
public struct ProvenEntry: Hashable, Sendable {
  public let author: PublicKey
  public let incarnation: UInt64
  public let index: UInt64
  public let entry: Entry
  public let path: [Digest]
  public let head: Head
}
