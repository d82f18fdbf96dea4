// Owns: how an address and a port are written in the mesh's messages.
// Refuses to know: which of them may be dialled or passed on.

import TallyBase

/// Two layouts. IPv4: `0 4 address, most significant byte first · 4 2 port u16`.
/// Any (IPv6, or IPv4 mapped): `0 16 address, most significant byte first · 16 2 port u16`.
enum EndpointLayout {
  static let v4ByteCount = 6
  static let anyByteCount = 18

  static func writeV4(_ endpoint: Endpoint, into writer: inout ByteWriter) {
    guard let address = endpoint.address.v4 else { preconditionFailure("\(endpoint) written as IPv4") }
    writer.u32(address.byteSwapped)
    writer.u16(endpoint.port)
  }

  static func readV4(_ reader: inout ByteReader) throws(DecodeError) -> Endpoint {
    let address = Address(v4: try reader.u32().byteSwapped)
    return Endpoint(address: address, port: try reader.u16())
  }

  static func writeAny(_ endpoint: Endpoint, into writer: inout ByteWriter) {
    writer.u64(endpoint.address.high.byteSwapped)
    writer.u64(endpoint.address.low.byteSwapped)
    writer.u16(endpoint.port)
  }

  static func readAny(_ reader: inout ByteReader) throws(DecodeError) -> Endpoint {
    let high = try reader.u64().byteSwapped
    let address = Address(high: high, low: try reader.u64().byteSwapped)
    return Endpoint(address: address, port: try reader.u16())
  }
}
