// Owns: what cursors and numbers of `TallyBase` promise.

import TallyBase
import Testing

@Suite("Byte cursors")
struct CursorTests {
  @Test func whatIsWrittenIsRead() throws {
    var generator = Generator(seed: .zero, stream: 1)
    for _ in 0..<200 {
      let (a, b, c, d) = (generator.next64(), generator.next32(), generator.bytes32(), generator.bytes(5))
      var writer = ByteWriter()
      writer.u8(UInt8(truncatingIfNeeded: a))
      writer.u16(UInt16(truncatingIfNeeded: b))
      writer.u32(b)
      writer.u64(a)
      writer.i64(Int64(bitPattern: a))
      writer.flag(a & 1 == 1)
      writer.varint(a >> UInt64(b % 64))
      writer.bytes32(c)
      writer.signature(Signature(first: c, second: .zero))
      writer.counted16(d)
      var reader = ByteReader(writer.bytes)
      #expect(try reader.u8() == UInt8(truncatingIfNeeded: a))
      #expect(try reader.u16() == UInt16(truncatingIfNeeded: b))
      #expect(try reader.u32() == b)
      #expect(try reader.u64() == a)
      #expect(try reader.i64() == Int64(bitPattern: a))
      #expect(try reader.flag("f") == (a & 1 == 1))
      #expect(try reader.varint("v") == a >> UInt64(b % 64))
      #expect(try reader.bytes32() == c)
      #expect(try reader.signature() == Signature(first: c, second: .zero))
      #expect(try reader.take(Int(try reader.u16())) == d)
      try reader.finish()
    }
  }

  @Test func littleEndianMeansLeastFirst() {
    var writer = ByteWriter()
    writer.u16(0x0102)
    writer.u32(0x0304_0506)
    writer.patch16(at: 0, 0xaabb)
    #expect(writer.bytes == [0xbb, 0xaa, 6, 5, 4, 3])
  }

  @Test func endsAreErrorsAndNeverTraps() {
    var reader = ByteReader([1, 2, 3])
    #expect(throws: DecodeError.truncated(needed: 4, available: 3)) { _ = try reader.u32() }
    #expect(throws: DecodeError.truncated(needed: 32, available: 3)) { _ = try reader.bytes32() }
    #expect(throws: DecodeError.self) { _ = try reader.take(-1) }
    #expect(throws: DecodeError.self) { _ = try reader.take(.max) }
    #expect(throws: DecodeError.self) { try reader.skip(.min) }
    #expect(throws: DecodeError.trailing(count: 3)) { try reader.finish() }
    #expect(reader.rest() == [1, 2, 3])
    #expect(throws: Never.self) { try reader.finish() }
    var flag = ByteReader([2])
    #expect(throws: DecodeError.notCanonical(field: "f")) { _ = try flag.flag("f") }
  }

  @Test func aVarintHasOneForm() throws {
    for value in [0, 1, 127, 128, 16_383, 16_384, UInt64(UInt32.max), .max - 1, .max] as [UInt64] {
      var writer = ByteWriter()
      writer.varint(value)
      var reader = ByteReader(writer.bytes)
      #expect(try reader.varint("v") == value)
      // The same number with a longer end.
      var longer = writer.bytes
      longer[longer.count - 1] |= 0x80
      longer.append(0)
      var second = ByteReader(longer)
      #expect(throws: DecodeError.self) { _ = try second.varint("v") }
      for cut in 0..<writer.bytes.count {
        var short = ByteReader(writer.bytes, from: 0, to: cut)
        #expect(throws: DecodeError.self) { _ = try short.varint("v") }
      }
    }
    var tooLarge = ByteReader([UInt8](repeating: 0xff, count: 9) + [2])
    #expect(throws: DecodeError.notCanonical(field: "v")) { _ = try tooLarge.varint("v") }
    var endless = ByteReader([UInt8](repeating: 0x80, count: 100))
    #expect(throws: DecodeError.notCanonical(field: "v")) { _ = try endless.varint("v") }
  }

  @Test func wordsCompareLikeBytes() {
    var generator = Generator(seed: .zero, stream: 2)
    for _ in 0..<300 {
      let (one, two) = (generator.bytes32(), generator.bytes32())
      #expect((one < two) == one.bytes.lexicographicallyPrecedes(two.bytes))
      #expect(Bytes32(one.bytes) == one)
      #expect(one.distance(to: two).bytes == zip(one.bytes, two.bytes).map { $0 ^ $1 })
      #expect(one.distance(to: one).leadingZeroBitCount == 256)
    }
    for bit in 0..<256 {
      var bytes = [UInt8](repeating: 0, count: 32)
      bytes[bit / 8] = 0x80 >> UInt8(bit % 8)
      #expect(Bytes32(bytes)?.leadingZeroBitCount == bit)
    }
    #expect(Bytes32([UInt8](repeating: 0, count: 31)) == nil)
    #expect(Signature([UInt8](repeating: 0, count: 65)) == nil)
  }

  @Test func hexHasOneSpelling() {
    #expect(Hex.encode([0, 0x9a, 0xff]) == "009aff")
    #expect(Hex.decode("009aff") == [0, 0x9a, 0xff])
    for text in ["0", "0A", "g0", " 00", "é"] { #expect(Hex.decode(text) == nil) }
    #expect(PublicKey(hex: String(repeating: "0", count: 63)) == nil)
    #expect(PublicKey(hex: String(repeating: "0", count: 64)) == .zero)
  }
}

@Suite("Time")
struct TimeTests {
  @Test func momentsSaturate() {
    let late = Instant(micros: .max - 1, wallMs: .max)
    #expect(late + .seconds(9) == Instant(micros: .max, wallMs: .max))
    #expect(Instant(micros: 5, wallMs: 9) < Instant(micros: 6, wallMs: 1))
    #expect(Interval.microseconds(1).millisecondsRoundedUp == 1)
    #expect(Interval.microseconds(-5).millisecondsRoundedUp == 0)
    #expect(Interval.milliseconds(3).millisecondsRoundedUp == 3)
  }
}
