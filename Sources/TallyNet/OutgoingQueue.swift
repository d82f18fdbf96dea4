// Owns: bytes that wait to be written to one link, and their bound. Refuses to know: descriptors.

/// A bounded run of bytes. Appending and taking are O(1) a byte, amortised.
struct OutgoingQueue {
  private var bytes: [UInt8] = []
  private var head = 0
  let limit: Int

  init(limit: Int) {
    precondition(limit > 0, "a queue of \(limit) bytes")
    self.limit = limit
  }

  var count: Int { bytes.count - head }
  var isEmpty: Bool { count == 0 }
  /// Half full: the owner should hold back.
  var isHigh: Bool { count > limit / 2 }
  /// A quarter full: it may go on.
  var isLow: Bool { count <= limit / 4 }

  /// Takes all of `more` or none of it.
  mutating func append(_ more: [UInt8]) -> Bool {
    guard more.count <= limit - count else { return false }
    bytes.append(contentsOf: more)
    return true
  }

  /// The first `count` bytes have gone.
  mutating func advance(_ count: Int) {
    precondition(count >= 0 && count <= self.count, "\(count) bytes gone of \(self.count)")
    head += count
    if head == bytes.count {
      bytes.removeAll(keepingCapacity: bytes.capacity <= 65_536)
      head = 0
    } else if head >= 65_536 && head >= bytes.count / 2 {
      bytes.removeFirst(head)
      head = 0
    }
  }

  /// Calls `body` with the array, where the waiting bytes begin in it, and how many they are.
  func peek<Result, Failure: Error>(_ body: ([UInt8], Int, Int) throws(Failure) -> Result) throws(Failure) -> Result {
    try body(bytes, head, count)
  }
}
