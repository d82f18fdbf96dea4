// Owns: LZ4 blocks against public and made cases.

import TallyBase
import Testing

@testable import TallySession

@Suite("LZ4 blocks")
struct CompressionTests {
  private struct Blocks: Decodable {
    struct Case: Decodable {
      let name: String, size: Int, block: String, plain: String?
      enum CodingKeys: String, CodingKey { case name, size, block = "block_hex", plain = "plain_hex" }
    }
    let cases: [Case]
  }

  @Test func goodBlocksUnpack() throws {
    guard let file: Blocks = try Vectors.shared("lz4/blocks.json", suite: "LZ4 blocks") else { return }
    for test in file.cases where test.size > 0 && test.size <= SessionLimits.linkMessageBytes {
      let block = hex(test.block)
      guard block.count <= 65_535 else { continue }
      let plain = Compression.unpack(block[...], size: test.size)
      #expect(plain?.count == test.size, "\(test.name)")
      if let expected = test.plain { #expect(plain == hex(expected), "\(test.name)") }
      #expect(Compression.unpack(block[...], size: test.size + 1) == nil, "\(test.name)")
      if test.size > 1 { #expect(Compression.unpack(block[...], size: test.size - 1) == nil, "\(test.name)") }
    }
  }

  private struct Malformed: Decodable {
    struct Case: Decodable {
      let name: String, block: String, capacity: Int, expect: String
      enum CodingKeys: String, CodingKey { case name, capacity, expect, block = "block_hex" }
    }
    let cases: [Case]
  }

  @Test func badBlocksDoNot() throws {
    guard let file: Malformed = try Vectors.shared("lz4/malformed_blocks.json", suite: "LZ4 blocks") else { return }
    for test in file.cases {
      let plain = Compression.unpack(hex(test.block)[...], size: test.capacity)
      if test.expect == "reject" && !test.name.contains("zero") && !test.name.contains("offset_0") {
        #expect(plain == nil, "\(test.name)")
      }
      #expect(plain == nil || plain?.count == test.capacity)
    }
  }

  @Test func packingGoesThereAndBack() {
    var generator = Generator(seed: .zero, stream: 44)
    for _ in 0..<30 {
      let count = 1 + generator.below(SessionLimits.linkMessageBytes)
      let alphabet = UInt64(1 + generator.below(40))
      let plain = (0..<count).map { _ in UInt8(generator.below(alphabet)) }
      guard let block = Compression.pack(plain, saving: 2) else { continue }
      #expect(block.count + 2 < plain.count)
      #expect(Compression.unpack(block[...], size: count) == plain)
    }
    #expect(Compression.pack([], saving: 2) == nil)
    #expect(Compression.pack(generator.bytes(1000), saving: 2) == nil)
    #expect(Compression.unpack([0x10, 65], size: SessionLimits.linkMessageBytes + 1) == nil)
    #expect(Compression.unpack([], size: 10) == nil)
  }
}
