// Owns: what a check of a receipt answers: sentences, in words, with what is not shown. Never a bare yes.

import TallyBase
import TallyCrypto
import TallyWire

public struct Verdict: Hashable, Sendable {
  /// What does not hold; each begins with the part it concerns. Empty: everything below holds.
  public internal(set) var faults: [String] = []
  /// Whose keys signed what.
  public internal(set) var signed: [String] = []
  public internal(set) var shown: [String] = []
  public internal(set) var notShown: [String] = []
  /// nil for a record, and when something does not hold.
  public internal(set) var evidence: Evidence?

  public var holds: Bool { faults.isEmpty }

  /// A person's text: faults alone, or signatures, what is shown, what is not.
  public var text: String {
    if !holds {
      return faults.map { "does not hold: \($0)\n" }.joined()
    }
    var lines = ["signed:"] + signed.map { "  \($0)" }
    lines += ["shown:"] + shown.map { "  \($0)" }
    lines += ["not shown:"] + notShown.map { "  \($0)" }
    if let evidence { lines.append("evidence: \(evidence.word)") }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A key as `tal1…`.
  public static func keyText(_ key: PublicKey) -> String { KeyText.encode(key) }

  /// One sentence a proven entry: who signed it, where it stands.
  mutating func sign(_ entry: ProvenEntry, _ what: String, name: (PublicKey) -> String) {
    signed.append(
      "\(name(entry.author)) signed \(what) as entry \(entry.index) of its feed \(entry.head.feed.hex.prefix(12))")
  }

  mutating func check(_ entry: ProvenEntry, _ title: String, mesh: MeshName) {
    if let fault = entry.fault(mesh: mesh) { faults.append("\(title): \(fault)") }
  }

  mutating func require(_ condition: Bool, _ fault: @autoclosure () -> String) {
    if !condition { faults.append(fault()) }
  }

  mutating func expect(_ role: String, _ expected: PublicKey?, is key: PublicKey, name: (PublicKey) -> String) {
    guard let expected, expected != key else { return }
    faults.append("\(role): signed by \(name(key)), not by \(name(expected))")
  }
}
