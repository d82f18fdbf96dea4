// Owns: making internet sockets, and which of IPv4 and IPv6 one speaks. Refuses to know: what is sent.
import CLinux
import Glibc
import TallyBase

/// A UDP or TCP socket. An IPv6 one on `::` serves both families; then IPv4 peers appear mapped, which is how
/// `Address` writes them.
struct InternetSocket: ~Copyable {
  let descriptor: Descriptor
  let isV6: Bool

  /// An unbound socket of one family.
  init(isV6: Bool, isStream: Bool) throws(SystemError) {
    descriptor = Descriptor(taking: try required("socket") { clinux_socket(isV6 ? 1 : 0, isStream ? 1 : 0) })
    self.isV6 = isV6
  }

  /// Takes over a descriptor that the service manager made.
  init(adopting descriptor: consuming Descriptor, isV6: Bool) {
    self.descriptor = descriptor
    self.isV6 = isV6
  }

  /// The descriptor alone; the family is known to the kernel.
  consuming func takeDescriptor() -> Descriptor { descriptor }

  /// A socket for the family of `address`. `::` means both families, or IPv4 where the host has no IPv6.
  static func make(for address: Address, isStream: Bool) throws(SystemError) -> InternetSocket {
    if address.isV4 { return try InternetSocket(isV6: false, isStream: isStream) }
    do throws(SystemError) {
      return try InternetSocket(isV6: true, isStream: isStream)
    } catch {
      let isWildcard = address.high == 0 && address.low == 0
      guard isWildcard, error.code == EAFNOSUPPORT else { throw error }
      return try InternetSocket(isV6: false, isStream: isStream)
    }
  }

  borrowing func bind(_ endpoint: Endpoint) throws(SystemError) {
    let (number, family, name) = (descriptor.number, CInt(isV6 ? 1 : 0), endpoint.linux)
    do throws(SystemError) {
      try required("bind", outsideAddress: true) { clinux_bind(number, family, name) }
    } catch {
      throw error.about(endpoint.description)
    }
  }

  borrowing func localEndpoint() throws(SystemError) -> Endpoint {
    let number = descriptor.number
    var name = clinux_endpoint()
    // Safe: the shim fills one struct.
    try required("getsockname") { unsafe clinux_local_endpoint(number, &name) }
    return Endpoint(name)
  }
}
