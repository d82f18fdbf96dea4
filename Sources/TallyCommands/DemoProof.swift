// Owns: checking, from bytes alone, that a host holds claim and acceptance of a job; and the job itself, counted twice.
import TallyAdmin
import TallyBase
import TallyCrypto
import TallyWire
import TallyWork

/// What one host proved.
struct DemoProof {
  var evidence: String
  var requesterKey: String
  var workerKey: String

  /// Asks one host where claim and acceptance stand, takes their bytes, and checks everything here.
  static func make(_ host: DemoHost, mesh file: MeshFile, job: String) throws(ClientError) -> DemoProof {
    guard let mesh = MeshName(name: file.name, nonce: file.nonce) else {
      throw ClientError(.software, "the demo's mesh has no name")
    }
    let client = try host.client()
    let show = try client.call("job.show", JobParams(id: job), as: JobResult.self)
    let wrong = { (what: String) in ClientError(.checkFailed, "\(host.name) does not prove the completion: \(what)") }
    guard let row = show.acceptances.last, let claimRow = show.claims.first(where: { $0.id == row.claim }) else {
      throw wrong("it shows no acceptance of a claim")
    }
    let post = try ReceiptCompose.entry(client, feed: show.feed, index: show.feedIndex)
    let claim = try ReceiptCompose.entry(client, feed: claimRow.feed, index: claimRow.feedIndex)
    let accept = try ReceiptCompose.entry(client, feed: row.feed, index: row.feedIndex)
    let parts = [(post, "post", EntryKind.jobPost), (claim, "claim", .workClaim), (accept, "acceptance", .accept)]
    for (entry, name, kind) in parts {
      if let fault = ReceiptCompose.fault(entry, mesh: mesh) { throw wrong("\(name): \(fault)") }
      if entry.entry.kind != kind { throw wrong("the \(name) is another kind of entry") }
    }
    if post.id.hex != job { throw wrong("the post is another job's") }
    if !accept.entry.links.contains(claim.link) { throw wrong("the acceptance names other claims") }
    if accept.author != post.author { throw wrong("the acceptance is not by the one who asked") }
    if claim.author == post.author { throw wrong("the worker is the one who asked") }
    return DemoProof(
      evidence: claimRow.evidence, requesterKey: KeyText.encode(post.author), workerKey: KeyText.encode(claim.author))
  }
}

enum DemoWork {
  static let result = "frequencies.txt"

  /// sh and coreutils alone.
  static let script = """
    tr -cs A-Za-z '\\n' < /in/GPL-3 | tr A-Z a-z | while read -r word; do [ -z "$word" ] || echo "$word"; done \
    | sort | uniq -c | sort -k1,1nr -k2,2 > /out/\(result)
    echo 'the five most frequent words:'
    head -n 5 /out/\(result)
    """

  /// What the script writes, counted here.
  static func frequencies(_ text: [UInt8]) -> [UInt8] {
    var counts: [String: Int] = [:]
    var word = ""
    for byte in text + [0x0a] {
      let isUpper = (0x41...0x5a).contains(byte)
      if isUpper || (0x61...0x7a).contains(byte) {
        word.unicodeScalars.append(Unicode.Scalar(isUpper ? byte + 32 : byte))
      } else if !word.isEmpty {
        counts[word, default: 0] += 1
        word = ""
      }
    }
    let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    var lines = ""
    for (word, count) in sorted {
      let digits = "\(count)"
      lines += String(repeating: " ", count: max(0, 7 - digits.count)) + digits + " " + word + "\n"
    }
    return Array(lines.utf8)
  }
}
