// Owns: tar archives as bytes, as nasty as a test wants them (POSIX.1-1988 ustar). No tar program would write these.

struct TarEntry {
  var name: String
  var type: Character = "0"
  var link = ""
  var mode = 0o644
  var content: [UInt8] = []

  var bytes: [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
    }
    func octal(_ value: Int, digits: Int) -> String {
      let text = String(value, radix: 8)
      return String(repeating: "0", count: digits - text.count) + text
    }
    put(name, at: 0)
    put(octal(mode, digits: 7), at: 100)
    put(octal(0, digits: 7), at: 108)
    put(octal(0, digits: 7), at: 116)
    put(octal(content.count, digits: 11), at: 124)
    put(octal(1_700_000_000, digits: 11), at: 136)
    put("        ", at: 148)
    put(String(type), at: 156)
    put(link, at: 157)
    put("ustar\u{0}00", at: 257)
    put("evil", at: 265)
    put("evil", at: 297)
    put(octal(1, digits: 7), at: 329)
    put(octal(3, digits: 7), at: 337)
    put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + "\u{0} ", at: 148)
    let padding = (512 - content.count % 512) % 512
    return header + content + [UInt8](repeating: 0, count: padding)
  }
}

func tar(_ entries: [TarEntry]) -> [UInt8] {
  entries.flatMap { $0.bytes } + [UInt8](repeating: 0, count: 1024)
}
