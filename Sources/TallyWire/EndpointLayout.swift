// Owns: the short layout of an IPv4 endpoint in a record; every other endpoint has `ByteWriter.endpoint`'s 18 bytes.

import TallyBase

/// `0 4 address, most significant byte first · 4 2 port u16`.
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
}
