// Owns: the timer table against a sorted list, and the generator against RFC 8439.

import TallyBase
import Testing

@Suite("Timers")
struct TimerTableTests {
  private struct Row {
    let key: Int
    let micros: Int64
    let sequence: Int
  }

  @Test func itIsASortedList() {
    var generator = Generator(seed: .zero, stream: 3)
    var table = TimerTable<Int>()
    var model: [Row] = []
    var sequence = 0
    var now: Int64 = 0
    for _ in 0..<20_000 {
      switch generator.below(10) {
      case 0...5:
        let key = generator.below(200)
        let micros = now + Int64(generator.below(50))
        sequence += 1
        model.removeAll { $0.key == key }
        model.append(Row(key: key, micros: micros, sequence: sequence))
        table.arm(key, at: Instant(micros: micros, wallMs: 0))
      case 6:
        let key = generator.below(200)
        model.removeAll { $0.key == key }
        table.cancel(key)
        #expect(!table.isArmed(key))
      default:
        now += Int64(generator.below(20))
        while let key = table.popDue(Instant(micros: now, wallMs: 0)) {
          model.sort { ($0.micros, $0.sequence) < ($1.micros, $1.sequence) }
          #expect(model.first?.key == key)
          model.removeFirst()
        }
        #expect(model.allSatisfy { $0.micros > now })
      }
      #expect(table.count == model.count)
      #expect(table.next?.micros == model.map(\.micros).min())
    }
  }
}

@Suite("Generator")
struct GeneratorTests {
  private struct File: Decodable {
    struct Vector: Decodable { let key: String, stream: UInt64, block: Int, keystream: String }
    let vectors: [Vector]
  }

  @Test func itIsChaCha20() throws {
    let file: File = try Vectors.fixture("rfc8439_chacha20.json")
    #expect(file.vectors.count == 3)
    for vector in file.vectors {
      var generator = Generator(seed: bytes32(vector.key), stream: vector.stream)
      _ = generator.bytes(64 * vector.block)
      #expect(Hex.encode(generator.bytes(64)) == vector.keystream)
    }
  }

  @Test func drawsStayInTheirRange() {
    var generator = Generator(seed: .zero, stream: 4)
    var seen = [Int](repeating: 0, count: 7)
    for _ in 0..<7000 { seen[generator.below(7)] += 1 }
    #expect(seen.allSatisfy { (800...1200).contains($0) })
    for _ in 0..<200 {
      let interval = generator.jittered(.milliseconds(100), percent: 10)
      #expect((90_000...110_000).contains(interval.micros))
    }
    var array = Array(0..<50)
    generator.permute(&array)
    #expect(array != Array(0..<50))
    #expect(array.sorted() == Array(0..<50))
    var fork = generator.fork()
    #expect(fork.next64() != generator.next64())
  }
}
