// Owns: changing bytes into other bytes, as a function of a seeded generator. Refuses to know: what they mean.
import TallyBase

struct Mutator {
  var generator: Generator
  private static let edges: [UInt64] = [
    0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x1000, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
    1 << 40, 1 << 48, 1 << 53, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, .max,
  ]
  private static let marks = Array("{}[]\",:=+- \n\t\\/.0x1e9\u{0}\u{7f}".utf8)

  init(seed: UInt64, stream: UInt64) {
    generator = Generator(seed: Bytes32(word0: seed, word1: 0, word2: 0, word3: 0), stream: stream)
  }

  /// A changed copy of one of `pool`, or bytes from nothing when it is empty; at most `sizeMax` bytes.
  mutating func draw(from pool: [[UInt8]], sizeMax: Int) -> [UInt8] {
    guard !pool.isEmpty, !generator.chance(1, outOf: 64) else {
      return generator.bytes(generator.below(min(sizeMax, 256) + 1))
    }
    var bytes = pool[generator.below(pool.count)]
    for _ in 0...generator.below(4) { change(&bytes, other: pool[generator.below(pool.count)]) }
    if bytes.count > sizeMax { bytes.removeLast(bytes.count - sizeMax) }
    return bytes
  }

  private mutating func change(_ bytes: inout [UInt8], other: [UInt8]) {
    guard !bytes.isEmpty else {
      bytes = generator.bytes(1 + generator.below(16))
      return
    }
    let place = generator.below(bytes.count)
    switch generator.below(12) {
    case 0: bytes[place] ^= 1 << UInt8(generator.below(8))
    case 1: bytes[place] = UInt8(generator.below(256))
    case 2: bytes[place] = Self.marks[generator.below(Self.marks.count)]
    case 3: bytes[place] = bytes[place] &+ (generator.chance(1, outOf: 2) ? 1 : 0xff)
    case 4: overwrite(&bytes, at: place, with: number())
    case 5: bytes.insert(contentsOf: number(), at: place)
    case 6: bytes.insert(contentsOf: generator.bytes(1 + generator.below(8)), at: place)
    case 7: bytes.removeSubrange(place..<min(bytes.count, place + 1 + generator.below(8)))
    case 8: bytes.removeSubrange(place...)
    case 9: splice(&bytes, at: place, other)
    case 10:
      let end = min(bytes.count, place + 1 + generator.below(40))
      bytes.insert(contentsOf: bytes[place..<end], at: generator.below(bytes.count))
    default: overwrite(&bytes, at: place, with: Array(other.prefix(1 + generator.below(40))))
    }
  }

  private func overwrite(_ bytes: inout [UInt8], at place: Int, with new: [UInt8]) {
    for (offset, byte) in new.enumerated() where place + offset < bytes.count { bytes[place + offset] = byte }
  }

  /// An edge of some width: little-endian, or as a varint, or in decimal.
  private mutating func number() -> [UInt8] {
    let value = Self.edges[generator.below(Self.edges.count)]
    var writer = ByteWriter()
    switch generator.below(5) {
    case 0: writer.u16(UInt16(truncatingIfNeeded: value))
    case 1: writer.u32(UInt32(truncatingIfNeeded: value))
    case 2: writer.u64(value)
    case 3: writer.varint(value)
    default: writer.raw(Array("\(value)".utf8))
    }
    return writer.bytes
  }

  private mutating func splice(_ bytes: inout [UInt8], at place: Int, _ other: [UInt8]) {
    guard !other.isEmpty else { return }
    let start = generator.below(other.count)
    bytes.replaceSubrange(place..., with: other[start...])
  }
}
