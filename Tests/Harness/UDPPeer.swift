// Owns: one UDP socket on the loopback: raw datagrams out and in.
import CLinux
import Glibc
import TallyBase

public final class UDPPeer: Sendable {
  private let descriptor: Int32
  public static let loopback: UInt64 = 0xffff_7f00_0001

  public init() throws {
    descriptor = clinux_socket(0, 0)
    try demand(descriptor >= 0, "no UDP socket: errno \(-descriptor)")
    let code = clinux_bind(descriptor, 0, clinux_endpoint(high: 0, low: Self.loopback, port: 0))
    try demand(code == 0, "cannot bind: errno \(-code)")
  }

  deinit { _ = clinux_close(descriptor) }

  /// Sends up to 64 datagrams to 127.0.0.1 in one call; how many left.
  @discardableResult
  public func send(_ datagrams: ArraySlice<[UInt8]>, to port: UInt16) -> Int {
    var slab: [UInt8] = []
    var slots: [clinux_datagram] = []
    for bytes in datagrams.prefix(64) {
      slots.append(
        clinux_datagram(
          remote: clinux_endpoint(high: 0, low: Self.loopback, port: port), offset: UInt32(slab.count),
          length: UInt32(bytes.count), truncated: 0))
      slab += bytes
    }
    // Safe: every slot lies within the slab, and both outlive the call.
    return Int(unsafe clinux_send_batch(descriptor, 0, slab, slots, UInt32(slots.count)))
  }

  /// The next datagram; nil when none came in time.
  public func receive(timeoutMs: Int32) -> [UInt8]? {
    guard clinux_wait_readable(descriptor, timeoutMs) == 1 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 2048)
    // Safe: at most 2,048 bytes are written into 2,048.
    let count = unsafe clinux_receive(descriptor, &buffer, 2048)
    return count < 0 ? nil : Array(buffer.prefix(Int(count)))
  }
}
