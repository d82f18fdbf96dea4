// Owns: one UDP socket, its slabs, its bounded send queue and the policy for each errno (PROTOCOL, chapter 8).
// Refuses to know: what is in a datagram. Batches after recvmmsg(2) and sendmmsg(2).
import CLinux
import DequeModule
import Glibc
import TallyBase

/// Datagrams in and out, up to 64 a call.
final class UDPSocket {
  /// Why a flush stopped.
  enum Flushed: Equatable {
    case empty
    /// EAGAIN: wait until writable.
    case blocked
    /// ENOBUFS: writability would not tell; rest a little.
    case noBuffers
  }

  private struct Outgoing {
    let to: Endpoint
    let bytes: [UInt8]
  }

  /// Bytes from one slot to the next: the largest payload, rounded up to a multiple of 64.
  private static let slotBytes = 1280

  let socket: InternetSocket
  /// EPOLLOUT is asked for.
  var isBlocked = false
  private var slab = [UInt8](repeating: 0, count: NetLimits.batchDatagrams * slotBytes)
  private var slots = [clinux_datagram](repeating: clinux_datagram(), count: NetLimits.batchDatagrams)
  private var queue = Deque<Outgoing>()

  convenience init(at endpoint: Endpoint, bufferBytes: Int32) throws(SystemError) {
    let socket = try InternetSocket.make(for: endpoint.address, isStream: false)
    let number = socket.descriptor.number
    try required("setsockopt") { clinux_set_buffers(number, bufferBytes, bufferBytes) }
    try socket.bind(endpoint)
    self.init(adopting: socket)
  }

  init(adopting socket: consuming InternetSocket) { self.socket = socket }

  var queued: Int { queue.count }

  /// Datagrams the kernel dropped because we read too slowly.
  var kernelDrops: UInt64 { UInt64(max(0, clinux_socket_drops(socket.descriptor.number))) }

  /// Appends at most `limit` datagrams to `events`, in calls of up to 64.
  func receive(upTo limit: Int, into events: inout [NetEvent], _ counters: inout NetCounters) {
    var left = limit
    // An error of recvmmsg is news of some earlier send and is taken by reading it; a few in a row, not for ever.
    var errorsLeft = 4
    let number = socket.descriptor.number
    while left > 0 && errorsLeft > 0 {
      let room = UInt32(min(left, NetLimits.batchDatagrams))
      do throws(SystemError) {
        let progress = try syscall("recvmmsg") {
          // Safe: the slab holds `slots.count` slots of `slotBytes`, and `room` is at most that many.
          unsafe clinux_receive_batch(
            number, &slab, UInt32(Self.slotBytes), UInt32(NetLimits.datagramBytes), &slots, room)
        }
        guard case .done(let count) = progress, count > 0 else { return }
        counters.receiveCalls += 1
        for slot in slots[..<count] { take(slot, into: &events, &counters) }
        left -= count
        if count < Int(room) { return }
      } catch {
        counters.receiveErrors += 1
        errorsLeft -= 1
        if error.code == ENOMEM || error.code == ENOBUFS { return }
      }
    }
  }

  private func take(_ slot: clinux_datagram, into events: inout [NetEvent], _ counters: inout NetCounters) {
    let remote = Endpoint(slot.remote)
    guard slot.truncated == 0, remote.port != 0 else {
      counters.datagramsMalformed += 1
      return
    }
    counters.datagramsReceived += 1
    counters.datagramBytesReceived += UInt64(slot.length)
    let start = Int(slot.offset)
    events.append(.datagram(from: remote, Array(slab[start..<start + Int(slot.length)])))
  }

  /// Queues one datagram. False: the queue is full, or `to` is no place a packet could go; it is dropped and counted.
  func send(_ bytes: [UInt8], to endpoint: Endpoint, _ counters: inout NetCounters) -> Bool {
    precondition(bytes.count <= NetLimits.datagramBytes, "a datagram of \(bytes.count) bytes")
    guard endpoint.isSendable, socket.isV6 || endpoint.address.isV4 else {
      counters.datagramsUnsendable += 1
      return false
    }
    guard queue.count < NetLimits.sendQueueDatagrams else {
      counters.datagramsDropped += 1
      return false
    }
    queue.append(Outgoing(to: endpoint, bytes: bytes))
    return true
  }

  /// Sends what is queued, 64 a call, until the queue is empty or the kernel has no room. An error that concerns one
  /// datagram drops that one and goes on: a UDP destination never stops the others.
  func flush(_ counters: inout NetCounters) -> Flushed {
    var mayBeOld = true
    while !queue.isEmpty {
      let count = fill()
      let (number, family) = (socket.descriptor.number, CInt(socket.isV6 ? 1 : 0))
      do throws(SystemError) {
        let progress = try syscall("sendmmsg", outsideAddress: true) {
          // Safe: the first `count` slots lie inside the slab, as `fill` has just made them.
          unsafe clinux_send_batch(number, family, slab, slots, UInt32(count))
        }
        guard case .done(let sent) = progress else {
          counters.sendStalls += 1
          return .blocked
        }
        counters.sendCalls += 1
        counters.datagramsSent += UInt64(sent)
        for item in queue.prefix(sent) { counters.datagramBytesSent += UInt64(item.bytes.count) }
        queue.removeFirst(sent)
        mayBeOld = true
      } catch {
        if error.code == ENOBUFS || error.code == ENOMEM {
          counters.sendStalls += 1
          return .noBuffers
        }
        // The error may be news of an earlier datagram (an ICMP answer): then this one was not tried. Once more.
        if mayBeOld && (error.code == ECONNREFUSED || error.code == EHOSTUNREACH) {
          mayBeOld = false
          counters.receiveErrors += 1
          continue
        }
        queue.removeFirst()
        counters.datagramsUnsendable += 1
        mayBeOld = true
      }
    }
    return .empty
  }

  /// Copies up to 64 queued datagrams into the slab and says how many.
  private func fill() -> Int {
    let count = min(queue.count, NetLimits.batchDatagrams)
    var start = 0
    for index in 0..<count {
      let item = queue[index]
      slab.replaceSubrange(start..<start + item.bytes.count, with: item.bytes)
      slots[index] = clinux_datagram(
        remote: item.to.linux, offset: UInt32(start), length: UInt32(item.bytes.count), truncated: 0)
      start += item.bytes.count
    }
    return count
  }
}
