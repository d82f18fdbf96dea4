// Owns: a host's signed, numbered statement of its key and addresses, and the string that is signed.
// Refuses to know: keys and hashes (callers sign, verify and compare digests), and whether an address works.

import TallyBase

/// Orders the records of one host. The epoch grows with every start and is durable before its first use; the counter
/// grows within one run. Wall time decides nothing.
@frozen
public struct RecordNumber: Hashable, Comparable, Sendable, WireValue, CustomStringConvertible {
  public let epoch: UInt64
  public let counter: UInt32
  public static let byteCount = 12
  /// No record has it: epochs start at 1.
  public static let none = RecordNumber(epoch: 0, counter: 0)

  public init(epoch: UInt64, counter: UInt32) {
    self.epoch = epoch
    self.counter = counter
  }

  /// The least number above this one; nil behind the last.
  public var successor: RecordNumber? {
    if counter < .max { return RecordNumber(epoch: epoch, counter: counter + 1) }
    return epoch < .max ? RecordNumber(epoch: epoch + 1, counter: 0) : nil
  }

  public static func < (left: RecordNumber, right: RecordNumber) -> Bool {
    (left.epoch, left.counter) < (right.epoch, right.counter)
  }

  public var description: String { "\(epoch).\(counter)" }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    self.init(epoch: try reader.u64(), counter: try reader.u32())
  }

  public func write(into writer: inout ByteWriter) {
    writer.u64(epoch)
    writer.u32(counter)
  }
}

/// ```
/// offset size field
///      0    1 version, 1
///      1    1 bits 0–1: IPv4 endpoints n (0…2); bits 2–3: IPv6 endpoints m (0…2); bits 4–7: 0
///      2   32 public key
///     34    8 epoch u64, ≥ 1
///     42    4 counter u32
///     46   16 attributes: first half of BLAKE2b-256("tally/attributes/1" ‖ block)
///     62   6n IPv4 endpoints, best first
///  62+6n  18m IPv6 endpoints, best first
///      …   64 signature over 0x00 ‖ "tally/record/1" ‖ meshID ‖ every byte before it
/// ```
/// 126 to 174 bytes. A mapped IPv4 address in the IPv6 part, port 0, an address of no scope and a repeated endpoint
/// are refused, so that one value has one encoding.
public struct NodeRecord: Hashable, Sendable, WireValue {
  public let key: PublicKey
  public let number: RecordNumber
  public let attributes: ShortDigest
  /// IPv4 first, then IPv6, at most two of each. Empty: the host can only be reached over sessions that it opens.
  public let endpoints: [Endpoint]
  public let signature: Signature

  public static let byteCountMax = 62 + 2 * 6 + 2 * 18 + 64
  public static let byteCountMin = 62 + 64
  /// Per family.
  public static let endpointCountMax = 2
  static let version: UInt8 = 1

  /// `endpoints` must be canonical (see `canonical(_:)`); the signature is made with `signedBytes`.
  public init(
    key: PublicKey, number: RecordNumber, attributes: ShortDigest, endpoints: [Endpoint], signature: Signature
  ) {
    precondition(endpoints == Self.canonical(endpoints), "record with endpoints \(endpoints)")
    self.key = key
    self.number = number
    self.attributes = attributes
    self.endpoints = endpoints
    self.signature = signature
  }

  /// The endpoints that a record can carry, of those given: valid ones, each once, two a family, IPv4 first.
  public static func canonical(_ endpoints: [Endpoint]) -> [Endpoint] {
    var v4: [Endpoint] = []
    var v6: [Endpoint] = []
    for endpoint in endpoints where endpoint.port != 0 && endpoint.address.scope != .none {
      if endpoint.address.isV4 {
        if v4.count < endpointCountMax && !v4.contains(endpoint) { v4.append(endpoint) }
      } else {
        if v6.count < endpointCountMax && !v6.contains(endpoint) { v6.append(endpoint) }
      }
    }
    return v4 + v6
  }

  /// What the host signs, for one mesh.
  public static func signedBytes(
    mesh: MeshID, key: PublicKey, number: RecordNumber, attributes: ShortDigest, endpoints: [Endpoint]
  ) -> [UInt8] {
    var writer = ByteWriter(capacity: 15 + 32 + byteCountMax)
    writer.u8(0)
    writer.raw(Array("tally/record/1".utf8))
    writer.named(mesh)
    writeCore(key: key, number: number, attributes: attributes, endpoints: endpoints, into: &writer)
    return writer.bytes
  }

  public func signedBytes(mesh: MeshID) -> [UInt8] {
    Self.signedBytes(mesh: mesh, key: key, number: number, attributes: attributes, endpoints: endpoints)
  }

  /// Endpoints that may be dialled, or told to, a host whose narrowest scope is `scope`: a loopback address means
  /// something else on another machine, and a private one in another network.
  public func endpoints(reachableFrom scope: Address.Scope) -> [Endpoint] {
    endpoints.filter { $0.address.scope >= scope }
  }

  public var byteCount: Int {
    endpoints.reduce(Self.byteCountMin) {
      $0 + ($1.address.isV4 ? EndpointLayout.v4ByteCount : EndpointLayout.anyByteCount)
    }
  }

  public init(reading reader: inout ByteReader) throws(DecodeError) {
    let version = try reader.u8()
    guard version == Self.version else { throw .unknown(field: "record version", value: Int(version)) }
    let counts = try reader.u8()
    let v4Count = Int(counts & 3)
    let v6Count = Int(counts >> 2 & 3)
    guard counts >> 4 == 0 else { throw .notCanonical(field: "record counts") }
    for count in [v4Count, v6Count] where count > Self.endpointCountMax {
      throw .aboveLimit(field: "record endpoints", value: count, limit: Self.endpointCountMax)
    }
    key = try reader.named()
    number = try RecordNumber(reading: &reader)
    guard number.epoch > 0 else { throw .notCanonical(field: "record epoch") }
    attributes = try ShortDigest(reading: &reader)
    var endpoints: [Endpoint] = []
    for _ in 0..<v4Count { endpoints.append(try EndpointLayout.readV4(&reader)) }
    for _ in 0..<v6Count { endpoints.append(try reader.endpoint()) }
    let isSplit = endpoints.prefix(v4Count).allSatisfy(\.address.isV4)
      && endpoints.dropFirst(v4Count).allSatisfy { !$0.address.isV4 }
    guard isSplit, endpoints == Self.canonical(endpoints) else { throw .notCanonical(field: "record endpoints") }
    self.endpoints = endpoints
    signature = try reader.signature()
  }

  public func write(into writer: inout ByteWriter) {
    Self.writeCore(key: key, number: number, attributes: attributes, endpoints: endpoints, into: &writer)
    writer.signature(signature)
  }

  private static func writeCore(
    key: PublicKey, number: RecordNumber, attributes: ShortDigest, endpoints: [Endpoint],
    into writer: inout ByteWriter
  ) {
    let v4 = endpoints.filter(\.address.isV4)
    let v6 = endpoints.filter { !$0.address.isV4 }
    writer.u8(version)
    writer.u8(UInt8(v4.count | v6.count << 2))
    writer.named(key)
    number.write(into: &writer)
    attributes.write(into: &writer)
    for endpoint in v4 { EndpointLayout.writeV4(endpoint, into: &writer) }
    for endpoint in v6 { writer.endpoint(endpoint) }
  }
}
