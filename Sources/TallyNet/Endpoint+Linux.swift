// Owns: the two shapes of an endpoint: ours and the shim's. Refuses to know: sockaddr.
import CLinux
import TallyBase

extension Endpoint {
  init(_ endpoint: clinux_endpoint) {
    self.init(address: Address(high: endpoint.high, low: endpoint.low), port: endpoint.port)
  }

  var linux: clinux_endpoint { clinux_endpoint(high: address.high, low: address.low, port: port) }

  /// A peer's words can name this: somewhere a packet could go. Port 0, `::` and multicast cannot.
  var isSendable: Bool { port != 0 && address.scope != .none }
}
