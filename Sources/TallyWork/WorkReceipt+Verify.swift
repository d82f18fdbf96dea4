// Owns: what must hold between the parts of a work receipt, and what that shows.

import TallyBase
import TallyCrypto
import TallyWire

extension WorkReceipt {
  /// The decoded bodies of the entries; a body that does not decode is a fault.
  private struct Bodies {
    var terms: Terms
    var work: WorkReference
    var grant: LeaseGrantBody
    var claim: WorkClaimBody
    var accept: AcceptBody?
  }

  func verify(
    requester: PublicKey?, worker: PublicKey?, author: PublicKey?, name: (PublicKey) -> String
  ) -> Verdict {
    var verdict = Verdict()
    verdict.expect("requester", requester, is: self.requester, name: name)
    verdict.expect("worker", worker, is: self.worker, name: name)
    verdict.require(author == nil, "author: this receipt is about work; give --requester and --worker")
    for (entry, title) in entries {
      verdict.check(entry, title, mesh: mesh)
      let expected = title == "claim" ? self.worker : self.requester
      verdict.require(entry.author == expected, "\(title): by another key than the receipt names")
    }
    guard let bodies = bodies(&verdict) else { return verdict }
    checkLinks(bodies, &verdict)
    let amount = checkAcceptance(bodies, &verdict)
    guard let manifest = checkWords(bodies, &verdict), verdict.holds else { return verdict }
    say(bodies, manifest, amount: amount, knowsKeys: requester != nil && worker != nil, name: name, &verdict)
    return verdict
  }

  private var entries: [(ProvenEntry, String)] {
    [(post, "post"), (grant, "grant"), (claim, "claim")] + (accept.map { [($0, "accept")] } ?? [])
  }

  private func bodies(_ verdict: inout Verdict) -> Bodies? {
    var kinds = [(post, EntryKind.jobPost, "post"), (grant, .leaseGrant, "grant"), (claim, .workClaim, "claim")]
    if let accept { kinds.append((accept, .accept, "accept")) }
    for (entry, kind, title) in kinds where entry.entry.kind != kind {
      verdict.faults.append("\(title): the entry is \(entry.entry.kind.name ?? "of a newer kind")")
      return nil
    }
    do {
      guard case .known(let terms, let work) = try JobPostBody.decode(post.entry.body) else {
        verdict.faults.append("post: rules newer than I know")
        return nil
      }
      return Bodies(
        terms: terms, work: work, grant: try LeaseGrantBody.decode(grant.entry.body),
        claim: try WorkClaimBody.decode(claim.entry.body),
        accept: try accept.map { (proven) throws(DecodeError) in
          try AcceptBody.decode(proven.entry.body, links: proven.entry.links.count)
        })
    } catch {
      verdict.faults.append("entries: \(error)")
      return nil
    }
  }

  /// The same rules by which the fold counts an entry.
  private func checkLinks(_ bodies: Bodies, _ verdict: inout Verdict) {
    verdict.require(post.entry.links.isEmpty, "post: has links")
    verdict.require(grant.entry.links == [post.link], "grant: is for another post")
    verdict.require(bodies.grant.taskIndex < bodies.terms.tasks, "grant: the post has no such task")
    verdict.require(bodies.grant.worker == worker, "grant: is to another worker")
    verdict.require(claim.entry.links == [grant.link], "claim: is for another lease")
  }

  /// The amount that the acceptance gives this claim; nil without one.
  private func checkAcceptance(_ bodies: Bodies, _ verdict: inout Verdict) -> UInt64? {
    guard let accept, let body = bodies.accept else { return nil }
    let links = accept.entry.links
    let items = body.items.filter { Int($0.link) < links.count && links[Int($0.link)] == claim.link }
    guard let amount = items.map(\.amount).max() else {
      verdict.faults.append("accept: names other claims")
      return nil
    }
    verdict.require(amount <= bodies.claim.units, "accept: more than was claimed")
    verdict.require(amount <= bodies.terms.mostUnits, "accept: more than the post allows")
    return amount
  }

  /// Work, salts and manifest against what the entries hold.
  private func checkWords(_ bodies: Bodies, _ verdict: inout Verdict) -> Manifest? {
    let workHash = WorkHash.work(work)
    do {
      _ = try WorkSpec.parse(work)
    } catch {
      verdict.faults.append("work: \(error)")
    }
    switch bodies.work {
    case .hidden(let commitment):
      verdict.require(
        commitment == WorkHash.postCommitment(salt: postSalt, workHash: workHash),
        "work: is not what the post commits to")
    case .open(let salt, let hash):
      verdict.require(salt == postSalt && hash == workHash, "work: is not what the post names")
    }
    verdict.require(
      bodies.grant.saltCommitment == WorkHash.saltCommitment(taskSalt), "task-salt: is not the lease's")
    verdict.require(
      bodies.claim.digest == WorkHash.claimDigest(salt: taskSalt, manifest: manifest),
      "manifest: is not what the claim holds")
    do {
      let parsed = try Manifest.parse(manifest)
      verdict.require(parsed.workHash == workHash, "manifest: is about other work")
      verdict.require(parsed.index == bodies.grant.taskIndex, "manifest: is about another task")
      verdict.require(parsed.exit == bodies.claim.exit, "manifest: has another exit code than the claim")
      verdict.require(
        (parsed.stdout != nil) == (bodies.terms.agreeOn == .outputsAndStdout),
        "manifest: holds stdout, or lacks it, against the terms")
      return parsed
    } catch {
      verdict.faults.append("manifest: \(error)")
      return nil
    }
  }

  private func say(
    _ bodies: Bodies, _ manifest: Manifest, amount: UInt64?, knowsKeys: Bool, name: (PublicKey) -> String,
    _ verdict: inout Verdict
  ) {
    verdict.evidence = amount == nil ? .claimed : .accepted
    verdict.sign(post, "the post", name: name)
    verdict.sign(grant, "the lease", name: name)
    verdict.sign(claim, "the claim", name: name)
    if let accept { verdict.sign(accept, "the acceptance", name: name) }
    let units = "\(bodies.claim.units) \(bodies.terms.unit)"
    verdict.shown = [
      "the work in this file, hash \(manifest.workHash.hex.prefix(12)), is the one that was posted",
      "claimed: task \(bodies.grant.taskIndex), attempt \(bodies.grant.attempt), gave exit \(bodies.claim.exit)"
        + " for \(units), sandbox \(bodies.claim.sandbox.word), root \(bodies.claim.root.word)",
      manifest.isEmpty
        ? "the manifest in this file is the claimed one: no files"
        : "the manifest in this file is the claimed one: \(manifest.files.count) files",
    ]
    if let amount {
      verdict.shown.append("accepted: the requester owes the worker \(amount) \(bodies.terms.unit) for it")
    }
    if amount == nil { verdict.notShown.append("that anybody accepted the claim") }
    if worker == requester { verdict.notShown.append("that a second party was there: one key signed both sides") }
    verdict.notShown += [
      "that the result is right: one worker claims it; to know more, run the work again",
      "that the work is what you want: read it",
      "when it was done, and that the sandbox was as named: these are the signers' words",
      "that the signers keep no second history: ask a mesh for forks of these feeds",
    ]
    if !knowsKeys { verdict.notShown.append("who holds these keys: compare them with --requester and --worker") }
  }
}
