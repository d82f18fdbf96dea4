// Owns: the deadlines of one part of the node. No timer token leaves a part; the node takes the minimum of all.

/// At most one deadline a key. What is due comes in (deadline, arming order), so a run is a function of its inputs.
/// `arm` and `cancel` are O(log n) amortised; `next` is O(1).
@frozen
public struct TimerTable<Key: Hashable & Sendable>: Sendable {
  @usableFromInline struct Slot: Sendable {
    @usableFromInline let deadline: Instant
    @usableFromInline let sequence: UInt64
    @usableFromInline let key: Key
    @inlinable init(deadline: Instant, sequence: UInt64, key: Key) {
      self.deadline = deadline
      self.sequence = sequence
      self.key = key
    }
    @inlinable func isBefore(_ other: Slot) -> Bool {
      (deadline.micros, sequence) < (other.deadline.micros, other.sequence)
    }
  }

  /// A binary heap; a slot whose sequence is no longer the key's own is stale and skipped.
  @usableFromInline var heap: [Slot] = []
  @usableFromInline var live: [Key: UInt64] = [:]
  @usableFromInline var sequence: UInt64 = 0

  @inlinable public init() {}
  @inlinable public var count: Int { live.count }
  @inlinable public func isArmed(_ key: Key) -> Bool { live[key] != nil }

  /// Sets or moves the deadline of `key`.
  @inlinable
  public mutating func arm(_ key: Key, at deadline: Instant) {
    sequence += 1
    live[key] = sequence
    heap.append(Slot(deadline: deadline, sequence: sequence, key: key))
    siftUp(heap.count - 1)
    // The key's older slot may have been the first: `next` and `popDue` look at live ones only.
    dropStale()
    if heap.count > 64 && heap.count > 2 * live.count { compact() }
  }

  @inlinable
  public mutating func cancel(_ key: Key) {
    live[key] = nil
    dropStale()
  }

  /// The earliest deadline; nil when nothing is armed.
  @inlinable public var next: Instant? { heap.first?.deadline }

  /// Takes the next key whose deadline is at or before `now`.
  @inlinable
  public mutating func popDue(_ now: Instant) -> Key? {
    guard let first = heap.first, first.deadline <= now else { return nil }
    live[first.key] = nil
    removeFirst()
    dropStale()
    return first.key
  }

  @inlinable
  mutating func dropStale() {
    while let first = heap.first, live[first.key] != first.sequence { removeFirst() }
  }

  @inlinable
  mutating func compact() {
    let kept = heap.filter { live[$0.key] == $0.sequence }
    heap = kept.sorted { $0.isBefore($1) }
  }

  @inlinable
  mutating func removeFirst() {
    let last = heap.removeLast()
    guard !heap.isEmpty else { return }
    heap[0] = last
    var index = 0
    while true {
      var smallest = index
      for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
        if heap[child].isBefore(heap[smallest]) { smallest = child }
      }
      if smallest == index { return }
      heap.swapAt(index, smallest)
      index = smallest
    }
  }

  @inlinable
  mutating func siftUp(_ start: Int) {
    var index = start
    while index > 0 {
      let parent = (index - 1) / 2
      guard heap[index].isBefore(heap[parent]) else { return }
      heap.swapAt(index, parent)
      index = parent
    }
  }
}
