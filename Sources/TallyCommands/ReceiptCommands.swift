// Owns: `tally receipt` and `tally verify`. Verifying needs no daemon, and says what is not shown.
import ArgumentParser
import TallyAdmin
import TallyBase
import TallyCrypto
import TallyWork

struct ReceiptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "receipt",
    abstract: "Print the receipt of a finished job of this host, or of a record.",
    discussion: "One text file that anybody checks without a daemon: tally verify FILE. It reveals the task's work.")
  @OptionGroup var options: DaemonOptions
  @Argument(help: "The ID of a job or a record, or any unique prefix of it.")
  var id: String
  @Option(help: "Which task of a map.")
  var index: UInt32?
  @Option(help: "A file for it; default: standard output.")
  var out: String?

  struct Report: Encodable {
    var receipt: String
    var bytes: Int
  }

  func run() throws {
    let client = try options.connect()
    let records = try client.call("records", LastParams(last: 10_000), as: RecordsResult.self).records
    let matching = records.filter { $0.id.hasPrefix(id) }
    let receipt: Receipt =
      matching.count == 1
      ? .record(try ReceiptCompose.record(client, matching[0]))
      : .work(try ReceiptCompose.work(client, id: id, index: index))
    let text = try ReceiptCompose.text(receipt)
    if let out {
      try PosixFile.write(text, to: out)
      Output.note("\(out): \(text.count) bytes; check it with: tally verify \(out)")
    }
    if options.json {
      Output.json(Report(receipt: String(decoding: text, as: UTF8.self), bytes: text.count))
    } else if out == nil {
      PosixText.put(text, to: 1)
    }
  }
}

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check a receipt without any daemon; say whose keys signed and what is not shown.",
    discussion: "Give the keys you expect: a receipt signed wholly by strangers holds, too.")
  @Argument(help: "A receipt; - for standard input.")
  var file: String
  @Option(help: "The key that must have asked for the work (tal1…).")
  var requester: String?
  @Option(help: "The key that must have done it.")
  var worker: String?
  @Option(help: "The key that must have written the record.")
  var author: String?
  @Option(help: "Write the receipt's manifest, a SHA256SUMS file, here.")
  var manifest: String?
  @Flag(help: "Print one JSON object.")
  var json = false

  struct Report: Encodable {
    var holds: Bool
    var evidence: String?
    var signed: [String]
    var shown: [String]
    var notShown: [String]
    var faults: [String]
  }

  func run() throws {
    let bytes = file == "-" ? Spawn.readAll(0) : try PosixFile.read(file)
    let receipt: Receipt
    do throws(ReceiptError) { receipt = try Receipt.parse(bytes) } catch {
      throw ClientError(
        .badData, "\(file) is no receipt: \(error)", fix: "`tally receipt ID` writes one; every byte of it matters")
    }
    let verdict = receipt.verify(
      requester: try key(requester, "--requester"), worker: try key(worker, "--worker"),
      author: try key(author, "--author"))
    if json {
      Output.json(
        Report(
          holds: verdict.holds, evidence: verdict.evidence?.word, signed: verdict.signed, shown: verdict.shown,
          notShown: verdict.notShown, faults: verdict.faults))
    } else {
      PosixText.put(verdict.text, to: 1)
    }
    guard verdict.holds else { throw ExitCode(ClientError.Code.checkFailed.rawValue) }
    if let manifest {
      guard case .work(let work) = receipt else {
        throw ClientError(.usage, "the receipt of a record has no manifest", fix: "leave --manifest away")
      }
      try PosixFile.write(work.manifest, to: manifest)
    }
  }

  private func key(_ text: String?, _ option: String) throws(ClientError) -> PublicKey? {
    guard let text else { return nil }
    do { return try KeyText.decode(text) } catch {
      throw ClientError(.usage, "\(option) wants a host's key: \(error)", fix: "`tally id` on that host prints it")
    }
  }
}
