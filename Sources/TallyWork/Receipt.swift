// Owns: one text file that shows, without any daemon, who signed what about one task or one record.
// Refuses to know: sockets, stores, trust. DESIGN section 10, Interop; PROTOCOL.md, chapter "Work", section "Receipt".

import TallyBase
import TallyWire

/// Why a file is not a receipt at all.
public struct ReceiptError: Error, Hashable, Sendable, CustomStringConvertible {
  public let section: String
  public let problem: String

  public init(section: String, problem: String) {
    self.section = section
    self.problem = problem
  }

  public var description: String { "\(section): \(problem)" }
}

/// Claim and acceptance of one task, with everything that is needed to check them.
public struct WorkReceipt: Hashable, Sendable {
  public var mesh: MeshName
  public var requester: PublicKey
  public var worker: PublicKey
  public var postSalt: Bytes32
  /// This task's salt only.
  public var taskSalt: Bytes32
  /// Canonical JSON, one line.
  public var work: [UInt8]
  public var manifest: [UInt8]
  public var post: ProvenEntry
  public var grant: ProvenEntry
  public var claim: ProvenEntry
  /// nil while nobody accepted: then the receipt shows a claim only.
  public var accept: ProvenEntry?

  public init(
    mesh: MeshName, requester: PublicKey, worker: PublicKey, postSalt: Bytes32, taskSalt: Bytes32, work: [UInt8],
    manifest: [UInt8], post: ProvenEntry, grant: ProvenEntry, claim: ProvenEntry, accept: ProvenEntry?
  ) {
    self.mesh = mesh
    self.requester = requester
    self.worker = worker
    self.postSalt = postSalt
    self.taskSalt = taskSalt
    self.work = work
    self.manifest = manifest
    self.post = post
    self.grant = grant
    self.claim = claim
    self.accept = accept
  }
}

/// One `record` entry, with its words when the author gives them away.
public struct RecordReceipt: Hashable, Sendable {
  public var mesh: MeshName
  public var author: PublicKey
  /// For a salted record; nil for a plain one, or when the words stay private.
  public var salt: Bytes32?
  /// At most `TextLimits.receiptWordsBytes`.
  public var words: [UInt8]?
  public var record: ProvenEntry

  public init(mesh: MeshName, author: PublicKey, salt: Bytes32?, words: [UInt8]?, record: ProvenEntry) {
    self.mesh = mesh
    self.author = author
    self.salt = salt
    self.words = words
    self.record = record
  }
}

public enum Receipt: Hashable, Sendable {
  case work(WorkReceipt)
  case record(RecordReceipt)

  /// The text of a receipt that holds. Throws what `verify` finds wrong: no host hands out a receipt that fails.
  public static func make(_ receipt: Receipt) throws(ReceiptError) -> [UInt8] {
    if let fault = receipt.verify().faults.first { throw ReceiptError(section: "receipt", problem: fault) }
    let text = receipt.text
    guard try parse(text) == receipt else {
      throw ReceiptError(section: "receipt", problem: "does not read back as it was written")
    }
    return text
  }

  /// What the file says about the keys and entries in it. Give the keys you expect: without them a receipt signed
  /// wholly by strangers holds too.
  public func verify(
    requester: PublicKey? = nil, worker: PublicKey? = nil, author: PublicKey? = nil,
    name: (PublicKey) -> String = Verdict.keyText
  ) -> Verdict {
    switch self {
    case .work(let receipt): receipt.verify(requester: requester, worker: worker, author: author, name: name)
    case .record(let receipt): receipt.verify(requester: requester, worker: worker, author: author, name: name)
    }
  }
}
