// Owns: the addresses of this machine's interfaces. Refuses to know: which of them others can reach.
import CLinux
import TallyBase

public enum LocalAddresses {
  /// At most this many are looked at.
  public static let countMax = 64

  /// Public addresses first, then narrower scopes, loopback last; each once.
  public static func all() throws(SystemError) -> [Address] {
    var found = [clinux_endpoint](repeating: clinux_endpoint(), count: countMax)
    // Safe: the shim writes at most `countMax` structs into an array of that many.
    let count = try required("getifaddrs", outsideAddress: true) {
      unsafe clinux_local_addresses(&found, CInt(countMax))
    }
    var addresses: [Address] = []
    for endpoint in found.prefix(Int(count)) {
      let address = Address(high: endpoint.high, low: endpoint.low)
      if address.scope != .none && !addresses.contains(address) { addresses.append(address) }
    }
    return addresses.sorted { ($1.scope, $0) < ($0.scope, $1) }
  }
}
