// Owns: one stream, TCP or Unix: its descriptor, its bounded outgoing queue, and what it wants from the poller.
// Refuses to know: the poller, timers, frames. The driver moves it; it only tells what happened.
import CLinux
import Glibc
import TallyBase

/// A stream with a bounded outgoing queue. A class, since what it stands for has an identity in the kernel.
final class Link {
  enum State {
    /// A dial whose handshake is not done.
    case connecting
    case open
    /// Closed by its owner: sends what is queued, then ends. Nobody hears of it again.
    case finishing
  }

  enum Flushed: Equatable {
    case empty
    case blocked
    case noBuffers
  }

  enum Reading: Equatable {
    case bytes(Int)
    case nothing
    case ended
  }

  /// Bytes handed to the kernel in one call.
  private static let writeBytes = 262_144

  let token: Poller.Token
  let descriptor: Descriptor
  /// Zero for a Unix connection.
  let remote: Endpoint
  let isUnix: Bool
  var state: State
  var outgoing: OutgoingQueue
  /// The owner asked us not to read.
  var isPaused = false
  /// The peer sends nothing more (Unix only; a TCP link ends with it).
  var hasEnded = false
  /// The kernel's buffer is full: wait until writable.
  var isBlocked = false
  /// The owner was told to hold back and waits for the drained event.
  var isCongested = false
  /// In the driver's list of links to flush.
  var isDirty = false
  /// Taken out of the poller: the peer hung up while reading is paused, which epoll would report for ever.
  var isParked = false
  /// What the poller was last told.
  var interest: Poller.Readiness
  /// The turn in which it was last read, so that none is read twice in one.
  var lastTurn: UInt64 = 0

  init(
    _ token: Poller.Token, _ descriptor: consuming Descriptor, remote: Endpoint, isUnix: Bool, state: State,
    queueBytes: Int
  ) {
    self.token = token
    self.descriptor = descriptor
    self.remote = remote
    self.isUnix = isUnix
    self.state = state
    outgoing = OutgoingQueue(limit: queueBytes)
    interest = state == .connecting ? [.writable] : [.readable]
  }

  /// What the poller should watch for.
  var wanted: Poller.Readiness {
    switch state {
    case .connecting: return [.writable]
    case .finishing: return isBlocked ? [.writable] : []
    case .open:
      var wanted: Poller.Readiness = isPaused || hasEnded ? [] : [.readable]
      if isBlocked { wanted.insert(.writable) }
      return wanted
    }
  }

  /// Reads once, at most `slab.count` bytes, to the front of `slab`.
  func read(into slab: inout [UInt8]) throws(SystemError) -> Reading {
    let number = descriptor.number
    let room = slab.count
    // Safe: the shim writes at most `room` bytes, which is the array's size.
    switch try syscall("recv", { unsafe clinux_receive(number, &slab, room) }) {
    case .wouldBlock: return .nothing
    case .done(0): return .ended
    case .done(let count): return .bytes(count)
    }
  }

  /// Writes until the queue is empty or the kernel takes no more. A short write is no error: the rest stays queued.
  func flush(_ counters: inout NetCounters) throws(SystemError) -> Flushed {
    let number = descriptor.number
    while !outgoing.isEmpty {
      let progress: Progress
      do throws(SystemError) {
        progress = try outgoing.peek { (bytes, start, count) throws(SystemError) in
          try syscall("send") {
            // Safe: `start` and `count` lie inside the array, as the queue keeps them.
            unsafe clinux_send(number, bytes, start, min(count, Self.writeBytes))
          }
        }
      } catch {
        guard error.code == ENOBUFS || error.code == ENOMEM else { throw error }
        return .noBuffers
      }
      guard case .done(let count) = progress else { return .blocked }
      outgoing.advance(count)
      if !isUnix { counters.linkBytesSent += UInt64(count) }
    }
    return .empty
  }

  /// The error the kernel keeps for this socket; nil when there is none. Asking takes it.
  func pendingError(_ call: String) throws(SystemError) -> SystemError? {
    let number = descriptor.number
    let code = try required("getsockopt") { clinux_socket_error(number) }
    return code == 0 ? nil : SystemError(call: call, code: code)
  }

  /// A dial to a port of this host that nobody listens on may meet itself (RFC 9293, simultaneous open).
  func isConnectedToItself() throws(SystemError) -> Bool {
    let number = descriptor.number
    var name = clinux_endpoint()
    // Safe: the shim fills one struct.
    try required("getsockname") { unsafe clinux_local_endpoint(number, &name) }
    return Endpoint(name) == remote
  }

  func event(bytes: [UInt8]) -> NetEvent {
    isUnix ? .unixBytes(token.number, bytes) : .linkBytes(token.number, bytes)
  }

  func event(closed reason: CloseReason) -> NetEvent {
    isUnix ? .unixClosed(token.number, reason) : .linkClosed(token.number, reason)
  }

  var drained: NetEvent { isUnix ? .unixDrained(token.number) : .linkDrained(token.number) }
}
