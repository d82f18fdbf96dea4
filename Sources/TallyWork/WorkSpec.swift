// Owns: the work as a value: what is computed, and nothing about who or how often. DESIGN section 10.
// Refuses to know: terms, leases, sandboxes. Its one text form is RFC 8785 canonical JSON.

import TallyBase
import TallyWire

/// Where the file system of the work comes from.
public enum WorkRoot: Hashable, Sendable {
  case tree(ContentID, arch: String, recipe: Recipe?)
  case wasm(ContentID)
  /// The worker's own system. Results never agree across hosts.
  case host(arch: String)
}

/// How to make a root again, in words that the root's maker understands: strings and lists of strings by name.
public struct Recipe: Hashable, Sendable {
  public enum Value: Hashable, Sendable {
    case text(String)
    case list([String])
  }
  public var fields: [String: Value]
  public init(fields: [String: Value]) { self.fields = fields }
}

/// One input: what appears at `/in/<at>`.
public struct WorkInput: Hashable, Sendable {
  public enum Content: Hashable, Sendable {
    case tree(ContentID)
    case file(ContentID, sha256: Digest)
  }
  /// Relative and safe: no empty part, no `.`, no `..`.
  public var at: String
  public var content: Content

  public init(at: String, content: Content) {
    self.at = at
    self.content = content
  }
}

/// The rows that a map runs over.
public struct WorkOver: Hashable, Sendable {
  public var table: ContentID
  public var rows: UInt64
  public init(table: ContentID, rows: UInt64) {
    self.table = table
    self.rows = rows
  }
}

public struct WorkSpec: Hashable, Sendable {
  /// argv; the first is not empty.
  public var run: [String]
  public var root: WorkRoot
  /// Any order; the canonical form sorts by the bytes of `at`.
  public var inputs: [WorkInput]
  public var stdin: ContentID?
  public var environment: [String: String]
  /// Seconds since 1970: the time of every input file, and SOURCE_DATE_EPOCH.
  public var epoch: UInt64
  public var cores: UInt64
  public var over: WorkOver?

  /// 1980-01-01, the oldest time that a zip file can hold.
  public static let defaultEpoch: UInt64 = 315_532_800

  public init(
    run: [String], root: WorkRoot, inputs: [WorkInput] = [], stdin: ContentID? = nil,
    environment: [String: String] = [:], epoch: UInt64 = WorkSpec.defaultEpoch, cores: UInt64 = 1,
    over: WorkOver? = nil
  ) {
    self.run = run
    self.root = root
    self.inputs = inputs
    self.stdin = stdin
    self.environment = environment
    self.epoch = epoch
    self.cores = cores
    self.over = over
  }
}

/// What is wrong with a work, for the person who wrote it.
public struct WorkSpecError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The field as a path, such as `in[0].at`; `work` for the whole.
  public let field: String
  public let problem: String
  public let fix: String

  public init(field: String, problem: String, fix: String) {
    self.field = field
    self.problem = problem
    self.fix = fix
  }

  public var description: String { "\(field): \(problem); \(fix)" }
}
