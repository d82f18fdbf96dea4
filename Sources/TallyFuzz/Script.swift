// Owns: reading an input as the script of a stateful target: a step at a time, and nothing when it is used up.

/// Every read succeeds: an input that ends early is a shorter script.
struct Script {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position >= bytes.count }

  mutating func byte() -> Int {
    guard position < bytes.count else { return 0 }
    position += 1
    return Int(bytes[position - 1])
  }

  mutating func word() -> Int { byte() | byte() << 8 }

  /// At most `count` bytes, those that are there.
  mutating func take(_ count: Int) -> [UInt8] {
    let end = min(bytes.count, position + count)
    let part = Array(bytes[position..<end])
    position = end
    return part
  }
}
