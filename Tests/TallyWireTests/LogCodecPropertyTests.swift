// Round trips and canonicity of the log's layouts over drawn values and drawn damage.
import TallyBase
import TallyWire
import Testing

struct LogCodecPropertyTests {
  @Test func entries_come_back_from_their_preimage() throws {
    var samples = LogSamples(seed: 2)
    for _ in 0..<500 {
      let entry = samples.entry()
      let bytes = entry.preimage
      #expect(bytes.count == entry.preimageCount)
      #expect(try Entry(preimage: bytes) == entry)
    }
  }

  @Test func chunks_come_back_whatever_their_times_feeds_and_kinds() throws {
    var samples = LogSamples(seed: 3)
    for _ in 0..<120 {
      let entries = samples.entries(1 + samples.generator.below(40))
      let bytes = PackedChunk.encode(entries)
      #expect(try PackedChunk.decode(bytes) == entries)
    }
  }

  @Test func messages_come_back() throws {
    for seed in 10..<40 {
      var samples = LogSamples(seed: UInt64(seed))
      for (name, message) in samples.messages() {
        #expect(try LogMessage(decoding: message.encoded) == message, "\(name)")
      }
    }
  }

  /// Whatever the damage: refused, or a value whose one encoding these bytes are.
  @Test func damaged_messages_are_refused_or_canonical() {
    var accepted = 0
    var refused = 0
    for seed in 100..<130 {
      var samples = LogSamples(seed: UInt64(seed))
      for (name, message) in samples.messages() {
        for _ in 0..<60 {
          let bytes = damage(message.encoded, &samples.generator)
          do throws(DecodeError) {
            let value = try LogMessage(decoding: bytes)
            accepted += 1
            if value.encoded != bytes { Issue.record("\(name): a second encoding of \(Hex.encode(bytes))") }
          } catch {
            refused += 1
          }
        }
      }
    }
    #expect(accepted > 1000 && refused > 1000, "\(accepted) accepted, \(refused) refused: the damage shows nothing")
  }

  @Test func random_bytes_never_trap() {
    var generator = LogSamples(seed: 4).generator
    for _ in 0..<20_000 {
      let type = UInt8(0x30 + generator.below(14))
      let bytes = [type] + generator.bytes(generator.below(400))
      do throws(DecodeError) {
        let value = try LogMessage(decoding: bytes)
        #expect(value.encoded == bytes)
      } catch {
        // Refused: all that is asked is that it says so.
      }
    }
  }

  private func damage(_ bytes: [UInt8], _ generator: inout Generator) -> [UInt8] {
    var bytes = bytes
    for _ in 0...generator.below(2) {
      guard !bytes.isEmpty else { return bytes }
      let index = generator.below(bytes.count)
      switch generator.below(6) {
      case 0, 1: bytes[index] ^= 1 << UInt8(generator.below(8))
      case 2: bytes[index] = UInt8(generator.below(256))
      case 3: bytes.insert(UInt8(generator.below(256)), at: index)
      case 4: bytes.remove(at: index)
      default: bytes.replaceSubrange(index..<min(bytes.count, index + 32), with: generator.bytes(32))
      }
    }
    return bytes
  }

  @Test func path_lengths_are_those_of_the_recursive_definition() {
    func depth(_ index: UInt64, _ size: UInt64) -> Int {
      guard size > 1 else { return 0 }
      var half: UInt64 = 1
      while half * 2 < size { half *= 2 }
      return 1 + (index < half ? depth(index, half) : depth(index - half, size - half))
    }
    for size in 1...200 as ClosedRange<UInt64> {
      for index in 0..<size { #expect(MerkleShape.pathCount(index: index, size: size) == depth(index, size)) }
    }
    #expect(MerkleShape.pathCount(index: 0, size: 1 << 48) == 48)
    #expect(MerkleShape.pathCount(index: (1 << 48) - 1, size: 1 << 48) == 48)
  }
}
