// Owns: one epoll descriptor and the generations of its slots. Refuses to know: what is registered there.
import CLinux
import Glibc
import TallyBase

/// Level-triggered readiness: whoever stops early is told again.
struct Poller: ~Copyable {
  /// Names a registration. The generation outlives reuse of the slot, so a stale event or call is recognised.
  struct Token: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32

    init(slot: UInt32, generation: UInt32) {
      self.slot = slot
      self.generation = generation
    }

    init(_ number: UInt64) {
      self.init(slot: UInt32(number >> 32), generation: UInt32(truncatingIfNeeded: number))
    }

    /// Slot in the upper half, generation (never 0) in the lower.
    var number: UInt64 { UInt64(slot) << 32 | UInt64(generation) }
  }

  struct Readiness: OptionSet, Sendable {
    let rawValue: UInt32
    static let readable = Readiness(rawValue: UInt32(CLINUX_READABLE))
    static let writable = Readiness(rawValue: UInt32(CLINUX_WRITABLE))
    /// Error and hang-up are reported unasked.
    static let error = Readiness(rawValue: UInt32(CLINUX_ERROR))
    static let hangUp = Readiness(rawValue: UInt32(CLINUX_HANGUP))
  }

  struct Ready {
    let token: Token
    let events: Readiness
  }

  private let descriptor: Descriptor
  private var generations: [UInt32] = []
  private var isLive: [Bool] = []
  private var free: [UInt32] = []
  private var batch = [clinux_ready](repeating: clinux_ready(), count: NetLimits.pollRows)
  /// Events that named a registration which had ended.
  private(set) var staleEvents: UInt64 = 0

  init() throws(SystemError) {
    descriptor = Descriptor(taking: try required("epoll_create1") { clinux_epoll_create() })
  }

  /// Slots in use.
  var count: Int { isLive.count - free.count }

  /// A token nobody has had before. It names nothing in the kernel until `add`.
  mutating func makeToken() -> Token {
    if let slot = free.popLast() {
      isLive[Int(slot)] = true
      return Token(slot: slot, generation: generations[Int(slot)])
    }
    generations.append(1)
    isLive.append(true)
    return Token(slot: UInt32(generations.count - 1), generation: 1)
  }

  /// Ends a token. Its descriptor must have been removed or be about to be closed.
  mutating func retire(_ token: Token) {
    precondition(isCurrent(token), "token \(token) retired twice")
    let slot = Int(token.slot)
    isLive[slot] = false
    generations[slot] = generations[slot] == .max ? 1 : generations[slot] + 1
    free.append(token.slot)
  }

  func isCurrent(_ token: Token) -> Bool {
    let slot = Int(token.slot)
    return slot < isLive.count && isLive[slot] && generations[slot] == token.generation
  }

  func add(_ watched: borrowing Descriptor, _ token: Token, _ interest: Readiness) throws(SystemError) {
    precondition(isCurrent(token), "registration under a token that has ended")
    let number = watched.number
    try required("epoll_ctl") { clinux_epoll_add(descriptor.number, number, interest.rawValue, token.number) }
  }

  func modify(_ watched: borrowing Descriptor, _ token: Token, _ interest: Readiness) throws(SystemError) {
    precondition(isCurrent(token), "registration under a token that has ended")
    let number = watched.number
    try required("epoll_ctl") { clinux_epoll_modify(descriptor.number, number, interest.rawValue, token.number) }
  }

  func remove(_ watched: borrowing Descriptor) throws(SystemError) {
    let number = watched.number
    try required("epoll_ctl") { clinux_epoll_remove(descriptor.number, number) }
  }

  /// Sleeps at most `timeoutMs` (-1: until something happens), then appends what is ready.
  mutating func wait(timeoutMs: CInt, into ready: inout [Ready]) throws(SystemError) {
    let capacity = CInt(batch.count)
    let number = descriptor.number
    // Safe: the shim writes at most `capacity` rows, which is the array's size.
    let count = try required("epoll_wait") { unsafe clinux_epoll_wait(number, &batch, capacity, timeoutMs) }
    for row in batch.prefix(Int(count)) {
      let token = Token(row.token)
      guard isCurrent(token) else {
        staleEvents += 1
        continue
      }
      ready.append(Ready(token: token, events: Readiness(rawValue: row.events)))
    }
  }

  mutating func countStale() { staleEvents += 1 }
}
