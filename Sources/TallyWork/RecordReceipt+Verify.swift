// Owns: what must hold between the parts of a record receipt, and what that shows.

import TallyBase
import TallyCrypto
import TallyLog
import TallyWire

extension RecordReceipt {
  func verify(
    requester: PublicKey?, worker: PublicKey?, author: PublicKey?, name: (PublicKey) -> String
  ) -> Verdict {
    var verdict = Verdict()
    verdict.expect("author", author, is: self.author, name: name)
    verdict.require(requester == nil, "requester: this receipt is about a record; give --author")
    verdict.require(worker == nil, "worker: this receipt is about a record; give --author")
    verdict.check(record, "record", mesh: mesh)
    verdict.require(record.author == self.author, "record: by another key than the receipt names")
    verdict.require(
      record.entry.kind == .record, "record: the entry is \(record.entry.kind.name ?? "of a newer kind")")
    let body: RecordBody
    do {
      body = try RecordBody(decoding: record.entry.body)
    } catch {
      verdict.faults.append("record: \(error)")
      return verdict
    }
    checkWords(body, &verdict)
    guard verdict.holds else { return verdict }
    verdict.sign(record, "the record", name: name)
    if words != nil {
      verdict.shown.append("the words in this file are the recorded ones")
    } else {
      let form = body.form == .salted ? "salted " : ""
      verdict.shown.append("a record of words whose \(form)SHA-256 is \(body.digest.hex)")
      verdict.notShown.append("the words: they are not in this file")
    }
    verdict.notShown += [
      "that the words are true: this is what the author says",
      "when it was recorded: the time is the author's word",
      "that the author keeps no second history: ask a mesh for forks of this feed",
    ]
    if author == nil { verdict.notShown.append("who holds this key: compare it with --author") }
    return verdict
  }

  private func checkWords(_ body: RecordBody, _ verdict: inout Verdict) {
    guard let words else {
      verdict.require(salt == nil, "salt: without words")
      return
    }
    verdict.require(words.count <= TextLimits.receiptWordsBytes, "words: above the limit")
    switch (body.form, salt) {
    case (.salted, .some(let salt)):
      verdict.require(RecordBody.salted(words, salt: salt) == body, "words: are not the recorded ones")
    case (.plain, .none): verdict.require(RecordBody.plain(words) == body, "words: are not the recorded ones")
    case (.salted, .none): verdict.faults.append("salt: missing")
    case (.plain, .some): verdict.faults.append("salt: the record has none")
    }
  }
}
