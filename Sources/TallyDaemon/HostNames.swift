// Owns: what people see in place of keys: the reader's own name, else the petname a host proposes, else a short key;
// clashes get ~2. And back: which key a text means. DESIGN section 4.
import TallyBase
import TallyCrypto

struct HostNames {
  private var names: [PublicKey: String] = [:]
  private var keys: [String: PublicKey] = [:]
  private var known: [PublicKey] = []

  /// `own` are the reader's names, `proposed` the hosts' own wishes; both sorted by key.
  init(own: [(PublicKey, String)], proposed: [(PublicKey, String)]) {
    for (key, name) in own where !name.isEmpty { give(name, to: key) }
    for (key, name) in proposed where names[key] == nil {
      give(name.isEmpty ? Self.short(key) : name, to: key)
    }
    known = names.keys.sorted()
  }

  private mutating func give(_ name: String, to key: PublicKey) {
    var free = name
    var number = 2
    while keys[free] != nil {
      free = "\(name)~\(number)"
      number += 1
    }
    names[key] = free
    keys[free] = key
  }

  static func short(_ key: PublicKey) -> String { String(KeyText.encode(key).prefix(12)) }

  func name(_ key: PublicKey) -> String { names[key] ?? Self.short(key) }

  /// A key from its whole text, a name, or a prefix of at least 6 characters of exactly one known key.
  func key(_ text: String) -> PublicKey? {
    if let key = keys[text] { return key }
    do throws(KeyTextError) {
      return try KeyText.decode(text)
    } catch {
      guard text.count >= 6 else { return nil }
      let matching = known.filter { KeyText.encode($0).hasPrefix(text) }
      return matching.count == 1 ? matching[0] : nil
    }
  }
}
