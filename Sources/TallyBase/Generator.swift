// Owns: the one source of chance in a node: ChaCha20 (RFC 8439, section 2.3) over a 32-byte seed.
// Refuses to know: where the seed came from. In the daemon it is the kernel's, in the simulator it is the run's.

/// 32 bytes of entropy, handed to a node once at its start.
public struct Entropy: Sendable {
  public let seed: Bytes32
  public init(seed: Bytes32) { self.seed = seed }
}

/// A deterministic stream: the same seed gives the same bytes on every machine.
public struct Generator: Sendable {
  private let key: [8 of UInt32]
  private let stream: UInt64
  private var counter: UInt64 = 0
  private var block: [16 of UInt32] = .init(repeating: 0)
  private var used = 16

  public init(_ entropy: Entropy) { self.init(seed: entropy.seed, stream: 0) }

  /// `stream` is the ChaCha20 nonce: streams of one seed are independent.
  public init(seed: Bytes32, stream: UInt64) {
    var key: [8 of UInt32] = .init(repeating: 0)
    let words: [4 of UInt64] = [seed.word0, seed.word1, seed.word2, seed.word3]
    for index in 0..<4 {
      key[2 * index] = UInt32(truncatingIfNeeded: words[index].byteSwapped)
      key[2 * index + 1] = UInt32(truncatingIfNeeded: words[index].byteSwapped >> 32)
    }
    self.key = key
    self.stream = stream
  }

  public mutating func next32() -> UInt32 {
    if used == 16 { refill() }
    used += 1
    return block[used - 1]
  }

  public mutating func next64() -> UInt64 {
    let low = UInt64(next32())
    return low | UInt64(next32()) << 32
  }

  /// A number in `0..<bound`, without bias (Lemire 2019). A bound of 0 is our own mistake and traps.
  public mutating func below(_ bound: UInt64) -> UInt64 {
    precondition(bound > 0, "a draw from nothing")
    var product = next64().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold { product = next64().multipliedFullWidth(by: bound) }
    }
    return product.high
  }

  public mutating func below(_ bound: Int) -> Int { Int(below(UInt64(bound))) }

  /// True with probability `numerator / denominator`.
  public mutating func chance(_ numerator: UInt64, outOf denominator: UInt64) -> Bool { below(denominator) < numerator }

  public mutating func bytes(_ count: Int) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(count)
    while result.count < count {
      let word = next32()
      for shift in [0, 8, 16, 24] as [UInt32] where result.count < count {
        result.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    return result
  }

  public mutating func bytes32() -> Bytes32 {
    Bytes32(word0: next64(), word1: next64(), word2: next64(), word3: next64())
  }

  /// Fisher and Yates' permutation, in place.
  public mutating func permute<Element>(_ array: inout [Element]) {
    guard array.count > 1 else { return }
    for index in stride(from: array.count - 1, to: 0, by: -1) { array.swapAt(index, below(index + 1)) }
  }

  /// A point within ±`percent` of `interval`, for timers that must not beat together.
  public mutating func jittered(_ interval: Interval, percent: Int64) -> Interval {
    let width = interval.micros / 100 * percent
    guard width > 0 else { return interval }
    return Interval(micros: interval.micros - width + Int64(below(UInt64(2 * width + 1))))
  }

  /// A generator of its own for one part of the house, so that a draw in one part never moves another's.
  public mutating func fork() -> Generator { Generator(seed: bytes32(), stream: 0) }

  private mutating func refill() {
    var state: [16 of UInt32] = .init(repeating: 0)
    state[0] = 0x6170_7865
    state[1] = 0x3320_646e
    state[2] = 0x7962_2d32
    state[3] = 0x6b20_6574
    for index in 0..<8 { state[4 + index] = key[index] }
    state[12] = UInt32(truncatingIfNeeded: counter)
    state[13] = UInt32(truncatingIfNeeded: counter >> 32)
    state[14] = UInt32(truncatingIfNeeded: stream)
    state[15] = UInt32(truncatingIfNeeded: stream >> 32)
    let start = state
    for _ in 0..<10 {
      Self.quarter(&state, 0, 4, 8, 12)
      Self.quarter(&state, 1, 5, 9, 13)
      Self.quarter(&state, 2, 6, 10, 14)
      Self.quarter(&state, 3, 7, 11, 15)
      Self.quarter(&state, 0, 5, 10, 15)
      Self.quarter(&state, 1, 6, 11, 12)
      Self.quarter(&state, 2, 7, 8, 13)
      Self.quarter(&state, 3, 4, 9, 14)
    }
    for index in 0..<16 { block[index] = state[index] &+ start[index] }
    counter += 1
    used = 0
  }

  private static func quarter(_ s: inout [16 of UInt32], _ a: Int, _ b: Int, _ c: Int, _ d: Int) {
    s[a] &+= s[b]
    s[d] = rotate(s[d] ^ s[a], 16)
    s[c] &+= s[d]
    s[b] = rotate(s[b] ^ s[c], 12)
    s[a] &+= s[b]
    s[d] = rotate(s[d] ^ s[a], 8)
    s[c] &+= s[d]
    s[b] = rotate(s[b] ^ s[c], 7)
  }

  private static func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 { value << count | value >> (32 - count) }
}
