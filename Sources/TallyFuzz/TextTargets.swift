// Owns: the text formats as targets: notes, proofs, receipts, manifests, trees, works, invites, keys, addresses.
// Refuses to know: what is true in them; a receipt is verified only to see that nothing traps.
import TallyBase
import TallyCrypto
import TallyGossip
import TallyLog
import TallyWire
import TallyWork

enum TextTargets {
  static let all: [FuzzTarget] = [
    note, proof, checkpoint, verifierKey, receipt, manifest, tree, work, invite, keyText, endpoint, base64, hex,
  ]

  /// An error's words without numbers, up to the first quoted piece of the input.
  static func words(_ error: some Error) -> String {
    var text: [UInt8] = []
    for byte in "\(error)".utf8.prefix(64) {
      if byte == 0x22 || byte == 0x5c || byte >= 0x80 { break }
      if (0x61...0x7a).contains(byte) || byte == 0x20 { text.append(byte) }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func text(_ bytes: [UInt8]) -> String? { String(validating: bytes, as: UTF8.self) }

  private static func canonical(_ again: [UInt8], _ input: [UInt8], _ name: String) -> FuzzOutcome {
    let size = Int.bitWidth - input.count.leadingZeroBitCount
    return again == input ? .accepted("\(size)") : .violated("another text of \(name)")
  }

  static let note = FuzzTarget("note", sizeMax: 4096, seeds: { [Samples.note] }) { input in
    do throws(NoteFault) {
      let note = try SignedNote(parsing: input)
      do throws(NoteFault) { _ = try note.verify([Samples.verifierKey]) } catch { _ = error }
      return canonical(note.bytes, input, "note")
    } catch {
      return .refused(words(error))
    }
  }

  static let proof = FuzzTarget("tlog-proof", sizeMax: 8192, seeds: { [Samples.proof] }) { input in
    do throws(NoteFault) {
      let proof = try TlogProof(parsing: input)
      do throws(NoteFault) { _ = try proof.verify(leaf: .zero, log: Samples.verifierKey) } catch { _ = error }
      return canonical(proof.bytes, input, "proof")
    } catch {
      return .refused(words(error))
    }
  }

  static let checkpoint = FuzzTarget("checkpoint", sizeMax: 1024, seeds: { [Samples.checkpoint] }) { input in
    do throws(NoteFault) {
      let checkpoint = try Checkpoint(parsing: input)
      guard checkpoint.extensions.isEmpty else { return .accepted("with extensions") }
      return canonical(checkpoint.text, input, "checkpoint")
    } catch {
      return .refused(words(error))
    }
  }

  static let verifierKey = FuzzTarget("verifier-key", sizeMax: 512, seeds: { [Array(Samples.verifierKey.text.utf8)] }) {
    input in
    guard let text = text(input) else { return .refused("UTF-8") }
    do throws(NoteFault) {
      return canonical(Array(try VerifierKey(parsing: text).text.utf8), input, "verifier key")
    } catch {
      return .refused(words(error))
    }
  }

  static let receipt = FuzzTarget("receipt", sizeMax: 16_384) { input in
    do throws(ReceiptError) {
      let receipt = try Receipt.parse(input)
      let verdict = receipt.verify(requester: Samples.key, worker: Samples.key)
      let size = verdict.text.utf8.count
      guard size <= 64 * 1024 else { return .violated("a verdict of \(size) bytes") }
      if verdict.holds { return .violated("a receipt of strangers holds for given keys") }
      return canonical(receipt.text, input, "receipt")
    } catch {
      return .refused(words(error))
    }
  }

  static let manifest = FuzzTarget("manifest", sizeMax: 4096, seeds: { [Samples.manifest] }) { input in
    do throws(TextError) {
      return canonical(try Manifest.parse(input).text(), input, "manifest")
    } catch {
      return .refused(words(error))
    }
  }

  static let tree = FuzzTarget("tree", sizeMax: 4096, seeds: { [Samples.tree] }) { input in
    do throws(TextError) {
      let tree = try Tree.parse(input)
      _ = tree.totalSize
      return canonical(try tree.text(), input, "tree")
    } catch {
      return .refused(words(error))
    }
  }

  static let work = FuzzTarget("work", sizeMax: 20_000, seeds: { Samples.works }) { input in
    do throws(WorkSpecError) {
      return canonical(try WorkSpec.parse(input).canonicalBytes(), input, "work")
    } catch {
      return .refused(words(error))
    }
  }

  /// Not canonical (a port may be left out), but what is read is written so that it reads back equal.
  static let invite = FuzzTarget("invite", sizeMax: 1200, seeds: { Samples.invites }) { input in
    guard let text = text(input) else { return .refused("UTF-8") }
    do throws(InviteError) {
      let invite = try Invite(parsing: text)
      let again = try Invite(parsing: invite.url)
      guard again == invite, again.url == invite.url else { return .violated("an invite that changes when it is read") }
      return .accepted(invite.seed == nil ? "name" : "address")
    } catch {
      return .refused(words(error))
    }
  }

  static let keyText = FuzzTarget("key-text", sizeMax: 120, seeds: { [Array(KeyText.encode(Samples.key).utf8)] }) {
    input in
    guard let text = text(input) else { return .refused("UTF-8") }
    do throws(KeyTextError) {
      let key = try KeyText.decode(text)
      guard KeyText.encode(key) == text.lowercased() else { return .violated("another text of one key") }
      return .accepted("")
    } catch {
      return .refused(words(error))
    }
  }

  static let endpoint = FuzzTarget("endpoint", sizeMax: 100, seeds: { Samples.endpoints }) { input in
    guard let text = text(input) else { return .refused("UTF-8") }
    guard let endpoint = Endpoint(text) else { return .refused("") }
    guard Endpoint(endpoint.description) == endpoint else { return .violated("an address that does not read back") }
    _ = endpoint.address.group
    return .accepted("\(endpoint.address.scope) \(endpoint.address.isV4)")
  }

  static let base64 = FuzzTarget("base64", sizeMax: 200, seeds: { [Array("aGVsbG8=".utf8), Array("aGVs".utf8)] }) {
    input in
    let url = text(input).flatMap { Base64URL.decode($0) }
    if let url, Array(Base64URL.encode(url).utf8) != input { return .violated("another base64url text") }
    guard let bytes = Base64.decode(input) else { return .refused(url == nil ? "both" : "plain") }
    return canonical(Base64.encode(bytes), input, "base64")
  }

  static let hex = FuzzTarget("hex", sizeMax: 100, seeds: { [Array("00ff".utf8)] }) { input in
    guard let text = text(input), let bytes = Hex.decode(text) else { return .refused("") }
    return canonical(Array(Hex.encode(bytes).utf8), input, "hex")
  }
}
