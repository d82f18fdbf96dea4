// Owns: base64 as C2SP's formats use it: RFC 4648 section 4, padded, one spelling per value.
// Foundation's decoder is not to be had below the daemon, and is laxer.

public enum Base64 {
  private static let alphabet: [UInt8] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let invalid: UInt8 = 0xff
  private static let pad: UInt8 = 0x3d
  private static let values: [UInt8] = {
    var table = [UInt8](repeating: invalid, count: 256)
    for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
    return table
  }()

  /// The text's bytes, padded.
  public static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var group: UInt32 = 0
    var count = 0
    for byte in bytes {
      group = group << 8 | UInt32(byte)
      count += 1
      if count == 3 {
        appendGroup(group, characters: 4, to: &text)
        (group, count) = (0, 0)
      }
    }
    if count > 0 { appendGroup(group << UInt32(8 * (3 - count)), characters: count + 1, to: &text) }
    return text
  }

  /// Nil for anything that `encode` does not give: missing padding, spaces, or left-over bits that are not zero.
  public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var group: UInt32 = 0
    var count = 0
    var padding = 0
    for character in text {
      if character == pad {
        padding += 1
      } else {
        let value = values[Int(character)]
        guard value != invalid, padding == 0 else { return nil }
        group = group << 6 | UInt32(value)
        count += 1
        if count == 4 {
          for shift in [16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: group >> shift)) }
          (group, count) = (0, 0)
        }
      }
    }
    switch (count, padding) {
    case (0, 0): break
    case (2, 2) where group & 0xf == 0: bytes.append(UInt8(truncatingIfNeeded: group >> 4))
    case (3, 1) where group & 0x3 == 0:
      bytes.append(UInt8(truncatingIfNeeded: group >> 10))
      bytes.append(UInt8(truncatingIfNeeded: group >> 2))
    default: return nil
    }
    return bytes
  }

  private static func appendGroup(_ group: UInt32, characters: Int, to text: inout [UInt8]) {
    for index in 0..<4 {
      let value = Int(group >> UInt32(18 - 6 * index) & 0x3f)
      text.append(index < characters ? alphabet[value] : pad)
    }
  }
}
