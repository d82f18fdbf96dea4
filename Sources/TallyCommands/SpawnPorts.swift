// Owns: finding ports of loopback that nobody uses, for the demo. Refuses to know: who will listen there.
import CLinux
import TallyAdmin

enum FreePorts {
  /// Ports of 127.0.0.1 on which nobody listens now, neither for TCP nor for UDP.
  static func free(_ count: Int) throws(ClientError) -> [UInt16] {
    var held: [Int32] = []
    var ports: [UInt16] = []
    defer { for descriptor in held { Spawn.close(descriptor) } }
    for _ in 0..<(count * 20) where ports.count < count {
      let stream = clinux_socket(0, 1)
      let datagram = clinux_socket(0, 0)
      held += [stream, datagram].filter { $0 >= 0 }
      var at = clinux_endpoint(high: 0, low: 0xffff_7f00_0001, port: 0)
      guard stream >= 0, datagram >= 0, clinux_bind(stream, 0, at) >= 0 else { continue }
      // Safe: one structure of ours.
      guard unsafe clinux_local_endpoint(stream, &at) >= 0, clinux_bind(datagram, 0, at) >= 0 else { continue }
      ports.append(at.port)
    }
    guard ports.count == count else {
      throw ClientError(.unavailable, "127.0.0.1 has no \(count) free ports", fix: "stop something, and try again")
    }
    return ports
  }
}
